//! The read tables, as the migrations create them. Each constant names its columns in the order in which
//! `projection` fills them.

use strongroom_store::{Column, ColumnType, Table};

const fn text(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Text }
}

const fn integer(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Integer }
}

const fn decimal(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Decimal }
}

const fn date(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Date }
}

const fn instant(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Instant }
}

pub(crate) static FUNDS: Table = Table {
    name: "funds",
    key: 1,
    columns: &[
        text("fund"),
        text("name"),
        text("currency"),
        text("status"),
        text("status_reason"),
        instant("opened_at"),
        text("definition"),
    ],
};

pub(crate) static PRICES: Table = Table {
    name: "prices",
    key: 3,
    columns: &[
        text("fund"),
        text("asset"),
        date("price_date"),
        decimal("price"),
        text("source"),
        text("flag"),
        instant("known_at"),
    ],
};

pub(crate) static NAV: Table = Table {
    name: "nav",
    key: 2,
    columns: &[
        text("fund"),
        date("nav_date"),
        instant("struck_at"),
        integer("shares"),
        decimal("holdings"),
        decimal("cash"),
        decimal("fee_basis"),
        decimal("fee"),
        decimal("accrued_fee"),
        decimal("accrued_expenses"),
        decimal("net_assets"),
        decimal("nav_per_share"),
        decimal("nav_per_share_published"),
        text("accepted_reason"),
    ],
};

pub(crate) static NAV_ASSETS: Table = Table {
    name: "nav_assets",
    key: 3,
    columns: &[
        text("fund"),
        date("nav_date"),
        text("asset"),
        decimal("price"),
        decimal("owned"),
        decimal("accrued_fee"),
        decimal("pending_creations"),
        decimal("pending_redemptions"),
        decimal("basket_amount_per_share"),
    ],
};

pub(crate) static NAV_CORRECTIONS: Table = Table {
    name: "nav_corrections",
    key: 3,
    columns: &[
        text("fund"),
        integer("seq"),
        date("nav_date"),
        instant("learned_at"),
        decimal("published_nav_per_share"),
        decimal("corrected_nav_per_share"),
        decimal("difference_per_share"),
        decimal("published_net_assets"),
        decimal("corrected_net_assets"),
    ],
};

pub(crate) static CORRECTIONS: Table = Table {
    name: "corrections",
    key: 2,
    columns: &[
        text("fund"),
        integer("seq"),
        instant("learned_at"),
        date("effective_date"),
        text("kind"),
        text("subject"),
        decimal("old_value"),
        decimal("new_value"),
        text("reason"),
        decimal("fee_adjustment"),
    ],
};

pub(crate) static ORDERS: Table = Table {
    name: "orders",
    key: 2,
    columns: &[
        text("fund"),
        text("order_id"),
        text("participant"),
        text("side"),
        text("method"),
        integer("shares"),
        date("trade_date"),
        date("settlement_date"),
        instant("submitted_at"),
        text("status"),
        decimal("nav_value"),
        decimal("variance"),
        decimal("cash_due"),
        instant("closed_at"),
    ],
};

pub(crate) static ORDER_ASSETS: Table = Table {
    name: "order_assets",
    key: 3,
    columns: &[
        text("fund"),
        text("order_id"),
        text("asset"),
        decimal("coins"),
        decimal("execution_price"),
        decimal("execution_value"),
    ],
};

pub(crate) static BALANCES: Table = Table {
    name: "balances",
    key: 3,
    columns: &[text("fund"), text("account"), text("asset"), decimal("balance")],
};

pub(crate) static LEDGER_ENTRIES: Table = Table {
    name: "ledger_entries",
    key: 3,
    columns: &[
        text("fund"),
        integer("seq"),
        integer("line"),
        date("entry_date"),
        text("event"),
        text("account"),
        text("asset"),
        decimal("amount"),
    ],
};

pub(crate) static FEE_ACCRUALS: Table = Table {
    name: "fee_accruals",
    key: 3,
    columns: &[text("fund"), date("fee_date"), text("asset"), decimal("coins")],
};

pub(crate) static PAYMENTS: Table = Table {
    name: "payments",
    key: 3,
    columns: &[
        text("fund"),
        integer("seq"),
        text("asset"),
        instant("paid_at"),
        text("liability"),
        date("through"),
        decimal("coins"),
        decimal("price"),
        decimal("value"),
        decimal("cost"),
        decimal("paid"),
    ],
};

pub(crate) static REBALANCES: Table = Table {
    name: "rebalances",
    key: 3,
    columns: &[
        text("fund"),
        integer("seq"),
        text("asset"),
        date("rebalance_date"),
        instant("rebalanced_at"),
        text("side"),
        decimal("target_weight"),
        decimal("coins"),
        decimal("price"),
        decimal("value"),
        decimal("lot_cost"),
        decimal("trading_cost"),
        text("reason"),
    ],
};

pub(crate) static POSITIONS: Table = Table {
    name: "positions",
    key: 1,
    columns: &[
        text("fund"),
        integer("contracts"),
        decimal("coins"),
        decimal("mark"),
        decimal("notional"),
        date("expiry"),
        date("settled_date"),
        date("last_reset"),
        decimal("margin"),
        decimal("margin_called"),
        date("wiped_out"),
    ],
};

