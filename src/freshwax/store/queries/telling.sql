-- What waits to be told, reports, and what was told.

-- name: outbox
SELECT {release_columns}, o.kind, a.source, a.source_id, r.first_seen_at, o.told_upcoming_at, o.release_id
FROM outbox o JOIN releases r ON r.id = o.release_id JOIN artists a ON a.id = o.artist_id
WHERE o.channel = ?
ORDER BY r.first_seen_at, r.source, r.source_id

-- Whose decisions announce what waits: the finder's, those of other artists on it, those about its twins.
-- name: outbox_artists
SELECT o.release_id, a.source, a.source_id, a.state
FROM outbox o JOIN decisions d ON d.announced_id = o.release_id JOIN artists a ON a.id = d.artist_id
WHERE o.channel = ?

-- name: reports_drop_untold
DELETE FROM reports WHERE channel = ? AND told_at IS NULL

-- name: report_add
INSERT INTO reports (channel, mode, run_id, run, notes) VALUES (?, ?, ?, ?, ?)

-- name: line_add
INSERT INTO report_lines (report_id, position, release_id, kind, hidden_by) VALUES (?, ?, ?, ?, ?)

-- name: report_told_at
SELECT told_at FROM reports WHERE id = ?

-- name: report_tell
UPDATE reports SET told_at = :at WHERE id = :report

-- A release may stand on two lines of a report; one memory is enough.
-- name: told_add
INSERT OR IGNORE INTO told (release_id, channel, report_id, kind, told_at, hidden_by)
SELECT l.release_id, p.channel, p.id, l.kind, :at, l.hidden_by
FROM report_lines l JOIN reports p ON p.id = l.report_id
WHERE p.id = :report ORDER BY l.position

-- name: outbox_tell
DELETE FROM outbox
WHERE channel = (SELECT channel FROM reports WHERE id = :report)
  AND release_id IN (SELECT release_id FROM report_lines WHERE report_id = :report AND kind <> 'upcoming')

-- name: outbox_tell_upcoming
UPDATE outbox SET told_upcoming_at = coalesce(told_upcoming_at, :at)
WHERE channel = (SELECT channel FROM reports WHERE id = :report)
  AND release_id IN (SELECT release_id FROM report_lines WHERE report_id = :report AND kind = 'upcoming')

-- name: report_last
SELECT p.id, p.channel, p.mode, p.run, p.notes FROM reports p
WHERE p.channel = ? AND p.told_at IS NOT NULL
ORDER BY EXISTS (SELECT 1 FROM report_lines l WHERE l.report_id = p.id) DESC, p.id DESC LIMIT 1

-- name: reports
SELECT id, channel, mode, run, notes FROM reports WHERE run_id = ? AND told_at IS NOT NULL ORDER BY id

-- name: lines
SELECT {release_columns}, l.kind, r.first_seen_at, l.hidden_by
FROM report_lines l JOIN releases r ON r.id = l.release_id
WHERE l.report_id = ? ORDER BY l.position
