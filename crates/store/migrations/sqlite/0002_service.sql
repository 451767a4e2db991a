-- What a service needs: jobs, API keys, and a number for everything a forecast depends on.

-- How often people were erased so far. Whoever comes back under an old id is another incarnation,
-- so that nothing remembered of the first is taken for theirs.
CREATE TABLE erasures (
    only  INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO erasures (only, count) VALUES (1, 0);

ALTER TABLE users ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;
-- Grows with every model made, chosen or deleted.
ALTER TABLE users ADD COLUMN model_generation INTEGER NOT NULL DEFAULT 0;

CREATE TABLE jobs (
    job_id        TEXT    NOT NULL PRIMARY KEY,
    user_id       TEXT    NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    kind          TEXT    NOT NULL,
    metric        TEXT,
    request       TEXT    NOT NULL,
    cost_seconds  REAL    NOT NULL,
    state         TEXT    NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER,
    result        TEXT,
    error         TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_user ON jobs (user_id, created_at);
CREATE INDEX open_jobs ON jobs (created_at) WHERE state IN ('queued', 'running');

CREATE TABLE api_keys (
    key_id     TEXT    NOT NULL PRIMARY KEY,
    hash       TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    everyone   INTEGER NOT NULL,
    scopes     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- No foreign key: a key may be made before its person has any data.
CREATE TABLE api_key_users (
    key_id  TEXT NOT NULL REFERENCES api_keys (key_id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    PRIMARY KEY (key_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_of_user ON api_key_users (user_id);

-- How sure a forecast was of itself.
ALTER TABLE forecasts ADD COLUMN confidence REAL;
