-- Funds of derivatives: the position as it stands, what happened to it, and the funding rates that it paid or received. Money
-- that a fund pays is positive in funding, financing and cost; gain and income are what it receives. margin_moved is what went to
-- the margin account.

CREATE TABLE positions (
    fund TEXT NOT NULL,
    contracts BIGINT NOT NULL,
    coins NUMERIC NOT NULL,
    mark NUMERIC NOT NULL,
    notional NUMERIC NOT NULL,
    expiry DATE,
    settled_date DATE NOT NULL,
    last_reset DATE,
    margin NUMERIC NOT NULL,
    margin_called NUMERIC,
    wiped_out DATE,
    PRIMARY KEY (fund)
);

CREATE TABLE position_events (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    event TEXT NOT NULL,
    event_date DATE NOT NULL,
    known_at TIMESTAMPTZ NOT NULL,
    contracts_before BIGINT NOT NULL,
    contracts_after BIGINT NOT NULL,
    price NUMERIC,
    mark NUMERIC,
    net_assets NUMERIC,
    gain NUMERIC NOT NULL,
    funding NUMERIC NOT NULL,
    financing NUMERIC NOT NULL,
    income NUMERIC NOT NULL,
    cost NUMERIC NOT NULL,
    margin_moved NUMERIC NOT NULL,
    margin_called NUMERIC,
    expiry DATE,
    reason TEXT,
    PRIMARY KEY (fund, seq)
);

CREATE TABLE funding_rates (
    fund TEXT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    rate NUMERIC NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (fund, due_at)
);

CREATE VIEW positions_view AS
SELECT
    fund,
    contracts,
    coins AS coins,
    mark AS mark,
    notional AS notional,
    expiry,
    settled_date,
    last_reset,
    margin AS margin,
    margin_called AS margin_called,
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
    price AS price,
    mark AS mark,
    net_assets AS net_assets,
    gain AS gain,
    funding AS funding,
    financing AS financing,
    income AS income,
    cost AS cost,
    margin_moved AS margin_moved,
    margin_called AS margin_called,
    expiry,
    reason
FROM position_events;

CREATE VIEW funding_rates_view AS
SELECT
    fund,
    due_at,
    rate AS rate,
    source
FROM funding_rates;
