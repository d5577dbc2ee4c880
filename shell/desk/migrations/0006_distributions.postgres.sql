-- What holders are paid and what happens in a fund's life. `distribution_holders` has a row for each line of a register as it
-- was read; after a correction the register is read again, under the `seq` of that reading. `life_events` tells of staking,
-- splits, changes of custodian, benchmark and assets, halts and the end in words; the log has the rest.

CREATE TABLE distributions (
    fund TEXT NOT NULL,
    distribution_id TEXT NOT NULL,
    source TEXT NOT NULL,
    asset TEXT NOT NULL,
    per_share NUMERIC NOT NULL,
    declared_date DATE NOT NULL,
    record_date DATE NOT NULL,
    pay_date DATE NOT NULL,
    stage TEXT NOT NULL,
    shares BIGINT NOT NULL,
    total NUMERIC,
    holders BIGINT NOT NULL,
    paid NUMERIC,
    unclaimed_holders BIGINT NOT NULL,
    memo TEXT NOT NULL,
    PRIMARY KEY (fund, distribution_id)
);

CREATE TABLE distribution_holders (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    holder TEXT NOT NULL,
    distribution_id TEXT NOT NULL,
    shares BIGINT NOT NULL,
    amount NUMERIC NOT NULL,
    reachable TEXT NOT NULL,
    PRIMARY KEY (fund, seq, holder)
);

CREATE TABLE distribution_claims (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    distribution_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    claimed_at TIMESTAMPTZ NOT NULL,
    amount NUMERIC NOT NULL,
    PRIMARY KEY (fund, seq)
);

CREATE TABLE life_events (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    event_date DATE NOT NULL,
    known_at TIMESTAMPTZ NOT NULL,
    kind TEXT NOT NULL,
    asset TEXT,
    quantity NUMERIC,
    value NUMERIC,
    description TEXT NOT NULL,
    PRIMARY KEY (fund, seq)
);
