-- Pieces that several queries share: {name} is replaced by the piece of that name when the files are read.

-- name: artist_columns
a.source, a.source_id, a.name, a.state, a.added_at, a.attempted_at, a.failures, a.failure, a.learnt,
(SELECT min(m.checked_at) FROM marks m WHERE m.artist_id = a.id),
(SELECT CASE WHEN max(m.turn_at IS NOT NULL) THEN min(coalesce(m.turn_at, m.checked_at)) END
 FROM marks m WHERE m.artist_id = a.id),
(SELECT max(max(m.checked_at, coalesce(m.turn_at, m.checked_at))) FROM marks m WHERE m.artist_id = a.id),
(SELECT max(m.read_to_end_at IS NULL OR m.deep_wanted) FROM marks m WHERE m.artist_id = a.id)

-- How addresses and credits are stored: see the migration that made it so, 0004.
-- name: release_columns
r.source, r.source_id, r.title, r.type, (SELECT c.credits FROM credit_lists c WHERE c.id = r.credits_id),
r.release_date, r.date_precision,
(SELECT p.prefix || CASE typeof(r.url_rest) WHEN 'null' THEN r.source_id WHEN 'blob' THEN lower(hex(r.url_rest))
                    ELSE r.url_rest END
 FROM url_prefixes p WHERE p.id = r.url_prefix_id),
(SELECT p.prefix || CASE typeof(r.image_rest) WHEN 'null' THEN r.source_id WHEN 'blob' THEN lower(hex(r.image_rest))
                    ELSE r.image_rest END
 FROM url_prefixes p WHERE p.id = r.image_prefix_id),
r.total_tracks, r.forgotten

-- name: decision_columns
d.listing_group, d.key, d.marks, d.decided_at, d.kind, d.silence, d.previous_check_at,
n.source, n.source_id, o.source, o.source_id

-- name: decision_joins
JOIN releases r ON r.id = d.release_id
LEFT JOIN releases n ON n.id = d.announced_id
LEFT JOIN releases o ON o.id = d.of_id

-- name: run_columns
id, mode, status, market, started_at, finished_at, artists, checked, fresh, not_due, failed, paused, oldest_check,
history_incomplete, requests, not_modified, bytes_received, seconds, found, error, exit_code
