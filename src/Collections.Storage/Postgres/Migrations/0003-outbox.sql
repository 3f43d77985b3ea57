-- The outbox has kinds, each with a topic and a count of its own. The counts are the owner's rows', which outlive a partition that is folded anew:
-- no number is ever given twice. Rows come and go, so what is gone is cleared away early.
ALTER TABLE outbox ADD COLUMN kind smallint NOT NULL;
ALTER TABLE outbox ADD COLUMN checksum bigint NOT NULL;
ALTER TABLE outbox DROP CONSTRAINT outbox_pkey;
ALTER TABLE outbox ADD PRIMARY KEY (partition, kind, sequence);
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
ALTER TABLE owner ADD COLUMN decisions bigint NOT NULL DEFAULT 0;
ALTER TABLE owner ADD COLUMN dead_letters bigint NOT NULL DEFAULT 0;
