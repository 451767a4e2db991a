-- Models of many people belong to nobody: their user_id is NULL.
CREATE TABLE models_of_all (
    model_id         TEXT    NOT NULL PRIMARY KEY,
    user_id          TEXT    REFERENCES users (user_id) ON DELETE CASCADE,
    metric           TEXT    NOT NULL,
    architecture     TEXT    NOT NULL,
    version          INTEGER NOT NULL,
    trained_at       INTEGER NOT NULL,
    file_name        TEXT    NOT NULL,
    file_hash        TEXT    NOT NULL,
    size_bytes       INTEGER NOT NULL,
    training_seconds REAL    NOT NULL,
    summary          TEXT    NOT NULL,
    is_active        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO models_of_all SELECT model_id, user_id, metric, architecture, version, trained_at, file_name,
    file_hash, size_bytes, training_seconds, summary, is_active FROM models;
DROP TABLE models;
ALTER TABLE models_of_all RENAME TO models;
CREATE INDEX models_of_person ON models (user_id, metric);
CREATE UNIQUE INDEX one_version ON models (coalesce(user_id, ''), metric, version);
CREATE UNIQUE INDEX one_active_model ON models (coalesce(user_id, ''), metric) WHERE is_active = 1;

CREATE TABLE model_versions_of_all (
    user_id TEXT REFERENCES users (user_id) ON DELETE CASCADE,
    metric  TEXT    NOT NULL,
    highest INTEGER NOT NULL
) STRICT;
INSERT INTO model_versions_of_all SELECT user_id, metric, highest FROM model_versions;
DROP TABLE model_versions;
ALTER TABLE model_versions_of_all RENAME TO model_versions;
CREATE UNIQUE INDEX one_highest ON model_versions (coalesce(user_id, ''), metric);
