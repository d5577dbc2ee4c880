-- Funds of derivatives: the position as it stands, what happened to it, and the funding rates that it paid or received. Money
-- that a fund pays is positive in funding, financing and cost; gain and income are what it receives. margin_moved is what went to
-- the margin account.

CREATE TABLE positions (
    fund TEXT NOT NULL,
    contracts INTEGER NOT NULL,
    coins TEXT NOT NULL,
    mark TEXT NOT NULL,
    notional TEXT NOT NULL,
    expiry TEXT,
    settled_date TEXT NOT NULL,
    last_reset TEXT,
    margin TEXT NOT NULL,
    margin_called TEXT,
    wiped_out TEXT,
    PRIMARY KEY (fund)
) STRICT;

CREATE TABLE position_events (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event TEXT NOT NULL,
    event_date TEXT NOT NULL,
    known_at TEXT NOT NULL,
    contracts_before INTEGER NOT NULL,
    contracts_after INTEGER NOT NULL,
    price TEXT,
    mark TEXT,
    net_assets TEXT,
    gain TEXT NOT NULL,
    funding TEXT NOT NULL,
    financing TEXT NOT NULL,
    income TEXT NOT NULL,
    cost TEXT NOT NULL,
    margin_moved TEXT NOT NULL,
    margin_called TEXT,
    expiry TEXT,
    reason TEXT,
    PRIMARY KEY (fund, seq)
) STRICT;

CREATE TABLE funding_rates (
    fund TEXT NOT NULL,
    due_at TEXT NOT NULL,
    rate TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (fund, due_at)
) STRICT;

CREATE VIEW positions_view AS
SELECT
    fund,
    contracts,
    CAST(coins AS REAL) AS coins,
    CAST(mark AS REAL) AS mark,
    CAST(notional AS REAL) AS notional,
    expiry,
    settled_date,
    last_reset,
    CAST(margin AS REAL) AS margin,
    CAST(margin_called AS REAL) AS margin_called,
    wiped_out
FROM positions;

CREATE VIEW position_events_view AS
SELECT
    fund,
    seq,
    event,
    event_date,
    known_at,
    contracts_before,
    contracts_after,
    CAST(price AS REAL) AS price,
    CAST(mark AS REAL) AS mark,
    CAST(net_assets AS REAL) AS net_assets,
    CAST(gain AS REAL) AS gain,
    CAST(funding AS REAL) AS funding,
    CAST(financing AS REAL) AS financing,
    CAST(income AS REAL) AS income,
    CAST(cost AS REAL) AS cost,
    CAST(margin_moved AS REAL) AS margin_moved,
    CAST(margin_called AS REAL) AS margin_called,
    expiry,
    reason
FROM position_events;

CREATE VIEW funding_rates_view AS
SELECT
    fund,
    due_at,
    CAST(rate AS REAL) AS rate,
    source
FROM funding_rates;
