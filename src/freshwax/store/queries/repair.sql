-- What is made anew where rows were lost, from the rows that speak of them. These run on databases of any schema version.

-- name: repair_runs
INSERT INTO run_history (id, mode, status, market, started_at, error, exit_code)
SELECT run_id, 'incremental', 'failed', coalesce((SELECT market FROM marks LIMIT 1), ''), min(at),
       'the record of this run was lost; what it found was not', 1
FROM (SELECT run_id, decided_at AS at FROM decisions
      UNION ALL SELECT run_id, at FROM checks
      UNION ALL SELECT run_id, at FROM requests WHERE run_id IS NOT NULL
      UNION ALL SELECT 1, told_at FROM told WHERE NOT EXISTS (SELECT 1 FROM run_history))
WHERE run_id NOT IN (SELECT id FROM run_history)
GROUP BY run_id

-- A told line without its report would be told again.
-- name: repair_reports
INSERT INTO reports (id, channel, mode, run_id, run, notes, told_at)
SELECT report_id, min(channel), 'incremental', :run_id, :run, '[]', min(told_at)
FROM told WHERE report_id NOT IN (SELECT id FROM reports)
GROUP BY report_id

-- name: repair_report_lines
INSERT INTO report_lines (report_id, position, release_id, kind, hidden_by)
SELECT report_id, row_number() OVER (PARTITION BY report_id ORDER BY release_id) - 1, release_id, kind, hidden_by
FROM told
WHERE report_id NOT IN (SELECT report_id FROM report_lines) AND release_id IN (SELECT id FROM releases)

-- name: repair_decisions_announced
UPDATE decisions SET announced_id = release_id WHERE announced_id NOT IN (SELECT id FROM releases)

-- Without a watermark everything that lost its decision would be news, however old: such an artist is learnt anew.
-- name: repair_learnt
UPDATE artists SET learnt = 0, listing = NULL WHERE learnt AND NOT EXISTS (SELECT 1 FROM marks m WHERE m.artist_id = artists.id)

-- name: repair_outbox_artists
UPDATE outbox SET artist_id = (SELECT d.artist_id FROM decisions d JOIN artists a ON a.id = d.artist_id
                               WHERE d.release_id = outbox.release_id LIMIT 1)
WHERE artist_id NOT IN (SELECT id FROM artists)
  AND release_id IN (SELECT d.release_id FROM decisions d JOIN artists a ON a.id = d.artist_id)

-- Where lines were lost that were still to be told: what was decided to be told, and is not known to have been. Where
-- that memory has gaps, too, only what is not older than 90 days: telling twice is better than losing, within reason.
-- name: repair_outbox
INSERT OR IGNORE INTO outbox (channel, release_id, kind, artist_id, queued_at, told_upcoming_at)
SELECT c.channel, d.release_id, d.kind, d.artist_id, d.decided_at,
       (SELECT min(t.told_at) FROM told t WHERE t.release_id = d.release_id AND t.channel = c.channel)
FROM decisions d, (SELECT channel FROM reports UNION SELECT channel FROM told UNION SELECT channel FROM outbox
                   UNION SELECT 'stdout') c
WHERE d.kind IS NOT NULL AND d.announced_id = d.release_id
  AND (NOT :told_lost OR d.decided_at > (SELECT max(started_at) FROM run_history) - 90 * 86400000000)
  AND NOT EXISTS (SELECT 1 FROM told t
                  WHERE t.release_id = d.release_id AND t.channel = c.channel AND t.kind <> 'upcoming')

-- Reports remember what was told where the memory of that is lost.
-- name: repair_told
INSERT OR IGNORE INTO told (release_id, channel, report_id, kind, told_at, hidden_by)
SELECT l.release_id, p.channel, p.id, l.kind, p.told_at, l.hidden_by
FROM report_lines l JOIN reports p ON p.id = l.report_id
WHERE p.told_at IS NOT NULL AND l.release_id IN (SELECT id FROM releases)
ORDER BY p.id, l.position

-- What waits is told on behalf of whom it was decided for: without a decision it would wait for ever. The key that was
-- lost with it stays empty, which equals no other.
-- name: repair_decisions
INSERT OR IGNORE INTO decisions (artist_id, release_id, listing_group, key, marks, kind, announced_id, run_id,
                                 decided_at)
SELECT o.artist_id, o.release_id,
       CASE WHEN r.type IN ('single', 'compilation') THEN r.type ELSE 'album' END, '', '', o.kind, o.release_id,
       (SELECT max(id) FROM run_history), o.queued_at
FROM outbox o JOIN releases r ON r.id = o.release_id JOIN artists a ON a.id = o.artist_id
WHERE NOT EXISTS (SELECT 1 FROM decisions d JOIN artists b ON b.id = d.artist_id WHERE d.announced_id = o.release_id)

