-- Backups, and what a restored one takes over. These run on databases of any schema version.

-- name: contents
SELECT (SELECT count(*) FROM artists WHERE state <> 'removed'), (SELECT count(*) FROM releases),
       (SELECT max(started_at) FROM run_history)

-- What stands in the place of a backup: the artists that it holds, and whether it is of the same database.
-- name: standing
SELECT (SELECT count(*) FROM old.artists WHERE state <> 'removed'),
       NOT EXISTS (SELECT 1 FROM old.artists)
       OR EXISTS (SELECT 1 FROM old.artists o JOIN main.artists m USING (source, source_id, added_at))
       OR EXISTS (SELECT 1 FROM old.run_history o JOIN main.run_history m USING (id, started_at))

-- name: take_over_requests
INSERT INTO requests (source, bucket, at, run_id, status, bytes_received)
SELECT source, bucket, at, NULL, status, bytes_received FROM old.requests
WHERE at > (SELECT coalesce(max(at), 0) FROM main.requests)

-- Whole rows: between databases of one schema only.
-- name: take_over_cooldowns
INSERT OR REPLACE INTO cooldowns SELECT * FROM old.cooldowns

-- What was told since the backup, so that it is not told again; of databases of one schema, since 0004. What was told
-- only as pre-announced is left out: it is to be told once more.
-- name: take_over_credits
INSERT OR IGNORE INTO main.credit_lists (credits)
SELECT c.credits FROM old.releases r JOIN old.credit_lists c ON c.id = r.credits_id
WHERE r.id IN (SELECT release_id FROM old.told)

-- name: take_over_prefixes
INSERT OR IGNORE INTO main.url_prefixes (prefix) SELECT prefix FROM old.url_prefixes

-- name: take_over_releases
INSERT OR IGNORE INTO main.releases (source, source_id, title, type, credits_id, release_date, date_precision,
                                     url_prefix_id, url_rest, image_prefix_id, image_rest, total_tracks,
                                     first_seen_at, forgotten)
SELECT r.source, r.source_id, r.title, r.type,
       (SELECT n.id FROM old.credit_lists c JOIN main.credit_lists n ON n.credits = c.credits WHERE c.id = r.credits_id),
       r.release_date, r.date_precision,
       (SELECT n.id FROM old.url_prefixes p JOIN main.url_prefixes n ON n.prefix = p.prefix WHERE p.id = r.url_prefix_id),
       r.url_rest,
       (SELECT n.id FROM old.url_prefixes p JOIN main.url_prefixes n ON n.prefix = p.prefix WHERE p.id = r.image_prefix_id),
       r.image_rest, r.total_tracks, r.first_seen_at, r.forgotten
FROM old.releases r
WHERE r.id IN (SELECT t.release_id FROM old.told t
               WHERE NOT EXISTS (SELECT 1 FROM old.outbox o WHERE o.release_id = t.release_id AND o.channel = t.channel))

-- name: take_over_reports
SELECT DISTINCT t.report_id
FROM old.told t JOIN old.releases r ON r.id = t.release_id
WHERE NOT EXISTS (SELECT 1 FROM old.outbox o WHERE o.release_id = t.release_id AND o.channel = t.channel)
  AND NOT EXISTS (SELECT 1 FROM main.told m JOIN main.releases n ON n.id = m.release_id
                  WHERE n.source = r.source AND n.source_id = r.source_id
                    AND m.channel = t.channel AND m.told_at = t.told_at)
ORDER BY t.report_id

-- Without its lines, and of no run that is known here: it only says when and where something was told.
-- name: take_over_report
INSERT INTO main.reports (channel, mode, run_id, run, notes, told_at)
SELECT channel, mode, 0, run, '[]', told_at FROM old.reports WHERE id = ?

-- name: take_over_told
INSERT OR IGNORE INTO main.told (release_id, channel, report_id, kind, told_at, hidden_by)
SELECT n.id, t.channel, :number, t.kind, t.told_at, t.hidden_by
FROM old.told t JOIN old.releases r ON r.id = t.release_id
JOIN main.releases n ON n.source = r.source AND n.source_id = r.source_id
WHERE t.report_id = :report
  AND NOT EXISTS (SELECT 1 FROM old.outbox o WHERE o.release_id = t.release_id AND o.channel = t.channel)

-- Who was not followed when the backup was made is not followed after it, only remembered.
-- name: take_over_artists
INSERT OR IGNORE INTO main.artists (source, source_id, name, state, added_at)
SELECT a.source, a.source_id, a.name, 'removed', a.added_at
FROM old.artists a
WHERE a.id IN (SELECT d.artist_id FROM old.decisions d JOIN old.releases r ON r.id = d.release_id
               JOIN main.releases n ON n.source = r.source AND n.source_id = r.source_id
               WHERE d.announced_id = d.release_id AND n.id IN (SELECT release_id FROM main.told))

-- Whole rows. Each decision names a run: where the backup knows none, the first of the other.
-- name: take_over_run
INSERT INTO main.run_history
SELECT * FROM old.run_history WHERE NOT EXISTS (SELECT 1 FROM main.run_history) ORDER BY id LIMIT 1

-- By the keys of these, twins and editions of what was told are known, too; also of what was silent in the backup.
-- name: take_over_decisions
INSERT INTO main.decisions (artist_id, release_id, listing_group, key, marks, kind, announced_id, previous_check_at,
                            run_id, decided_at)
SELECT b.id, n.id, d.listing_group, d.key, d.marks, d.kind, n.id, d.previous_check_at,
       (SELECT max(id) FROM main.run_history), d.decided_at
FROM old.decisions d JOIN old.releases r ON r.id = d.release_id JOIN old.artists a ON a.id = d.artist_id
JOIN main.releases n ON n.source = r.source AND n.source_id = r.source_id
JOIN main.artists b ON b.source = a.source AND b.source_id = a.source_id
WHERE d.announced_id = d.release_id AND EXISTS (SELECT 1 FROM main.told m WHERE m.release_id = n.id)
ON CONFLICT (artist_id, release_id) DO UPDATE
SET key = excluded.key, marks = excluded.marks, kind = excluded.kind, silence = NULL, of_id = NULL,
    announced_id = excluded.announced_id, run_id = excluded.run_id, decided_at = excluded.decided_at
WHERE decisions.announced_id IS NULL

-- Since 0005. Of all that is known: twins may bear any title that a release had meanwhile.
-- name: take_over_later_keys
INSERT OR IGNORE INTO main.later_keys (release_id, key, marks)
SELECT n.id, k.key, k.marks
FROM old.later_keys k JOIN old.releases r ON r.id = k.release_id
JOIN main.releases n ON n.source = r.source AND n.source_id = r.source_id

-- name: take_over_outbox
DELETE FROM main.outbox
WHERE EXISTS (SELECT 1 FROM main.told m
              WHERE m.release_id = outbox.release_id AND m.channel = outbox.channel AND m.kind <> 'upcoming')
