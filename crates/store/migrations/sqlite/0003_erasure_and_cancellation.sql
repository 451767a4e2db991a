-- People whose rows are gone while files of theirs may still be there; empty but for moments.
CREATE TABLE pending_erasures (
    user_id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Running jobs that were called off, for the process that takes them up after a kill.
ALTER TABLE jobs ADD COLUMN called_off INTEGER NOT NULL DEFAULT 0;