pub(crate) static POSITION_EVENTS: Table = Table {
    name: "position_events",
    key: 2,
    columns: &[
        text("fund"),
        integer("seq"),
        text("event"),
        date("event_date"),
        instant("known_at"),
        integer("contracts_before"),
        integer("contracts_after"),
        decimal("price"),
        decimal("mark"),
        decimal("net_assets"),
        decimal("gain"),
        decimal("funding"),
        decimal("financing"),
        decimal("income"),
        decimal("cost"),
        decimal("margin_moved"),
        decimal("margin_called"),
        date("expiry"),
        text("reason"),
    ],
};

pub(crate) static FUNDING_RATES: Table = Table {
    name: "funding_rates",
    key: 2,
    columns: &[text("fund"), instant("due_at"), decimal("rate"), text("source")],
};

pub(crate) static CUSTODY_TRANSFERS: Table = Table {
    name: "custody_transfers",
    key: 2,
    columns: &[
        text("fund"),
        integer("seq"),
        instant("moved_at"),
        text("asset"),
        text("from_account"),
        text("to_account"),
        decimal("coins"),
    ],
};

pub(crate) static PRINCIPALS: Table = Table {
    name: "principals",
    key: 1,
    columns: &[text("principal"), text("role"), text("enabled"), text("denied_scopes"), text("participant")],
};

pub(crate) static CREDENTIALS: Table = Table {
    name: "credentials",
    key: 2,
    columns: &[
        text("lineage"),
        integer("version"),
        text("principal"),
        text("environment"),
        text("scopes"),
        text("networks"),
        text("owner"),
        text("algorithm"),
        text("state"),
        instant("created_at"),
        instant("not_before"),
        instant("expires_at"),
        text("restriction"),
    ],
};

pub(crate) static REQUEST_NONCES: Table = Table {
    name: "request_nonces",
    key: 2,
    columns: &[
        text("lineage"),
        text("nonce"),
        integer("version"),
        instant("signed_at"),
        instant("kept_until"),
    ],
};

pub(crate) static REQUEST_SOURCES: Table = Table {
    name: "request_sources",
    key: 2,
    columns: &[text("stream"), integer("seq"), text("peer"), text("user_agent"), text("salt")],
};

pub(crate) static REQUEST_ANSWERS: Table = Table {
    name: "request_answers",
    key: 2,
    columns: &[
        text("stream"),
        integer("seq"),
        integer("status"),
        text("server_key"),
        text("signature_base"),
        text("signature"),
        text("content"),
    ],
};

pub(crate) static DISTRIBUTIONS: Table = Table {
    name: "distributions",
    key: 2,
    columns: &[
        text("fund"),
        text("distribution_id"),
        text("source"),
        text("asset"),
        decimal("per_share"),
        date("declared_date"),
        date("record_date"),
        date("pay_date"),
        text("stage"),
        integer("shares"),
        decimal("total"),
        integer("holders"),
        decimal("paid"),
        integer("unclaimed_holders"),
        text("memo"),
    ],
};

pub(crate) static DISTRIBUTION_HOLDERS: Table = Table {
    name: "distribution_holders",
    key: 3,
    columns: &[
        text("fund"),
        integer("seq"),
        text("holder"),
        text("distribution_id"),
        integer("shares"),
        decimal("amount"),
        text("reachable"),
    ],
};

pub(crate) static DISTRIBUTION_CLAIMS: Table = Table {
    name: "distribution_claims",
    key: 2,
    columns: &[
        text("fund"),
        integer("seq"),
        text("distribution_id"),
        text("holder"),
        instant("claimed_at"),
        decimal("amount"),
    ],
};

pub(crate) static LIFE_EVENTS: Table = Table {
    name: "life_events",
    key: 2,
    columns: &[
        text("fund"),
        integer("seq"),
        date("event_date"),
        instant("known_at"),
        text("kind"),
        text("asset"),
        decimal("quantity"),
        decimal("value"),
        text("description"),
    ],
};

pub(crate) static KEY_USAGE: Table = Table {
    name: "key_usage",
    key: 4,
    columns: &[
        text("lineage"),
        integer("version"),
        instant("hour"),
        text("server"),
        integer("accepted"),
        integer("refused"),
        text("codes"),
        text("sources"),
        text("agents"),
    ],
};

pub(crate) static KEY_LAST_USED: Table = Table {
    name: "key_last_used",
    key: 3,
    columns: &[text("lineage"), integer("version"), text("server"), instant("last_used")],
};

/// Every read table.
pub(crate) static ALL: &[&Table] = &[
    &FUNDS,
    &PRICES,
    &NAV,
    &NAV_ASSETS,
    &NAV_CORRECTIONS,
    &CORRECTIONS,
    &ORDERS,
    &ORDER_ASSETS,
    &BALANCES,
    &LEDGER_ENTRIES,
    &FEE_ACCRUALS,
    &PAYMENTS,
    &CUSTODY_TRANSFERS,
    &REBALANCES,
    &POSITIONS,
    &POSITION_EVENTS,
    &FUNDING_RATES,
    &DISTRIBUTIONS,
    &DISTRIBUTION_HOLDERS,
    &DISTRIBUTION_CLAIMS,
    &LIFE_EVENTS,
    &PRINCIPALS,
    &CREDENTIALS,
    &REQUEST_NONCES,
    &REQUEST_SOURCES,
    &REQUEST_ANSWERS,
    &KEY_USAGE,
    &KEY_LAST_USED,
];
