-- Instants are microseconds since 1970 in UTC, days are ISO dates.
CREATE TABLE users (
    user_id      TEXT    NOT NULL PRIMARY KEY,
    profile      TEXT    NOT NULL,
    data_version INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Every version of every record. The current one of an identity is the one of the highest version.
CREATE TABLE records (
    user_id     TEXT    NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    identity    TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    metric      TEXT,
    day         TEXT    NOT NULL,
    observed_at INTEGER NOT NULL,
    known_at    INTEGER NOT NULL,
    content     TEXT    NOT NULL,
    PRIMARY KEY (user_id, identity, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_by_day ON records (user_id, day);

CREATE TABLE models (
    model_id         TEXT    NOT NULL PRIMARY KEY,
    user_id          TEXT    NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    metric           TEXT    NOT NULL,
    architecture     TEXT    NOT NULL,
    version          INTEGER NOT NULL,
    trained_at       INTEGER NOT NULL,
    file_name        TEXT    NOT NULL,
    file_hash        TEXT    NOT NULL,
    size_bytes       INTEGER NOT NULL,
    training_seconds REAL    NOT NULL,
    summary          TEXT    NOT NULL,
    is_active        INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user_id, metric, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_active_model ON models (user_id, metric) WHERE is_active = 1;

-- The highest version ever given, also after deletes.
CREATE TABLE model_versions (
    user_id TEXT    NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    metric  TEXT    NOT NULL,
    highest INTEGER NOT NULL,
    PRIMARY KEY (user_id, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE forecasts (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id        TEXT    NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    metric         TEXT    NOT NULL,
    target_date    TEXT    NOT NULL,
    as_of          INTEGER NOT NULL,
    model_id       TEXT    NOT NULL,
    lead_days      INTEGER NOT NULL,
    value          REAL    NOT NULL,
    lower          REAL    NOT NULL,
    upper          REAL    NOT NULL,
    level          REAL    NOT NULL,
    predicted_at   INTEGER NOT NULL,
    baseline_name  TEXT,
    baseline_value REAL,
    actual         REAL,
    settled_at     INTEGER,
    UNIQUE (user_id, metric, target_date, model_id, as_of, level)
) STRICT;
