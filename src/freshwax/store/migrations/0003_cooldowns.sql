-- A cooldown holds for a source as a whole (bucket '') or for one bucket, and says since when: a clock may have jumped.

CREATE TABLE cooldowns_by_bucket (
    source TEXT NOT NULL,
    bucket TEXT NOT NULL,
    until  INTEGER NOT NULL,
    reason TEXT NOT NULL,
    since  INTEGER,
    PRIMARY KEY (source, bucket)
) STRICT, WITHOUT ROWID;

INSERT INTO cooldowns_by_bucket (source, bucket, until, reason, since)
SELECT source, '', until,
    CASE reason WHEN 'quota' THEN 'quota exceeded' WHEN 'cooldown' THEN 'rate limit' ELSE reason END,
    NULL
FROM cooldowns;

DROP TABLE cooldowns;
ALTER TABLE cooldowns_by_bucket RENAME TO cooldowns;
