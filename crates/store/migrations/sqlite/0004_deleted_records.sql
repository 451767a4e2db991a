-- When a record was deleted so that it can be restored; all versions of a record have the same value.
ALTER TABLE records ADD COLUMN deleted_at INTEGER;

-- Changes of the data that need more than SQL, each done once.
CREATE TABLE upgrades (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
