//! What goes over the wire: types of the API, apart from those of the engine, so that neither binds the other.
//! Money, prices, shares and coins are JSON strings or whole numbers, never floats.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_engine::{FundState, FundStatus, NavRecord, Order, OrderState, Refusal};
use utoipa::ToSchema;

/// A fund in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct FundView {
    /// Its id.
    pub fund: String,
    /// Its name.
    pub name: String,
    /// `running` or `halted`.
    pub status: String,
    /// Why it is halted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Shares outstanding on a trade-date basis.
    pub shares_outstanding: i64,
    /// The session of the last NAV.
    pub last_nav: Option<String>,
    /// The last NAV per share as published, in the fund's currency.
    pub nav_per_share: Option<String>,
    /// The last event of its log.
    pub last_event: String,
}

impl FundView {
    /// A fund as it is now.
    pub fn of(state: &FundState) -> Result<Self, Refusal> {
        let nav = state.last_nav();
        let (status, status_reason) = match state.status() {
            FundStatus::Running => ("running", None),
            FundStatus::Halted { reason, .. } => ("halted", Some(reason.clone())),
        };
        Ok(Self {
            fund: state.definition().id.to_string(),
            name: state.definition().name.clone(),
            status: status.to_owned(),
            status_reason,
            shares_outstanding: state.outstanding()?.count(),
            last_nav: nav.map(|nav| nav.date.to_string()),
            nav_per_share: nav.map(|nav| nav.published.nav_per_share_published.to_string()),
            last_event: state.last_at().to_string(),
        })
    }
}

/// A published NAV.
#[derive(Debug, Serialize, ToSchema)]
pub struct NavView {
    /// The session.
    pub date: String,
    /// When it was struck.
    pub struck_at: String,
    /// As published on the day, half up at two decimals.
    pub nav_per_share: String,
    /// With corrections since; equal to the above while there are none.
    pub nav_per_share_now: String,
    /// Net assets as published.
    pub net_assets: String,
    /// Shares outstanding.
    pub shares: i64,
    /// Reference rate of each asset.
    pub prices: BTreeMap<String, String>,
    /// Coins of one share of each asset, rounded down.
    pub basket_amount: BTreeMap<String, String>,
}

impl NavView {
    /// A NAV as it was published.
    pub fn of(nav: &NavRecord) -> Self {
        let prices = nav.inputs.assets.iter();
        let amounts = nav.published.basket_amount.iter();
        Self {
            date: nav.date.to_string(),
            struck_at: nav.struck_at.to_string(),
            nav_per_share: nav.published.nav_per_share_published.to_string(),
            nav_per_share_now: nav.current.nav_per_share_published.to_string(),
            net_assets: nav.published.valuation.net_assets.to_string(),
            shares: nav.inputs.shares.count(),
            prices: prices.map(|(asset, input)| (asset.to_string(), input.price.to_string())).collect(),
            basket_amount: amounts.map(|(asset, amount)| (asset.to_string(), amount.to_string())).collect(),
        }
    }
}

/// Which way an order goes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// New shares against money or coins.
    Creation,
    /// Shares back against money or coins.
    Redemption,
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Money.
    #[default]
    Cash,
    /// Coins.
    InKind,
}

/// A creation or redemption to be taken.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// The participant's own name for it, 1 to 64 printable characters; a repeat changes nothing.
    pub id: String,
    /// Creation or redemption.
    pub side: Side,
    /// Cash when absent.
    #[serde(default)]
    pub method: Method,
    /// Shares, a whole number of creation units; or `baskets`.
    #[serde(default)]
    pub shares: Option<i64>,
    /// Creation units; or `shares`.
    #[serde(default)]
    pub baskets: Option<i64>,
    /// The session at whose strike it deals, YYYY-MM-DD; the first whose cut-off has not passed when absent.
    #[serde(default)]
    pub trade_date: Option<String>,
    /// For whom, when an operator enters it; a participant's own orders are its own.
    #[serde(default)]
    pub participant: Option<String>,
}

