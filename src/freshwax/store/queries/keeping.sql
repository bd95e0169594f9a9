-- Backups, and what a restored one takes over. These run on databases of any schema version.

-- name: contents
SELECT (SELECT count(*) FROM artists WHERE state <> 'removed'), (SELECT count(*) FROM releases),
       (SELECT max(started_at) FROM run_history)

-- name: take_over_requests
INSERT INTO requests (source, bucket, at, run_id, status, bytes_received)
SELECT source, bucket, at, NULL, status, bytes_received FROM old.requests
WHERE at > (SELECT coalesce(max(at), 0) FROM main.requests)

-- Whole rows: between databases of one schema only.
-- name: take_over_cooldowns
INSERT OR REPLACE INTO cooldowns SELECT * FROM old.cooldowns
