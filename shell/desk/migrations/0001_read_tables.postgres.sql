-- Read tables for people. Written in the transaction of the event they follow from; the log is the truth.
-- Decimals are exact: NUMERIC.

-- One row per fund.
CREATE TABLE funds (
    fund TEXT NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    opened_at TIMESTAMPTZ NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (fund)
);

-- Reference rates at the fund's strike, with corrections since.
CREATE TABLE prices (
    fund TEXT NOT NULL,
    asset TEXT NOT NULL,
    price_date DATE NOT NULL,
    price NUMERIC NOT NULL,
    source TEXT NOT NULL,
    flag TEXT,
    known_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (fund, asset, price_date)
);

-- Every NAV as published; never changed (see nav_corrections).
CREATE TABLE nav (
    fund TEXT NOT NULL,
    nav_date DATE NOT NULL,
    struck_at TIMESTAMPTZ NOT NULL,
    shares BIGINT NOT NULL,
    holdings NUMERIC NOT NULL,
    cash NUMERIC NOT NULL,
    fee_basis NUMERIC NOT NULL,
    fee NUMERIC NOT NULL,
    accrued_fee NUMERIC NOT NULL,
    accrued_expenses NUMERIC NOT NULL,
    net_assets NUMERIC NOT NULL,
    nav_per_share NUMERIC NOT NULL,
    nav_per_share_published NUMERIC NOT NULL,
    accepted_reason TEXT,
    PRIMARY KEY (fund, nav_date)
);

-- What each NAV held, per asset.
CREATE TABLE nav_assets (
    fund TEXT NOT NULL,
    nav_date DATE NOT NULL,
    asset TEXT NOT NULL,
    price NUMERIC NOT NULL,
    owned NUMERIC NOT NULL,
    accrued_fee NUMERIC NOT NULL,
    pending_creations NUMERIC NOT NULL,
    pending_redemptions NUMERIC NOT NULL,
    basket_amount_per_share NUMERIC NOT NULL,
    PRIMARY KEY (fund, nav_date, asset)
);

-- What a correction changes in a published NAV.
CREATE TABLE nav_corrections (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    nav_date DATE NOT NULL,
    learned_at TIMESTAMPTZ NOT NULL,
    published_nav_per_share NUMERIC NOT NULL,
    corrected_nav_per_share NUMERIC NOT NULL,
    difference_per_share NUMERIC NOT NULL,
    published_net_assets NUMERIC NOT NULL,
    corrected_net_assets NUMERIC NOT NULL,
    PRIMARY KEY (fund, seq, nav_date)
);

-- What was learned late: when it was true, when it was learned, and why.
CREATE TABLE corrections (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    learned_at TIMESTAMPTZ NOT NULL,
    effective_date DATE NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    old_value NUMERIC,
    new_value NUMERIC,
    reason TEXT NOT NULL,
    fee_adjustment NUMERIC NOT NULL,
    PRIMARY KEY (fund, seq)
);

-- Every order and how far it has come.
CREATE TABLE orders (
    fund TEXT NOT NULL,
    order_id TEXT NOT NULL,
    participant TEXT NOT NULL,
    side TEXT NOT NULL,
    method TEXT NOT NULL,
    shares BIGINT NOT NULL,
    trade_date DATE NOT NULL,
    settlement_date DATE NOT NULL,
    submitted_at TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL,
    nav_value NUMERIC,
    variance NUMERIC,
    cash_due NUMERIC,
    closed_at TIMESTAMPTZ,
    PRIMARY KEY (fund, order_id)
);

-- Coins of each struck order.
CREATE TABLE order_assets (
    fund TEXT NOT NULL,
    order_id TEXT NOT NULL,
    asset TEXT NOT NULL,
    coins NUMERIC NOT NULL,
    execution_price NUMERIC,
    execution_value NUMERIC,
    PRIMARY KEY (fund, order_id, asset)
);

-- The balance of every account; debits are positive.
CREATE TABLE balances (
    fund TEXT NOT NULL,
    account TEXT NOT NULL,
    asset TEXT NOT NULL,
    balance NUMERIC NOT NULL,
    PRIMARY KEY (fund, account, asset)
);

-- The double entries of every event; the amounts of each event sum to zero per asset.
CREATE TABLE ledger_entries (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    line BIGINT NOT NULL,
    entry_date DATE NOT NULL,
    event TEXT NOT NULL,
    account TEXT NOT NULL,
    asset TEXT NOT NULL,
    amount NUMERIC NOT NULL,
    PRIMARY KEY (fund, seq, line)
);

-- Fee accrued in coins, per calendar day, as it was accrued; what a late order changes of it is in ledger_entries.
CREATE TABLE fee_accruals (
    fund TEXT NOT NULL,
    fee_date DATE NOT NULL,
    asset TEXT NOT NULL,
    coins NUMERIC NOT NULL,
    PRIMARY KEY (fund, fee_date, asset)
);

-- What was paid, and the coins that went for it.
CREATE TABLE payments (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    asset TEXT NOT NULL,
    paid_at TIMESTAMPTZ NOT NULL,
    liability TEXT NOT NULL,
    through DATE,
    coins NUMERIC NOT NULL,
    price NUMERIC NOT NULL,
    value NUMERIC NOT NULL,
    cost NUMERIC NOT NULL,
    paid NUMERIC NOT NULL,
    PRIMARY KEY (fund, seq, asset)
);

-- Coins moved between the fund's own balances.
CREATE TABLE custody_transfers (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    moved_at TIMESTAMPTZ NOT NULL,
    asset TEXT NOT NULL,
    from_account TEXT NOT NULL,
    to_account TEXT NOT NULL,
    coins NUMERIC NOT NULL,
    PRIMARY KEY (fund, seq)
);

-- The same views as on SQLite; here they are exact.
CREATE VIEW nav_view AS
SELECT
    fund,
    nav_date,
    struck_at,
    shares,
    holdings AS holdings,
    cash AS cash,
    fee_basis AS fee_basis,
    fee AS fee,
    accrued_fee AS accrued_fee,
    accrued_expenses AS accrued_expenses,
    net_assets AS net_assets,
    nav_per_share AS nav_per_share,
    nav_per_share_published AS nav_per_share_published,
    accepted_reason
FROM nav;

CREATE VIEW orders_view AS
SELECT
    fund,
    order_id,
    participant,
    side,
    method,
    shares,
    trade_date,
    settlement_date,
    submitted_at,
    status,
    nav_value AS nav_value,
    variance AS variance,
    cash_due AS cash_due,
    closed_at
FROM orders;

CREATE VIEW ledger_entries_view AS
SELECT
    fund,
    seq,
    line,
    entry_date,
    event,
    account,
    asset,
    amount AS amount
FROM ledger_entries;

CREATE VIEW payments_view AS
SELECT
    fund,
    seq,
    asset,
    paid_at,
    liability,
    through,
    coins AS coins,
    price AS price,
    value AS value,
    cost AS cost,
    paid AS paid
FROM payments;

CREATE VIEW holdings AS
SELECT
    fund,
    asset,
    account,
    balance
FROM balances WHERE account IN ('vault', 'trading');