/// An open order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderView {
    /// The participant's name for it.
    pub id: String,
    /// The authorised participant.
    pub participant: String,
    /// `creation` or `redemption`.
    pub side: String,
    /// `cash` or `in-kind`.
    pub method: String,
    /// Shares.
    pub shares: i64,
    /// The session at whose strike it deals.
    pub trade_date: String,
    /// The session on which it settles.
    pub settlement_date: String,
    /// When it was taken.
    pub submitted_at: String,
    /// `accepted`, `struck` or `executed`.
    pub state: String,
    /// Its value at NAV, once struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nav_value: Option<String>,
    /// Coins due of each asset, once struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coins: Option<BTreeMap<String, String>>,
    /// What the participant bears beyond NAV, once executed; negative is a credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance: Option<String>,
    /// Money due at settlement, once executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cash_due: Option<String>,
}

impl OrderView {
    /// An order as it is now.
    pub fn of(order: &Order) -> Self {
        let (state, nav_value, variance, cash_due) = match &order.state {
            OrderState::Accepted => ("accepted", None, None, None),
            OrderState::Struck { nav_value, .. } => ("struck", Some(nav_value.to_string()), None, None),
            OrderState::Executed { nav_value, variance, cash_due, .. } => (
                "executed",
                Some(nav_value.to_string()),
                Some(variance.to_string()),
                Some(cash_due.to_string()),
            ),
        };
        let coins = order.coins();
        Self {
            id: order.id.to_string(),
            participant: order.participant.clone(),
            side: order.side.as_str().to_owned(),
            method: order.method.to_string(),
            shares: order.shares.count(),
            trade_date: order.trade_date.to_string(),
            settlement_date: order.settlement_date.to_string(),
            submitted_at: order.submitted_at.to_string(),
            state: state.to_owned(),
            nav_value,
            coins: coins.map(|coins| coins.iter().map(|(a, q)| (a.to_string(), q.to_string())).collect()),
            variance,
            cash_due,
        }
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Give it as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Every row in another form.
    pub fn map<U>(self, form: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(form).collect(), next: self.next }
    }
}

/// What came of a command.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// `done`, or `already done` when nothing changed.
    pub outcome: String,
    /// The last record of the fund's log after it.
    pub seq: u64,
    /// What happened, as in the log.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<strongroom_engine::Event>,
}

/// Who the gate takes the caller for.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhoAmI {
    /// The key of this request.
    pub key: String,
    /// Whose it is.
    pub principal: String,
    /// What the principal is.
    pub role: String,
    /// The name under which it deals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// What the key may be used for.
    pub scopes: Vec<String>,
    /// Which installation this is.
    pub environment: String,
    /// Until when the key is good.
    pub expires: String,
}

/// A key, as far as it is nobody's secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyView {
    /// Its name: lineage and version.
    pub key: String,
    /// Whose it is.
    pub principal: String,
    /// `pending`, `active`, `grace`, `retired`, `revoked` or `destroyed`.
    pub state: String,
    /// What its lineage is held to for a time: `throttled:COUNT`, `challenged`, `read-only` or `suspended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restriction: Option<String>,
    /// How it signs.
    pub algorithm: String,
    /// Which installation it opens.
    pub environment: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// From where; empty is from everywhere.
    pub networks: Vec<String>,
    /// Whom to ask about it.
    pub owner: String,
    /// When it was issued.
    pub created: String,
    /// From when it is good.
    pub not_before: String,
    /// Until when.
    pub expires: String,
    /// Its last accepted request since this server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// Its accepted requests since this server started.
    pub uses: u64,
}

/// What a lineage is to be held to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restrict {
    /// `throttled:COUNT` a minute, `challenged`, `read-only` or `suspended`; what held is lifted when absent.
    #[serde(default)]
    pub restriction: Option<String>,
    /// Why, for the record.
    pub reason: String,
}

