-- Releases without what can be derived, and releases whose details are forgotten.
--
-- Most releases of an artist share their credits; addresses are stored as what is before the last slash and the rest.
-- The rest is NULL where it is the release's own ID, and a BLOB where it is hexadecimal digits that freshwax wrote.
-- A forgotten release has no title, credits, addresses or tracks. Prefixes are a handful, and are never deleted.

CREATE TABLE credit_lists (
    id      INTEGER PRIMARY KEY,
    credits TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE url_prefixes (
    id     INTEGER PRIMARY KEY,
    prefix TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE smaller_releases (
    id              INTEGER PRIMARY KEY,
    source          TEXT NOT NULL,
    source_id       TEXT NOT NULL,
    title           TEXT NOT NULL,
    type            TEXT NOT NULL,
    credits_id      INTEGER REFERENCES credit_lists (id),
    release_date    TEXT,
    date_precision  TEXT,
    url_prefix_id   INTEGER REFERENCES url_prefixes (id),
    url_rest        ANY,
    image_prefix_id INTEGER REFERENCES url_prefixes (id),
    image_rest      ANY,
    total_tracks    INTEGER,
    first_seen_at   INTEGER NOT NULL,
    forgotten       INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, source_id)
) STRICT;

INSERT INTO credit_lists (credits) SELECT credits FROM releases GROUP BY credits ORDER BY min(id);

INSERT INTO url_prefixes (prefix)
SELECT rtrim(url, replace(url, '/', '')) FROM releases WHERE url IS NOT NULL
UNION
SELECT rtrim(image_url, replace(image_url, '/', '')) FROM releases WHERE image_url IS NOT NULL;

INSERT INTO smaller_releases (id, source, source_id, title, type, credits_id, release_date, date_precision,
                              url_prefix_id, url_rest, image_prefix_id, image_rest, total_tracks, first_seen_at)
SELECT r.id, r.source, r.source_id, r.title, r.type, c.id, r.release_date, r.date_precision,
       u.id, nullif(substr(r.url, length(u.prefix) + 1), r.source_id),
       i.id, nullif(substr(r.image_url, length(i.prefix) + 1), r.source_id),
       r.total_tracks, r.first_seen_at
FROM releases r
JOIN credit_lists c ON c.credits = r.credits
LEFT JOIN url_prefixes u ON u.prefix = rtrim(r.url, replace(r.url, '/', ''))
LEFT JOIN url_prefixes i ON i.prefix = rtrim(r.image_url, replace(r.image_url, '/', ''))
ORDER BY r.id;

DROP TABLE releases;
ALTER TABLE smaller_releases RENAME TO releases;
CREATE INDEX releases_by_credits ON releases (credits_id) WHERE credits_id IS NOT NULL;
CREATE INDEX releases_by_date ON releases (release_date) WHERE NOT forgotten;
CREATE INDEX releases_by_first_sight ON releases (first_seen_at) WHERE NOT forgotten;
