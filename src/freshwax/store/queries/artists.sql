-- The watch list.

-- name: artists
SELECT {artist_columns} FROM artists a WHERE instr(?, '|' || a.state || '|')

-- name: artist
SELECT {artist_columns} FROM artists a WHERE a.source = ? AND a.source_id = ?

-- name: artists_checked
SELECT a.source, a.source_id, min(m.checked_at),
       CASE WHEN max(m.turn_at IS NOT NULL) THEN min(coalesce(m.turn_at, m.checked_at)) END,
       max(max(m.checked_at, coalesce(m.turn_at, m.checked_at))),
       max(m.read_to_end_at IS NULL OR m.deep_wanted)
FROM marks m JOIN artists a ON a.id = m.artist_id
WHERE instr(?, '|' || m.listing_group || '|')
GROUP BY m.artist_id

-- name: artist_id
SELECT id, state FROM artists WHERE source = ? AND source_id = ?

-- name: artist_add
INSERT INTO artists (source, source_id, name, state, added_at) VALUES (?, ?, ?, 'active', ?)

-- A removed artist starts afresh.
-- name: artist_readd
UPDATE artists
SET name = coalesce(:name, name), state = 'active', added_at = :now, attempted_at = NULL, failures = 0, failure = NULL
WHERE id = :id

-- A gone artist that the user names again gets its three chances again.
-- name: artist_enable
UPDATE artists
SET name = coalesce(name, :name), state = 'active',
    failures = CASE state WHEN 'gone' THEN 0 ELSE failures END,
    failure = CASE state WHEN 'gone' THEN NULL ELSE failure END
WHERE id = :id

-- name: artist_set_state
UPDATE artists SET state = ? WHERE id = ?

-- name: artist_forget_listing
UPDATE artists SET listing = NULL, learnt = 0 WHERE id = ?

-- name: artist_forget_marks
DELETE FROM marks WHERE artist_id = ?

-- Found without an index, which may be damaged.
-- name: artist_is_hidden
SELECT EXISTS (SELECT 1 FROM artists NOT INDEXED WHERE source = ? AND source_id = ?)
