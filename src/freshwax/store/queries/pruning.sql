-- What is dropped when it is old enough, so many rows at a time.

-- name: prune_checks
DELETE FROM checks
WHERE id IN (SELECT c.id FROM run_history h JOIN checks c ON c.run_id = h.id WHERE h.started_at < ? LIMIT ?)

-- name: prune_requests
DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE at < ? LIMIT ?)

-- name: rows_changed
SELECT changes()

-- A year or a month counts with its last day. Dates are compared as text, as everywhere.
-- name: releases_to_forget
SELECT r.id, r.credits_id FROM releases r
WHERE NOT r.forgotten AND r.first_seen_at < :before
  AND (r.release_date IS NULL OR substr(r.release_date || '-99-99', 1, 10) < :day)
  AND r.id NOT IN (SELECT o.release_id FROM outbox o)
  AND NOT EXISTS (SELECT 1 FROM decisions d
                  WHERE d.release_id = r.id AND (d.decided_at >= :before OR d.silence = 'held'))
  AND NOT EXISTS (SELECT 1 FROM told t WHERE t.release_id = r.id AND t.told_at >= :before)
ORDER BY r.first_seen_at LIMIT :most

-- name: any_forgotten
SELECT 1 FROM releases WHERE forgotten LIMIT 1

-- name: release_forget
UPDATE releases
SET title = '', credits_id = NULL, url_prefix_id = NULL, url_rest = NULL, image_prefix_id = NULL, image_rest = NULL,
    total_tracks = NULL, forgotten = 1
WHERE id = ?

-- name: history_forget
DELETE FROM history WHERE release_id = ?

-- name: credits_drop
DELETE FROM credit_lists
WHERE id = ? AND NOT EXISTS (SELECT 1 FROM releases r WHERE r.credits_id = credit_lists.id)
