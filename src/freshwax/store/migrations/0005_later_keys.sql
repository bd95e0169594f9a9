-- The keys under which a release is listed now, where it was decided under others: its title, type or artists changed.

CREATE TABLE later_keys (
    release_id INTEGER PRIMARY KEY REFERENCES releases (id),
    key        TEXT NOT NULL,
    marks      TEXT NOT NULL
) STRICT;
CREATE INDEX later_keys_by_key ON later_keys (key);
