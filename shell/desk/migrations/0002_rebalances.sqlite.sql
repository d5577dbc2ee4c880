-- Rebalances of baskets: one row for each asset that was traded. `value` is what it fetched or cost in whole cents,
-- `lot_cost` what it added to its lots or relieved from them; `trading_cost` is that of the whole rebalance.

CREATE TABLE rebalances (
    fund TEXT NOT NULL,
    seq INTEGER NOT NULL,
    asset TEXT NOT NULL,
    rebalance_date TEXT NOT NULL,
    rebalanced_at TEXT NOT NULL,
    side TEXT NOT NULL,
    target_weight TEXT NOT NULL,
    coins TEXT NOT NULL,
    price TEXT NOT NULL,
    value TEXT NOT NULL,
    lot_cost TEXT NOT NULL,
    trading_cost TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (fund, seq, asset)
) STRICT;

CREATE VIEW rebalances_view AS
SELECT
    fund,
    seq,
    asset,
    rebalance_date,
    rebalanced_at,
    side,
    CAST(target_weight AS REAL) AS target_weight,
    CAST(coins AS REAL) AS coins,
    CAST(price AS REAL) AS price,
    CAST(value AS REAL) AS value,
    CAST(lot_cost AS REAL) AS lot_cost,
    CAST(trading_cost AS REAL) AS trading_cost,
    reason
FROM rebalances;
