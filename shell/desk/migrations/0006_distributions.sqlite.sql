-- What holders are paid and what happens in a fund's life. `distribution_holders` has a row for each line of a register as it
-- was read; after a correction the register is read again, under the `seq` of that reading. `life_events` tells of staking,
-- splits, changes of custodian, benchmark and assets, halts and the end in words; the log has the rest.

CREATE TABLE distributions (
    fund TEXT NOT NULL,
    distribution_id TEXT NOT NULL,
    source TEXT NOT NULL,
    asset TEXT NOT NULL,
    per_share TEXT NOT NULL,
    declared_date TEXT NOT NULL,
    record_date TEXT NOT NULL,
    pay_date TEXT NOT NULL,
    stage TEXT NOT NULL,
    shares INTEGER NOT NULL,
    total TEXT,
    holders INTEGER NOT NULL,
    paid TEXT,
    unclaimed_holders INTEGER NOT NULL,
    memo TEXT NOT NULL,
    PRIMARY KEY (fund, distribution_id)
) STRICT;

CREATE TABLE distribution_holders (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    holder TEXT NOT NULL,
    distribution_id TEXT NOT NULL,
    shares INTEGER NOT NULL,
    amount TEXT NOT NULL,
    reachable TEXT NOT NULL,
    PRIMARY KEY (fund, seq, holder)
) STRICT;

CREATE TABLE distribution_claims (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    distribution_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    claimed_at TEXT NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (fund, seq)
) STRICT;

CREATE TABLE life_events (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event_date TEXT NOT NULL,
    known_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    asset TEXT,
    quantity TEXT,
    value TEXT,
    description TEXT NOT NULL,
    PRIMARY KEY (fund, seq)
) STRICT;
