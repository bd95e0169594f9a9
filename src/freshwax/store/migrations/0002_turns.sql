-- A check ahead of its turn (a prefetch) moves the watermark, not the turn. NULL: the turn was at checked_at.

ALTER TABLE marks ADD COLUMN turn_at INTEGER;
