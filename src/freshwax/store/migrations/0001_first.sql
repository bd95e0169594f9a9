-- The first schema. Frozen: a change is a new file.
--
-- Instants are microseconds since 1970 in UTC; to read one: datetime(started_at / 1000000, 'unixepoch').
-- Artists and releases have integer keys of their own, so that a million decisions stay small.

CREATE TABLE artists (
    id           INTEGER PRIMARY KEY,
    source       TEXT NOT NULL,
    source_id    TEXT NOT NULL,
    name         TEXT,
    state        TEXT NOT NULL,
    added_at     INTEGER NOT NULL,
    attempted_at INTEGER,
    failures     INTEGER NOT NULL DEFAULT 0,
    failure      TEXT,
    learnt       INTEGER NOT NULL DEFAULT 0,
    listing      TEXT,
    UNIQUE (source, source_id)
) STRICT;

-- The watermark of each listing group of an artist.
CREATE TABLE marks (
    artist_id        INTEGER NOT NULL REFERENCES artists (id),
    listing_group    TEXT NOT NULL,
    market           TEXT NOT NULL,
    first_checked_at INTEGER NOT NULL,
    checked_at       INTEGER NOT NULL,
    horizon          INTEGER NOT NULL,
    read_to_end_at   INTEGER,
    deep_cursor      INTEGER,
    deep_wanted      INTEGER NOT NULL,
    PRIMARY KEY (artist_id, listing_group)
) STRICT, WITHOUT ROWID;

-- credits: a JSON array of [artist ID, name], in the order of the release.
CREATE TABLE releases (
    id             INTEGER PRIMARY KEY,
    source         TEXT NOT NULL,
    source_id      TEXT NOT NULL,
    title          TEXT NOT NULL,
    type           TEXT NOT NULL,
    credits        TEXT NOT NULL,
    release_date   TEXT,
    date_precision TEXT,
    url            TEXT,
    image_url      TEXT,
    total_tracks   INTEGER,
    first_seen_at  INTEGER NOT NULL,
    UNIQUE (source, source_id)
) STRICT;
CREATE INDEX releases_by_date ON releases (release_date);
CREATE INDEX releases_by_first_sight ON releases (first_seen_at);

-- What a known release's fields were before the source gave them otherwise.
CREATE TABLE history (
    id         INTEGER PRIMARY KEY,
    release_id INTEGER NOT NULL REFERENCES releases (id),
    at         INTEGER NOT NULL,
    field      TEXT NOT NULL,
    before     TEXT,
    after      TEXT
) STRICT;
CREATE INDEX history_by_release ON history (release_id);

CREATE TABLE run_history (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    mode               TEXT NOT NULL,
    status             TEXT NOT NULL,
    market             TEXT NOT NULL,
    started_at         INTEGER NOT NULL,
    finished_at        INTEGER,
    artists            INTEGER NOT NULL DEFAULT 0,
    checked            INTEGER NOT NULL DEFAULT 0,
    fresh              INTEGER NOT NULL DEFAULT 0,
    not_due            INTEGER NOT NULL DEFAULT 0,
    failed             INTEGER NOT NULL DEFAULT 0,
    paused             INTEGER NOT NULL DEFAULT 0,
    oldest_check       INTEGER,
    history_incomplete INTEGER NOT NULL DEFAULT 0,
    requests           INTEGER NOT NULL DEFAULT 0,
    not_modified       INTEGER NOT NULL DEFAULT 0,
    bytes_received     INTEGER NOT NULL DEFAULT 0,
    seconds            REAL NOT NULL DEFAULT 0,
    found              INTEGER NOT NULL DEFAULT 0,
    error              TEXT,
    exit_code          INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_running ON run_history (id) WHERE status = 'running';

-- What was decided about a release for an artist, and against which watermark.
CREATE TABLE decisions (
    artist_id         INTEGER NOT NULL REFERENCES artists (id),
    release_id        INTEGER NOT NULL REFERENCES releases (id),
    listing_group     TEXT NOT NULL,
    key               TEXT NOT NULL,
    marks             TEXT NOT NULL,
    kind              TEXT,
    silence           TEXT,
    of_id             INTEGER REFERENCES releases (id),
    announced_id      INTEGER REFERENCES releases (id),
    previous_check_at INTEGER,
    run_id            INTEGER NOT NULL REFERENCES run_history (id),
    decided_at        INTEGER NOT NULL,
    PRIMARY KEY (artist_id, release_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX decisions_by_release ON decisions (release_id);
CREATE INDEX decisions_by_run ON decisions (run_id);
CREATE INDEX decisions_announced ON decisions (announced_id) WHERE announced_id IS NOT NULL;
CREATE INDEX decisions_announced_by_key ON decisions (key) WHERE announced_id = release_id;
CREATE INDEX decisions_held ON decisions (artist_id) WHERE silence = 'held';

-- The outcome of every check, failed ones too.
CREATE TABLE checks (
    id        INTEGER PRIMARY KEY,
    run_id    INTEGER NOT NULL REFERENCES run_history (id),
    artist_id INTEGER NOT NULL REFERENCES artists (id),
    at        INTEGER NOT NULL,
    outcome   TEXT NOT NULL,
    found     INTEGER NOT NULL,
    message   TEXT
) STRICT;
CREATE INDEX checks_by_run ON checks (run_id);

-- What is still to be told on each channel.
CREATE TABLE outbox (
    channel          TEXT NOT NULL,
    release_id       INTEGER NOT NULL REFERENCES releases (id),
    kind             TEXT NOT NULL,
    artist_id        INTEGER NOT NULL REFERENCES artists (id),
    queued_at        INTEGER NOT NULL,
    told_upcoming_at INTEGER,
    PRIMARY KEY (channel, release_id)
) STRICT, WITHOUT ROWID;

-- A report is fixed here before it is printed. run: the run as it was then, a JSON object of run_history's columns.
-- AUTOINCREMENT: the number of a report that was replaced is never given to another.
CREATE TABLE reports (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    mode    TEXT NOT NULL,
    run_id  INTEGER NOT NULL,
    run     TEXT NOT NULL,
    notes   TEXT NOT NULL,
    told_at INTEGER
) STRICT;
CREATE INDEX reports_by_channel ON reports (channel);
CREATE INDEX reports_by_run ON reports (run_id);

CREATE TABLE report_lines (
    report_id  INTEGER NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    release_id INTEGER NOT NULL REFERENCES releases (id),
    kind       TEXT NOT NULL,
    hidden_by  TEXT,
    PRIMARY KEY (report_id, position)
) STRICT, WITHOUT ROWID;

-- Each channel's memory of what it told.
CREATE TABLE told (
    release_id INTEGER NOT NULL REFERENCES releases (id),
    channel    TEXT NOT NULL,
    report_id  INTEGER NOT NULL REFERENCES reports (id),
    kind       TEXT NOT NULL,
    told_at    INTEGER NOT NULL,
    hidden_by  TEXT,
    PRIMARY KEY (release_id, channel, report_id)
) STRICT, WITHOUT ROWID;

-- The request ledger: a row before each request is sent; status and bytes follow when it has ended.
CREATE TABLE requests (
    id             INTEGER PRIMARY KEY,
    source         TEXT NOT NULL,
    bucket         TEXT NOT NULL,
    at             INTEGER NOT NULL,
    run_id         INTEGER REFERENCES run_history (id),
    status         INTEGER,
    bytes_received INTEGER
) STRICT;
CREATE INDEX requests_by_source ON requests (source, at);

CREATE TABLE cooldowns (
    source TEXT PRIMARY KEY,
    until  INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
