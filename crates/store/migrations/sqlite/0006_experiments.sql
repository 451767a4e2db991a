-- Experiments of people on themselves. The days stand beside the body so that an overlap is found without
-- reading it; the revision tells two writers apart.
CREATE TABLE experiments (
    user_id       TEXT    NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    experiment_id TEXT    NOT NULL,
    first_day     TEXT    NOT NULL,
    last_day      TEXT    NOT NULL,
    revision      INTEGER NOT NULL,
    body_version  INTEGER NOT NULL,
    body          TEXT    NOT NULL,
    PRIMARY KEY (user_id, experiment_id)
) STRICT, WITHOUT ROWID;
