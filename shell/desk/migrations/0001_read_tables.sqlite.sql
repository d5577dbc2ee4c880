-- Read tables for people. Written in the transaction of the event they follow from; the log is the truth.
-- Decimals are exact: canonical TEXT here.

-- One row per fund.
CREATE TABLE funds (
    fund TEXT NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    opened_at TEXT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (fund)
) STRICT;

-- Reference rates at the fund's strike, with corrections since.
CREATE TABLE prices (
    fund TEXT NOT NULL,
    asset TEXT NOT NULL,
    price_date TEXT NOT NULL,
    price TEXT NOT NULL,
    source TEXT NOT NULL,
    flag TEXT,
    known_at TEXT NOT NULL,
    PRIMARY KEY (fund, asset, price_date)
) STRICT;

-- Every NAV as published; never changed (see nav_corrections).
CREATE TABLE nav (
    fund TEXT NOT NULL,
    nav_date TEXT NOT NULL,
    struck_at TEXT NOT NULL,
    shares INTEGER NOT NULL,
    holdings TEXT NOT NULL,
    cash TEXT NOT NULL,
    fee_basis TEXT NOT NULL,
    fee TEXT NOT NULL,
    accrued_fee TEXT NOT NULL,
    accrued_expenses TEXT NOT NULL,
    net_assets TEXT NOT NULL,
    nav_per_share TEXT NOT NULL,
    nav_per_share_published TEXT NOT NULL,
    accepted_reason TEXT,
    PRIMARY KEY (fund, nav_date)
) STRICT;

-- What each NAV held, per asset.
CREATE TABLE nav_assets (
    fund TEXT NOT NULL,
    nav_date TEXT NOT NULL,
    asset TEXT NOT NULL,
    price TEXT NOT NULL,
    owned TEXT NOT NULL,
    accrued_fee TEXT NOT NULL,
    pending_creations TEXT NOT NULL,
    pending_redemptions TEXT NOT NULL,
    basket_amount_per_share TEXT NOT NULL,
    PRIMARY KEY (fund, nav_date, asset)
) STRICT;

-- What a correction changes in a published NAV.
CREATE TABLE nav_corrections (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    nav_date TEXT NOT NULL,
    learned_at TEXT NOT NULL,
    published_nav_per_share TEXT NOT NULL,
    corrected_nav_per_share TEXT NOT NULL,
    difference_per_share TEXT NOT NULL,
    published_net_assets TEXT NOT NULL,
    corrected_net_assets TEXT NOT NULL,
    PRIMARY KEY (fund, seq, nav_date)
) STRICT;

-- What was learned late: when it was true, when it was learned, and why.
CREATE TABLE corrections (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    learned_at TEXT NOT NULL,
    effective_date TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    reason TEXT NOT NULL,
    fee_adjustment TEXT NOT NULL,
    PRIMARY KEY (fund, seq)
) STRICT;

-- Every order and how far it has come.
CREATE TABLE orders (
    fund TEXT NOT NULL,
    order_id TEXT NOT NULL,
    participant TEXT NOT NULL,
    side TEXT NOT NULL,
    method TEXT NOT NULL,
    shares INTEGER NOT NULL,
    trade_date TEXT NOT NULL,
    settlement_date TEXT NOT NULL,
    submitted_at TEXT NOT NULL,
    status TEXT NOT NULL,
    nav_value TEXT,
    variance TEXT,
    cash_due TEXT,
    closed_at TEXT,
    PRIMARY KEY (fund, order_id)
) STRICT;

-- Coins of each struck order.
CREATE TABLE order_assets (
    fund TEXT NOT NULL,
    order_id TEXT NOT NULL,
    asset TEXT NOT NULL,
    coins TEXT NOT NULL,
    execution_price TEXT,
    execution_value TEXT,
    PRIMARY KEY (fund, order_id, asset)
) STRICT;

-- The balance of every account; debits are positive.
CREATE TABLE balances (
    fund TEXT NOT NULL,
    account TEXT NOT NULL,
    asset TEXT NOT NULL,
    balance TEXT NOT NULL,
    PRIMARY KEY (fund, account, asset)
) STRICT;

-- The double entries of every event; the amounts of each event sum to zero per asset.
CREATE TABLE ledger_entries (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    line INTEGER NOT NULL,
    entry_date TEXT NOT NULL,
    event TEXT NOT NULL,
    account TEXT NOT NULL,
    asset TEXT NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (fund, seq, line)
) STRICT;

-- Fee accrued in coins, per calendar day, as it was accrued; what a late order changes of it is in ledger_entries.
CREATE TABLE fee_accruals (
    fund TEXT NOT NULL,
    fee_date TEXT NOT NULL,
    asset TEXT NOT NULL,
    coins TEXT NOT NULL,
    PRIMARY KEY (fund, fee_date, asset)
) STRICT;

-- What was paid, and the coins that went for it.
CREATE TABLE payments (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    asset TEXT NOT NULL,
    paid_at TEXT NOT NULL,
    liability TEXT NOT NULL,
    through TEXT,
    coins TEXT NOT NULL,
    price TEXT NOT NULL,
    value TEXT NOT NULL,
    cost TEXT NOT NULL,
    paid TEXT NOT NULL,
    PRIMARY KEY (fund, seq, asset)
) STRICT;

-- Coins moved between the fund's own balances.
CREATE TABLE custody_transfers (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    moved_at TEXT NOT NULL,
    asset TEXT NOT NULL,
    from_account TEXT NOT NULL,
    to_account TEXT NOT NULL,
    coins TEXT NOT NULL,
    PRIMARY KEY (fund, seq)
) STRICT;

-- Comfortable to read and to sum in a spreadsheet: floating point, not exact.
CREATE VIEW nav_view AS
SELECT
    fund,
    nav_date,
    struck_at,
    shares,
    CAST(holdings AS REAL) AS holdings,
    CAST(cash AS REAL) AS cash,
    CAST(fee_basis AS REAL) AS fee_basis,
    CAST(fee AS REAL) AS fee,
    CAST(accrued_fee AS REAL) AS accrued_fee,
    CAST(accrued_expenses AS REAL) AS accrued_expenses,
    CAST(net_assets AS REAL) AS net_assets,
    CAST(nav_per_share AS REAL) AS nav_per_share,
    CAST(nav_per_share_published AS REAL) AS nav_per_share_published,
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
    CAST(nav_value AS REAL) AS nav_value,
    CAST(variance AS REAL) AS variance,
    CAST(cash_due AS REAL) AS cash_due,
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
    CAST(amount AS REAL) AS amount
FROM ledger_entries;

CREATE VIEW payments_view AS
SELECT
    fund,
    seq,
    asset,
    paid_at,
    liability,
    through,
    CAST(coins AS REAL) AS coins,
    CAST(price AS REAL) AS price,
    CAST(value AS REAL) AS value,
    CAST(cost AS REAL) AS cost,
    CAST(paid AS REAL) AS paid
FROM payments;

CREATE VIEW holdings AS
SELECT
    fund,
    asset,
    account,
    balance
FROM balances WHERE account IN ('vault', 'trading');
