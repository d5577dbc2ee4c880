-- Rebalances of baskets: one row for each asset that was traded. `value` is what it fetched or cost in whole cents,
-- `lot_cost` what it added to its lots or relieved from them; `trading_cost` is that of the whole rebalance.

CREATE TABLE rebalances (
    fund TEXT NOT NULL,
    seq BIGINT NOT NULL,
    asset TEXT NOT NULL,
    rebalance_date DATE NOT NULL,
    rebalanced_at TIMESTAMPTZ NOT NULL,
    side TEXT NOT NULL,
    target_weight NUMERIC NOT NULL,
    coins NUMERIC NOT NULL,
    price NUMERIC NOT NULL,
    value NUMERIC NOT NULL,
    lot_cost NUMERIC NOT NULL,
    trading_cost NUMERIC NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (fund, seq, asset)
);

CREATE VIEW rebalances_view AS
SELECT
    fund,
    seq,
    asset,
    rebalance_date,
    rebalanced_at,
    side,
    target_weight AS target_weight,
    coins AS coins,
    price AS price,
    value AS value,
    lot_cost AS lot_cost,
    trading_cost AS trading_cost,
    reason
FROM rebalances;
