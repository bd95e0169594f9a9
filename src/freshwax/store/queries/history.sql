-- When artists released, for planning. What is asked for comes as one JSON list.

-- Where the artists stand among those asked for, and which of their lists were never read to their end.
-- name: history_artists
SELECT j.key, a.id, max(m.listing_group = 'album' AND m.read_to_end_at IS NULL),
       max(m.listing_group <> 'album' AND m.read_to_end_at IS NULL)
FROM json_each(?) j
CROSS JOIN artists a ON a.source = json_extract(j.value, '$[0]') AND a.source_id = json_extract(j.value, '$[1]')
LEFT JOIN marks m ON m.artist_id = a.id
GROUP BY j.key

-- Walks along the key of the decisions, so that only the few of one artist are ever sorted; a year or a month sorts as
-- its first day.
-- name: history_releases
SELECT d.artist_id, r.release_date, r.date_precision, d.listing_group,
       d.previous_check_at IS NOT NULL AND d.silence IS NOT 'horizon'
FROM decisions d CROSS JOIN releases r ON r.id = d.release_id
WHERE d.artist_id IN (SELECT value FROM json_each(?))
  AND d.of_id IS NULL AND d.kind IS NOT 'back_catalogue' AND d.silence IS NOT 'held' AND r.release_date IS NOT NULL
ORDER BY d.artist_id, substr(r.release_date || '-01-01', 1, 10), r.source, r.source_id
