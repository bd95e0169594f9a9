-- Browsing. The conditions of "releases" are put together by what is asked, so that each question finds its index.

-- name: releases
SELECT {release_columns}, r.first_seen_at,
       (SELECT d.kind FROM decisions d JOIN artists a ON a.id = d.artist_id
        WHERE d.release_id = r.id AND d.announced_id = d.release_id AND d.kind IS NOT NULL
        ORDER BY d.decided_at, a.source, a.source_id LIMIT 1)
FROM releases r

-- name: releases_where_followed
EXISTS (SELECT 1 FROM decisions d JOIN artists a ON a.id = d.artist_id
        WHERE d.release_id = r.id AND a.state <> 'removed')

-- name: releases_where_artist
r.id IN (SELECT d.release_id FROM decisions d JOIN artists a ON a.id = d.artist_id
         WHERE a.source = :source AND a.source_id = :artist AND a.state <> 'removed')

-- name: releases_where_run
r.id IN (SELECT d.release_id FROM decisions d JOIN artists a ON a.id = d.artist_id
         WHERE d.run_id = :run AND a.state <> 'removed')

-- name: releases_where_artist_and_run
r.id IN (SELECT d.release_id FROM decisions d JOIN artists a ON a.id = d.artist_id
         WHERE a.source = :source AND a.source_id = :artist AND d.run_id = :run AND a.state <> 'removed')

-- name: releases_where_kept
NOT r.forgotten

-- name: releases_where_since
r.first_seen_at >= :since

-- name: releases_where_dated
r.release_date >= :dated_since

-- name: releases_where_announced
EXISTS (SELECT 1 FROM decisions d WHERE d.release_id = r.id AND d.announced_id = d.release_id)

-- name: releases_order
ORDER BY r.release_date DESC, r.source, r.source_id LIMIT :limit

-- The sign keeps SQLite from walking all releases by date where another index finds the few that are asked for.
-- name: releases_order_few
ORDER BY +r.release_date DESC, r.source, r.source_id LIMIT :limit

-- name: story_release
SELECT {release_columns}, r.first_seen_at, r.id FROM releases r WHERE r.source = ? AND r.source_id = ?

-- name: story_decisions
SELECT {artist_columns}, {release_columns}, {decision_columns}
FROM decisions d JOIN artists a ON a.id = d.artist_id {decision_joins}
WHERE d.release_id = ?
ORDER BY d.decided_at, a.source, a.source_id

-- name: story_waiting
SELECT {release_columns}, o.kind, a.source, a.source_id, r.first_seen_at, o.told_upcoming_at, o.channel
FROM outbox o JOIN releases r ON r.id = o.release_id JOIN artists a ON a.id = o.artist_id
WHERE o.release_id = ?
ORDER BY o.channel

-- name: story_told
SELECT channel, kind, told_at, report_id, hidden_by FROM told WHERE release_id = ?
ORDER BY told_at, channel, report_id

-- name: story_history
SELECT at, field, before, after FROM history WHERE release_id = ? ORDER BY id
