-- Every name is looked up in the store's schema. Numbers of kinds and states are those of the program; instants that end in _ms are Unix
-- milliseconds. What has a checksum is read back by the program; everything else is there for people.

-- Who owns a partition. Each checkpoint counts itself here, so that it is known afterwards whether one was committed whose answer was lost.
CREATE TABLE owner (
    partition integer PRIMARY KEY,
    epoch bigint NOT NULL,
    owner text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    checkpoints bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- The same epoch once more, for leases: granting one locks this row, and so never waits behind a checkpoint.
CREATE TABLE lease_owner (
    partition integer PRIMARY KEY,
    epoch bigint NOT NULL,
    batches bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE checkpoint (
    partition integer PRIMARY KEY,
    committed_at timestamptz NOT NULL,
    clock_at timestamptz NOT NULL,
    next_invoices bigint NOT NULL,
    next_payments bigint NOT NULL,
    next_activity bigint NOT NULL,
    applied bigint NOT NULL,
    header bytea NOT NULL,
    names bytea,
    names_checksum bigint,
    outcomes bytea,
    outcomes_checksum bigint
) WITH (fillfactor = 70);

-- One row a debtor; partition and slot are the engine's, the image is its own form of the debtor. The readable columns are as of the debtor's
-- last change.
CREATE TABLE state (
    partition integer NOT NULL,
    slot integer NOT NULL,
    tenant text,
    debtor text,
    portfolio text,
    currency text,
    balance_minor bigint,
    overdue_minor bigint,
    oldest_dpd integer,
    stage smallint,
    score double precision,
    propensity double precision,
    value double precision,
    queue text,
    scored_at timestamptz,
    checksum bigint NOT NULL,
    image bytea NOT NULL,
    PRIMARY KEY (partition, slot)
) PARTITION BY HASH (partition);

-- Images are dense: compressing them costs more than it saves.
ALTER TABLE state ALTER COLUMN image SET STORAGE EXTERNAL;

-- Room in each page for the next version of its rows, so that an update touches no index; images of up to a page stay in it; and old versions are
-- cleared away before a tenth of a table is made of them.
DO $$
BEGIN
    FOR i IN 0..15 LOOP
        EXECUTE format('CREATE TABLE state_%s PARTITION OF state FOR VALUES WITH (MODULUS 16, REMAINDER %s) '
            'WITH (fillfactor = 70, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.1)', lpad(i::text, 2, '0'), i);
    END LOOP;
END
$$;

CREATE TABLE held (
    partition integer NOT NULL,
    sequence integer NOT NULL,
    stream smallint NOT NULL,
    log_offset bigint NOT NULL,
    known_ms bigint NOT NULL,
    history boolean NOT NULL,
    content bytea NOT NULL,
    checksum bigint NOT NULL,
    PRIMARY KEY (partition, sequence)
);

CREATE TABLE audit (
    partition integer NOT NULL,
    sequence bigint NOT NULL,
    at_ms bigint NOT NULL,
    kind smallint NOT NULL,
    tenant text NOT NULL,
    debtor text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (partition, sequence)
);

CREATE TABLE dead_letter (
    partition integer NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    at_ms bigint NOT NULL,
    stream smallint NOT NULL,
    log_offset bigint NOT NULL,
    reason text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (partition, sequence)
);

CREATE TABLE lease (
    partition integer NOT NULL,
    sequence bigint NOT NULL,
    tenant text NOT NULL,
    debtor text NOT NULL,
    queue text NOT NULL,
    channel smallint NOT NULL,
    caller text NOT NULL,
    request text NOT NULL,
    granted_ms bigint NOT NULL,
    value double precision NOT NULL,
    propensity double precision NOT NULL,
    model integer NOT NULL,
    invoices bigint NOT NULL,
    payments bigint NOT NULL,
    activity bigint NOT NULL,
    reasons bytea NOT NULL,
    checksum bigint NOT NULL,
    expires_ms bigint NOT NULL,
    state smallint NOT NULL,
    life_checksum bigint NOT NULL,
    PRIMARY KEY (partition, sequence)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

-- What leaves the engine: numbered within its partition by the checkpoint that decided it.
CREATE TABLE outbox (
    partition integer NOT NULL,
    sequence bigint NOT NULL,
    content bytea NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (partition, sequence)
);

CREATE TABLE configuration_version (
    number integer PRIMARY KEY,
    kind smallint NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    UNIQUE (kind, name, version)
);

CREATE TABLE configuration_document (
    number integer NOT NULL REFERENCES configuration_version,
    name text NOT NULL,
    content bytea NOT NULL,
    checksum bigint NOT NULL,
    PRIMARY KEY (number, name)
);

CREATE TABLE configuration_act (
    sequence bigint PRIMARY KEY,
    at_ms bigint NOT NULL,
    by text NOT NULL,
    kind smallint NOT NULL,
    act smallint NOT NULL,
    subject text NOT NULL,
    number integer NOT NULL,
    checksum bigint NOT NULL
);
