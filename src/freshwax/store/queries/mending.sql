-- What takes the place of a word that cannot be read: what other rows say, or else what loses and hides the least. Each
-- statement mends one column; reads(what, value) says whether a value can be read. On databases of any schema version.

-- When something was, where nobody can tell any more.
-- name: mend_instant
SELECT coalesce(max(started_at), 0) FROM run_history WHERE reads('instant', started_at)

-- Nobody would read what waits on a channel of another name.
-- name: mend_channel
SELECT coalesce(max(channel), 'stdout') FROM reports WHERE is_text(CAST(channel AS BLOB))

-- Who was removed has decisions and no marks.
-- name: mend_artists_state
UPDATE artists
SET state = CASE WHEN EXISTS (SELECT 1 FROM marks m WHERE m.artist_id = artists.id)
                   OR NOT EXISTS (SELECT 1 FROM decisions d WHERE d.artist_id = artists.id) THEN 'active'
                 ELSE 'removed' END
WHERE NOT reads('state', state)

-- The one of the usual groups that the artist lacks.
-- name: mend_marks_listing_group
UPDATE OR IGNORE marks
SET listing_group = CASE WHEN EXISTS (SELECT 1 FROM marks m WHERE m.artist_id = marks.artist_id
                                      AND m.listing_group = 'album') THEN 'single' ELSE 'album' END
WHERE NOT reads('group', listing_group)

-- An older watermark asks sooner, and hides nothing.
-- name: mend_marks_checked_at
UPDATE marks SET checked_at = CASE WHEN reads('instant', first_checked_at) THEN first_checked_at ELSE 0 END
WHERE NOT reads('instant', checked_at)

-- name: mend_marks_first_checked_at
UPDATE marks SET first_checked_at = CASE WHEN reads('instant', checked_at) THEN checked_at ELSE 0 END
WHERE NOT reads('instant', first_checked_at)

-- The list itself goes afterwards.
-- name: mend_credit_lists_credits
UPDATE releases SET credits_id = NULL WHERE credits_id IN (SELECT id FROM credit_lists WHERE NOT reads('credits', credits))

-- name: mend_releases_credits
UPDATE releases SET credits = '[]' WHERE NOT reads('credits', credits)

-- name: mend_releases_date_precision
UPDATE releases
SET release_date = CASE WHEN length(release_date) IN (4, 7, 10) THEN release_date END,
    date_precision = CASE length(release_date) WHEN 4 THEN 'year' WHEN 7 THEN 'month' WHEN 10 THEN 'day' END
WHERE release_date IS NOT NULL AND NOT reads('precision', date_precision)

-- name: mend_run_history_mode
UPDATE run_history SET mode = 'incremental' WHERE NOT reads('mode', mode)

-- name: mend_run_history_status
UPDATE run_history SET status = 'failed' WHERE NOT reads('status', status)

-- name: mend_decisions_listing_group
UPDATE decisions
SET listing_group = coalesce((SELECT r.type FROM releases r
                              WHERE r.id = release_id AND r.type IN ('single', 'compilation')), 'album')
WHERE NOT reads('group', listing_group)

-- What is silent has no kind.
-- name: mend_decisions_kind
UPDATE decisions
SET kind = CASE WHEN announced_id = release_id THEN coalesce(
               (SELECT o.kind FROM outbox o WHERE o.release_id = decisions.release_id AND reads('kind', o.kind) LIMIT 1),
               (SELECT t.kind FROM told t WHERE t.release_id = decisions.release_id AND reads('kind', t.kind)
                ORDER BY t.report_id DESC LIMIT 1),
               'new') END
WHERE NOT reads('kind', kind)

-- What was silent for a reason that nobody knows any more is held: the user decides, so that nothing is lost.
-- name: mend_decisions_silence
UPDATE decisions SET silence = CASE WHEN announced_id IS NULL THEN 'held' WHEN announced_id <> release_id THEN 'told' END
WHERE NOT reads('silence', silence)

-- name: mend_outbox_kind
UPDATE outbox
SET kind = coalesce((SELECT d.kind FROM decisions d WHERE d.release_id = outbox.release_id
                     AND d.announced_id = d.release_id AND d.kind IS NOT NULL AND reads('kind', d.kind) LIMIT 1), 'new')
WHERE NOT reads('kind', kind)

-- name: mend_outbox_told_upcoming_at
UPDATE outbox SET told_upcoming_at = queued_at WHERE NOT reads('instant', told_upcoming_at)

-- name: mend_reports_mode
UPDATE reports SET mode = 'incremental' WHERE NOT reads('mode', mode)

