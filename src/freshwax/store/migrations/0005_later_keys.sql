-- The keys under which a known release was listed later, with another title, type or artists: its twins may bear any.

CREATE TABLE later_keys (
    release_id INTEGER NOT NULL REFERENCES releases (id),
    key        TEXT NOT NULL,
    marks      TEXT NOT NULL,
    PRIMARY KEY (release_id, key, marks)
) STRICT, WITHOUT ROWID;
CREATE INDEX later_keys_by_key ON later_keys (key);
