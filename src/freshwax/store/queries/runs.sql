-- Runs, the request ledger, cooldowns, settings.

-- name: runs_bury
UPDATE run_history SET status = 'failed', error = ?, exit_code = 1 WHERE status = 'running'

-- name: run_add
INSERT INTO run_history (mode, status, market, started_at) VALUES (?, 'running', ?, ?)

-- name: run_put
UPDATE run_history
SET mode = :mode, status = :status, market = :market, started_at = :started_at, finished_at = :finished_at,
    artists = :artists, checked = :checked, fresh = :fresh, not_due = :not_due, failed = :failed, paused = :paused,
    oldest_check = :oldest_check, history_incomplete = :history_incomplete, requests = :requests,
    not_modified = :not_modified, bytes_received = :bytes_received, seconds = :seconds, found = :found, error = :error,
    exit_code = :exit_code
WHERE id = :id

-- name: runs
SELECT {run_columns} FROM run_history ORDER BY id DESC LIMIT ?

-- name: run
SELECT {run_columns} FROM run_history WHERE id = ?

-- name: run_exists
SELECT 1 FROM run_history WHERE id = ?

-- name: request_add
INSERT INTO requests (source, bucket, at, run_id) VALUES (?, ?, ?, ?)

-- name: request_settle
UPDATE requests SET status = ?, bytes_received = ? WHERE id = ?

-- name: request_nth_last
SELECT at FROM requests WHERE source = ? ORDER BY at DESC LIMIT 1 OFFSET ?

-- name: requests_ahead
SELECT count(*), max(id) FROM requests WHERE source = ? AND at >= ?

-- name: requests_pull_back
UPDATE requests SET at = ? WHERE source = ? AND at >= ?

-- name: cooldowns
SELECT source, until, reason, bucket, since FROM cooldowns WHERE source = ? ORDER BY bucket

-- name: cooldown_put
INSERT OR REPLACE INTO cooldowns (source, until, reason, bucket, since) VALUES (?, ?, ?, ?, ?)

-- name: setting
SELECT value FROM settings WHERE name = ?

-- name: setting_put
INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)

-- name: setting_drop
DELETE FROM settings WHERE name = ?