-- Of the run that it was about, where that is known; its columns make the snapshot.
-- name: mend_reports_run_of
SELECT h.* FROM run_history h WHERE h.id = :run_id OR NOT EXISTS (SELECT 1 FROM run_history WHERE id = :run_id)
ORDER BY h.id DESC LIMIT 1

-- name: mend_reports_unreadable
SELECT id, run_id FROM reports WHERE NOT reads('run', run)

-- name: mend_reports_run
UPDATE reports SET run = :run WHERE id = :id

-- name: mend_reports_notes
UPDATE reports SET notes = '[]' WHERE NOT reads('notes', notes)

-- Told stays told.
-- name: mend_reports_told_at
UPDATE reports
SET told_at = coalesce((SELECT min(t.told_at) FROM told t WHERE t.report_id = reports.id AND reads('instant', t.told_at)), 0)
WHERE NOT reads('instant', told_at)

-- name: mend_report_lines_kind
UPDATE report_lines
SET kind = coalesce(
        (SELECT t.kind FROM told t WHERE t.release_id = report_lines.release_id AND t.report_id = report_lines.report_id
         AND reads('kind', t.kind) LIMIT 1),
        (SELECT d.kind FROM decisions d WHERE d.release_id = report_lines.release_id AND d.announced_id = d.release_id
         AND d.kind IS NOT NULL AND reads('kind', d.kind) LIMIT 1),
        'new')
WHERE NOT reads('kind', kind)

-- What was told and still waits was told as upcoming.
-- name: mend_told_kind
UPDATE told
SET kind = coalesce(
        (SELECT l.kind FROM report_lines l WHERE l.release_id = told.release_id AND l.report_id = told.report_id
         AND reads('kind', l.kind) LIMIT 1),
        (SELECT 'upcoming' FROM outbox o WHERE o.release_id = told.release_id AND o.channel = told.channel),
        'new')
WHERE NOT reads('kind', kind)

-- The list of tables. Without its own number, an entry is the same in every database of a version.
-- name: schema_rows
SELECT rowid, type, name, tbl_name, sql FROM sqlite_master

-- name: schema_row_put
UPDATE sqlite_master SET type = ?, name = ?, tbl_name = ?, sql = ? WHERE rowid = ?

-- name: columns
SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'

-- Rows to which an index gives another identity than their table does. The index has all that is asked of it.
-- name: identities_artists
SELECT t.id, CAST(i.source AS BLOB), CAST(i.source_id AS BLOB), CAST(t.source AS BLOB), CAST(t.source_id AS BLOB)
FROM artists i INDEXED BY sqlite_autoindex_artists_1 CROSS JOIN artists t NOT INDEXED ON t.id = i.id
WHERE i.source >= ''
  AND (CAST(i.source_id AS BLOB) <> CAST(t.source_id AS BLOB) OR CAST(i.source AS BLOB) <> CAST(t.source AS BLOB))

-- name: identities_releases
SELECT t.id, CAST(i.source AS BLOB), CAST(i.source_id AS BLOB), CAST(t.source AS BLOB), CAST(t.source_id AS BLOB)
FROM releases i INDEXED BY sqlite_autoindex_releases_1 CROSS JOIN releases t NOT INDEXED ON t.id = i.id
WHERE i.source >= ''
  AND (CAST(i.source_id AS BLOB) <> CAST(t.source_id AS BLOB) OR CAST(i.source AS BLOB) <> CAST(t.source AS BLOB))

-- name: identity_put_artists
UPDATE OR IGNORE artists SET source = :source, source_id = :source_id WHERE id = :id

-- name: identity_put_releases
UPDATE OR IGNORE releases SET source = :source, source_id = :source_id WHERE id = :id

-- name: identity_twin_artists
INSERT OR IGNORE INTO artists (source, source_id, name, state, added_at)
SELECT :source, :source_id, name, state, added_at FROM artists WHERE id = :id

-- As one whose details are forgotten: it comes back when it is listed.
-- name: identity_twin_releases
INSERT OR IGNORE INTO releases (source, source_id, title, type, release_date, date_precision, first_seen_at, forgotten)
SELECT :source, :source_id, '', type, release_date, date_precision, first_seen_at, 1 FROM releases WHERE id = :id

-- Of one that is the same as another, the first is that other.
-- name: identity_twin_decisions
INSERT OR IGNORE INTO decisions (artist_id, release_id, listing_group, key, marks, silence, of_id, announced_id,
                                 previous_check_at, run_id, decided_at)
SELECT artist_id, :twin, listing_group, key, marks, 'twin',
       coalesce(CASE WHEN silence IN ('twin', 'relisted') THEN of_id END, release_id),
       announced_id, previous_check_at, run_id, decided_at
FROM decisions WHERE release_id = :id