/// What a key is to be for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Whose.
    pub principal: String,
    /// What for.
    pub scopes: Vec<String>,
    /// `ed25519`, `ecdsa-p256-sha256` or `rsa-pss-sha512` (the holder makes the key), `hmac-sha256` or `bearer` (made here).
    pub algorithm: String,
    /// `dev`, `test` or `live`; must be this installation's.
    pub environment: String,
    /// From where, in CIDR notation; everywhere when empty.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Whom to ask about it.
    #[serde(default)]
    pub owner: String,
    /// From when it is good; now when absent.
    #[serde(default)]
    pub not_before: Option<String>,
    /// Days until it ends; 90 when absent, at most 398.
    #[serde(default)]
    pub days: Option<u32>,
    /// What its nonces must be: `nonce` (when absent), `sequence` or `challenge`.
    #[serde(default)]
    pub replay: Option<String>,
    /// The receiver's X25519 public key as `x25519:...`: a secret made here is sealed to it.
    #[serde(default)]
    pub seal_to: Option<String>,
}

/// What a new key came to. A code or secret is shown here once and nowhere again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyIssued {
    /// The name of the invitation, for a key that its holder makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<String>,
    /// The one-time code of the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Until when the code is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_expires: Option<String>,
    /// The name of the key, for one that was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its secret: base64 for HMAC, the whole text for bearer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The secret sealed to the receiver instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// Until when the key is good.
    pub expires: String,
}

/// A public key to be enrolled; the request is signed by its private half.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// The one-time code.
    pub code: String,
    /// How the key signs.
    pub algorithm: String,
    /// The public half, base64.
    pub public_key: String,
}

/// An enrolled key.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Enrolled {
    /// Its name: what to sign with as `keyid`.
    pub key: String,
    /// Whose it is.
    pub principal: String,
    /// Which installation it opens.
    pub environment: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Until when it is good.
    pub expires: String,
    /// The server's signing keys, to be pinned: answers that none of them signed are not this server's.
    pub server_keys: Vec<ServerKeyView>,
}

/// A key with which the server signs its answers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ServerKeyView {
    /// Its name: `keyid` of the signature.
    pub key: String,
    /// How it signs.
    pub algorithm: String,
    /// The public half, base64.
    pub public_key: String,
    /// Signature of the key before it over this public half, base64: the old key vouches for the new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vouched: Option<String>,
}

/// What a session token is to be for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// `events`: to follow a fund where no signature can be made.
    pub purpose: String,
    /// The fund.
    pub context: String,
}

/// A session token; good once, for a minute.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenIssued {
    /// Give it as the query parameter `session_token`.
    pub token: String,
}

/// A principal to be known.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrincipal {
    /// Its opaque name: lower-case letters, digits and hyphens.
    pub id: String,
    /// `operator`, `approver`, `auditor`, `participant` or `read-only`.
    pub role: String,
    /// The name under which a participant deals.
    #[serde(default)]
    pub participant: Option<String>,
}

/// A principal.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrincipalView {
    /// Its name.
    pub id: String,
    /// What it is.
    pub role: String,
    /// Whether its keys work.
    pub enabled: bool,
    /// The name under which it deals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// Scopes that it must not use.
    pub denied: Vec<String>,
}

/// Why a key ends.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// For the record.
    pub reason: String,
    /// One version; all of the lineage when absent.
    #[serde(default)]
    pub version: Option<u32>,
    /// Also when no operator could act afterwards.
    #[serde(default)]
    pub even_the_last: bool,
    /// How long to wait for every verifier, in seconds, at most 10 and when absent; 0 does not wait.
    #[serde(default)]
    pub wait_seconds: Option<f64>,
}

/// What came of a revocation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revoked {
    /// The keys that ended now; none if all had ended before.
    pub keys: Vec<KeyView>,
    /// No verifier accepts them any more.
    pub confirmed: bool,
    /// Verifiers that may still go by what was before, for a second at most.
    pub unconfirmed: Vec<String>,
    /// How long it took until then, in milliseconds.
    pub waited_ms: u64,
    /// One for each key: who ended it, why and when, in the log. They verify offline: `spec/receipts.md`.
    #[schema(value_type = Vec<Object>)]
    pub receipts: Vec<strongroom_audit::Receipt>,
}
