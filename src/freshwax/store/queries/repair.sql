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
