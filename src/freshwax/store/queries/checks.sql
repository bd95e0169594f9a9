-- What a check reads and writes.

-- name: listing
SELECT id, listing FROM artists WHERE source = ? AND source_id = ?

-- name: marks
SELECT listing_group, market, first_checked_at, checked_at, horizon, read_to_end_at, deep_cursor, deep_wanted, turn_at
FROM marks WHERE artist_id = ?

-- name: known
SELECT {release_columns}, {decision_columns}
FROM decisions d {decision_joins}
WHERE d.artist_id = ?

-- name: known_later
SELECT r.source_id, k.key, k.marks
FROM decisions d CROSS JOIN later_keys k ON k.release_id = d.release_id JOIN releases r ON r.id = d.release_id
WHERE d.artist_id = ?

-- Itself, or the release whose twin it was found to be.
-- name: announced_by_ref
SELECT DISTINCT {release_columns}, r.first_seen_at, d.key, d.marks
FROM releases asked JOIN decisions d ON d.release_id = asked.id JOIN releases r ON r.id = d.announced_id
WHERE asked.source = ? AND asked.source_id = ?

-- name: announced_by_key
SELECT DISTINCT {release_columns}, r.first_seen_at, d.key, d.marks
FROM decisions d JOIN releases r ON r.id = d.release_id
WHERE d.key = ? AND d.announced_id = d.release_id

-- Through what is listed under the key now: itself, or the twin under which it was told.
-- name: announced_by_later_key
SELECT DISTINCT {release_columns}, r.first_seen_at, k.key, k.marks
FROM later_keys k JOIN decisions d ON d.release_id = k.release_id JOIN releases r ON r.id = d.announced_id
WHERE k.key = ?

-- name: release_key
SELECT id FROM releases WHERE source = ? AND source_id = ?

-- name: release_stored
SELECT r.id, r.credits_id, {release_columns} FROM releases r WHERE r.source = ? AND r.source_id = ?

-- name: credits_keep
INSERT OR IGNORE INTO credit_lists (credits) VALUES (?)

-- name: prefix_keep
INSERT OR IGNORE INTO url_prefixes (prefix) VALUES (?)

-- name: release_add
INSERT INTO releases (source, source_id, title, type, credits_id, release_date, date_precision, url_prefix_id, url_rest,
                      image_prefix_id, image_rest, total_tracks, forgotten, first_seen_at)
VALUES (:source, :source_id, :title, :type, (SELECT id FROM credit_lists WHERE credits = :credits), :release_date,
        :date_precision, (SELECT id FROM url_prefixes WHERE prefix = :url_prefix), :url_rest,
        (SELECT id FROM url_prefixes WHERE prefix = :image_prefix), :image_rest, :total_tracks, :forgotten,
        :first_seen_at)

-- name: release_change
UPDATE releases
SET title = :title, type = :type, credits_id = (SELECT id FROM credit_lists WHERE credits = :credits),
    release_date = :release_date, date_precision = :date_precision,
    url_prefix_id = (SELECT id FROM url_prefixes WHERE prefix = :url_prefix), url_rest = :url_rest,
    image_prefix_id = (SELECT id FROM url_prefixes WHERE prefix = :image_prefix), image_rest = :image_rest,
    total_tracks = :total_tracks, forgotten = :forgotten
WHERE id = :id

-- name: history_add
INSERT INTO history (release_id, at, field, before, after) VALUES (?, ?, ?, ?, ?)

-- name: decision_put
INSERT OR REPLACE INTO decisions (artist_id, release_id, listing_group, key, marks, kind, silence, of_id, announced_id,
                                  previous_check_at, run_id, decided_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: later_keys_put
INSERT OR REPLACE INTO later_keys (release_id, key, marks) VALUES (?, ?, ?)

-- Never what waits on the channel already, or was told there.
-- name: outbox_add
INSERT OR IGNORE INTO outbox (channel, release_id, kind, artist_id, queued_at)
SELECT :channel, :release, :kind, :artist, :at
WHERE NOT EXISTS (SELECT 1 FROM told WHERE release_id = :release AND channel = :channel)

-- name: mark_put
INSERT OR REPLACE INTO marks (artist_id, listing_group, market, first_checked_at, checked_at, horizon, read_to_end_at,
                              deep_cursor, deep_wanted, turn_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: turn_take
UPDATE marks SET turn_at = ? WHERE artist_id = ? AND turn_at < checked_at

-- name: artist_checked
UPDATE artists SET name = coalesce(?, name), listing = ? WHERE id = ?

-- name: artist_well
UPDATE artists
SET failures = 0, failure = NULL, attempted_at = ?, learnt = 1,
    state = CASE state WHEN 'gone' THEN 'active' ELSE state END
WHERE id = ?

-- name: artist_failed
UPDATE artists
SET failures = CASE WHEN failure = :code THEN failures + 1 ELSE 1 END, failure = :code, attempted_at = :at,
    state = coalesce(:state, state)
WHERE id = :id

-- name: failing_since
SELECT min(at) FROM (
    SELECT at FROM checks WHERE artist_id = :id AND outcome = (SELECT failure FROM artists WHERE id = :id)
    ORDER BY id DESC LIMIT (SELECT failures FROM artists WHERE id = :id))

-- name: check_add
INSERT INTO checks (run_id, artist_id, at, outcome, found, message) VALUES (?, ?, ?, ?, ?, ?)

-- name: checks
SELECT a.source, a.source_id, c.run_id, c.at, c.outcome, c.found, c.message
FROM checks c JOIN artists a ON a.id = c.artist_id
WHERE c.run_id = ? ORDER BY c.id

-- name: checks_failed
SELECT a.source, a.source_id, c.run_id, c.at, c.outcome, c.found, c.message
FROM checks c JOIN artists a ON a.id = c.artist_id
WHERE c.run_id = ? AND c.message IS NOT NULL ORDER BY c.id

-- name: deep_queue
SELECT a.source, a.source_id, m.listing_group
FROM marks m JOIN artists a ON a.id = m.artist_id
WHERE a.state = 'active' AND a.learnt AND NOT a.failures
  AND (m.deep_wanted OR m.read_to_end_at IS NULL OR m.read_to_end_at < ?)
ORDER BY m.deep_wanted DESC, m.read_to_end_at IS NULL DESC, m.read_to_end_at, m.first_checked_at,
         a.source, a.source_id, m.listing_group

-- name: held
SELECT {artist_columns}, {release_columns}, {decision_columns}
FROM decisions d JOIN artists a ON a.id = d.artist_id {decision_joins}
WHERE d.silence = 'held' AND a.state <> 'removed'
ORDER BY r.source, r.source_id
