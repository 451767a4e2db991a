-- When a record was deleted so that it can be restored; all versions of a record have the same value.
ALTER TABLE records ADD COLUMN deleted_at INTEGER;