-- Rows of which an index alone still speaks: who they are, so that what was told of them is not told again.
-- name: repair_named_artists
INSERT OR IGNORE INTO artists (id, source, source_id, state, added_at)
VALUES (:id, :source, :source_id,
        -- Who was removed has decisions and no marks.
        CASE WHEN EXISTS (SELECT 1 FROM marks WHERE artist_id = :id)
               OR NOT EXISTS (SELECT 1 FROM decisions WHERE artist_id = :id) THEN 'active' ELSE 'removed' END,
        coalesce((SELECT min(first_checked_at) FROM marks WHERE artist_id = :id),
                 (SELECT max(started_at) FROM run_history), 0))

-- name: repair_forgets
SELECT EXISTS (SELECT 1 FROM releases WHERE forgotten)

-- What is not in the index of first sights may have been forgotten before, where anything was: that leaves it out.
-- name: repair_named_releases
INSERT OR IGNORE INTO releases (id, source, source_id, title, type, release_date, date_precision, first_seen_at,
                                forgotten)
VALUES (:id, :source, :source_id,
        CASE WHEN :seen IS NULL AND :forgets THEN '' ELSE '(title lost)' END,
        coalesce((SELECT nullif(listing_group, 'appears_on') FROM decisions WHERE release_id = :id), 'album'), :date,
        CASE length(:date) WHEN 4 THEN 'year' WHEN 7 THEN 'month' WHEN 10 THEN 'day' END,
        coalesce(:seen, (SELECT min(decided_at) FROM decisions WHERE release_id = :id), 0),
        :seen IS NULL AND :forgets)

-- The same before migration 0004.
-- name: repair_named_releases_early
INSERT OR IGNORE INTO releases (id, source, source_id, title, type, credits, release_date, date_precision,
                                first_seen_at)
VALUES (:id, :source, :source_id, '(title lost)',
        coalesce((SELECT nullif(listing_group, 'appears_on') FROM decisions WHERE release_id = :id), 'album'), '[]', :date,
        CASE length(:date) WHEN 4 THEN 'year' WHEN 7 THEN 'month' WHEN 10 THEN 'day' END,
        coalesce(:seen, (SELECT min(decided_at) FROM decisions WHERE release_id = :id), 0))

-- What waits is to be told all the same.
-- name: repair_waiting
UPDATE releases SET title = '(title lost)', forgotten = 0
WHERE forgotten AND id IN (SELECT release_id FROM outbox)

-- The address is the one that the others have, but for the ID.
-- name: repair_addresses
UPDATE releases
SET url_prefix_id = (SELECT o.url_prefix_id FROM releases o
                     WHERE o.source = releases.source AND o.url_prefix_id IS NOT NULL AND o.url_rest IS NULL LIMIT 1)
WHERE title = '(title lost)' AND url_prefix_id IS NULL

-- The quota goes by the requests of the last day: where their list has gaps, each run knows how many it sent.
-- name: repair_requests
INSERT INTO requests (source, bucket, at, run_id)
WITH RECURSIVE gaps (run_id, at, missing) AS (
    SELECT id, coalesce(finished_at, started_at),
           requests - (SELECT count(*) FROM requests r WHERE r.run_id = run_history.id)
    FROM run_history
    WHERE coalesce(finished_at, started_at) > :since
), each_one (run_id, at, missing) AS (
    SELECT run_id, at, missing FROM gaps WHERE missing > 0
    UNION ALL SELECT run_id, at, missing - 1 FROM each_one WHERE missing > 1
)
SELECT coalesce((SELECT min(source) FROM artists), 'spotify'), 'artist-albums', at, run_id FROM each_one

-- Whether releases share their credits, as they do since migration 0004.
-- name: repair_shares_credits
SELECT count(*) FROM sqlite_master WHERE name = 'credit_lists'

-- name: repair_credit_lists
INSERT OR IGNORE INTO credit_lists (credits)
SELECT DISTINCT json_array(json_array(a.source_id, coalesce(a.name, '')))
FROM releases r JOIN decisions d ON d.release_id = r.id JOIN artists a ON a.id = d.artist_id
WHERE r.credits_id IS NULL AND NOT r.forgotten

-- name: repair_credits
UPDATE releases
SET credits_id = (SELECT c.id FROM decisions d JOIN artists a ON a.id = d.artist_id
                  JOIN credit_lists c ON c.credits = json_array(json_array(a.source_id, coalesce(a.name, '')))
                  WHERE d.release_id = releases.id LIMIT 1)
WHERE credits_id IS NULL AND NOT forgotten

-- name: repair_last_run
SELECT * FROM run_history ORDER BY id DESC LIMIT 1

-- name: repair_tables
SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
