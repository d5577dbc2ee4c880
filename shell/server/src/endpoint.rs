//! Every endpoint, once: method, path, what it needs, what it takes and gives, and who answers. The router, the gate,
//! the OpenAPI document and the table of refusals in the tests all come from here.

use crate::house::Shared;
use crate::log::{ConsistencyProof, Deeds};
use crate::rotation::view::*;
use crate::view::*;
use crate::{events, funds, keys, log, orders, pages, rotation, telemetry, token};
use axum::routing::{MethodRouter, delete, get, post};
use http::StatusCode;
use strongroom_access::Scope;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What a request needs to get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Nothing: it tells nobody's business.
    Anyone,
    /// A signature by the very key that is being enrolled.
    Enrolment,
    /// A working key with this scope.
    Scope(&'static str),
    /// A working key; what it must be allowed to do depends on the command in the body.
    ByCommand,
    /// Any working key.
    AnyKey,
}

/// One endpoint.
pub struct Endpoint {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// Its path, parameters in braces.
    pub path: &'static str,
    /// What it needs.
    pub leave: Leave,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Query parameters: name and meaning.
    pub query: &'static [(&'static str, &'static str)],
    /// The schema of its body.
    pub takes: Option<Named>,
    /// The schema of its answer.
    pub gives: Option<Named>,
    /// The status of success.
    pub status: StatusCode,
    /// The most bytes of its body.
    pub body_max: usize,
    pub(crate) answers: fn() -> MethodRouter<Shared>,
}

/// A schema and its name, and those that it refers to.
pub struct Named {
    /// Its name among the components.
    pub name: fn() -> String,
    /// The schema.
    pub schema: fn() -> RefOr<Schema>,
    /// Those that it refers to.
    pub others: fn(&mut Vec<(String, RefOr<Schema>)>),
}

const fn named<T: ToSchema + PartialSchema>() -> Option<Named> {
    Some(Named { name: || T::name().into_owned(), schema: T::schema, others: T::schemas })
}

/// A page of rows; the schema of a row comes along.
const fn page_of<T: ToSchema + PartialSchema>() -> Option<Named>
where
    Page<T>: ToSchema + PartialSchema,
{
    Some(Named {
        name: || <Page<T> as ToSchema>::name().into_owned(),
        schema: <Page<T> as PartialSchema>::schema,
        others: |others| {
            T::schemas(others);
            others.push((T::name().into_owned(), T::schema()));
        },
    })
}

/// A body that is no import.
pub(crate) const BODY_MAX: usize = 64 * 1024;
/// A command may carry years of prices or the trades behind a rate.
const COMMAND_MAX: usize = 8 * 1024 * 1024;

const PAGE: &[(&str, &str)] = &[
    ("after", "rows after this name; the `next` of the page before"),
    ("limit", "rows, at most 1000; 100 when absent"),
];

const fn reads(
    path: &'static str,
    leave: Leave,
    summary: &'static str,
    answers: fn() -> MethodRouter<Shared>,
) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        leave,
        summary,
        query: &[],
        takes: None,
        gives: None,
        status: StatusCode::OK,
        body_max: 0,
        answers,
    }
}

const fn writes(
    path: &'static str,
    leave: Leave,
    summary: &'static str,
    takes: Option<Named>,
    answers: fn() -> MethodRouter<Shared>,
) -> Endpoint {
    Endpoint {
        method: "POST",
        path,
        leave,
        summary,
        query: &[],
        takes,
        gives: None,
        status: StatusCode::CREATED,
        body_max: BODY_MAX,
        answers,
    }
}

/// Every endpoint.
pub static ENDPOINTS: &[Endpoint] = &[
    reads("/", Leave::Anyone, "A page that says what this is", || get(pages::home)),
    reads("/health", Leave::Anyone, "Whether the server answers", || get(pages::health)),
    reads("/ready", Leave::Anyone, "Whether signed requests can be let in now, and if not, why", || {
        get(pages::ready)
    }),
    reads(
        "/metrics",
        Leave::Scope(Scope::METRICS_READ),
        "Figures of the server in the text format of Prometheus; a bearer key will do",
        || get(telemetry::metrics),
    ),
    reads(
        "/v1/security/events",
        Leave::Scope(Scope::SECURITY_READ),
        "Follow what stands out among requests as server-sent events, from Last-Event-ID on",
        || get(telemetry::follow),
    ),
    reads("/docs", Leave::Anyone, "This API as a page to read", || get(pages::docs)),
    reads("/openapi.json", Leave::Anyone, "This API as an OpenAPI 3.1 document", || get(pages::openapi)),
    reads("/errors/{code}", Leave::Anyone, "What an error code means and what to do", || get(pages::error)),
    reads(
        "/.well-known/http-message-signatures-directory",
        Leave::Anyone,
        "The keys with which this server signs, as a JSON Web Key Set",
        || get(pages::directory),
    ),
    Endpoint {
        gives: named::<Enrolled>(),
        ..writes(
            "/v1/enrolments/{enrolment}",
            Leave::Enrolment,
            "Enrol a public key with a one-time code; signed by its private half, keyid the enrolment's name",
            named::<Enrol>(),
            || post(keys::enrol),
        )
    },
    Endpoint {
        gives: named::<WhoAmI>(),
        ..reads("/v1/whoami", Leave::AnyKey, "Who the gate takes the caller for", || get(funds::who_am_i))
    },
    Endpoint {
        query: PAGE,
        gives: page_of::<FundView>(),
        ..reads("/v1/funds", Leave::Scope(Scope::READ), "The funds", || get(funds::list))
    },
    Endpoint {
        gives: named::<FundView>(),
        ..reads("/v1/funds/{fund}", Leave::Scope(Scope::READ), "Where a fund stands", || get(funds::show))
    },
    Endpoint {
        query: PAGE,
        gives: page_of::<NavView>(),
        ..reads("/v1/funds/{fund}/nav", Leave::Scope(Scope::READ), "Published NAVs, oldest first", || {
            get(funds::navs)
        })
    },
    Endpoint {
        query: &[("format", "json (when absent), csv or fixed-width")],
        ..reads(
            "/v1/funds/{fund}/basket",
            Leave::Scope(Scope::READ),
            "The portfolio composition file of the last NAV",
            || get(funds::basket),
        )
    },
    Endpoint {
        query: &[
            ("from", "first day; the fund's first when absent"),
            ("to", "last day; the last NAV's when absent"),
        ],
        ..reads(
            "/v1/funds/{fund}/statement",
            Leave::Scope(Scope::AUDIT_READ),
            "Assets and liabilities, roll-forward and NAVs of a period",
            || get(funds::statements),
        )
    },
    reads(
        "/v1/funds/{fund}/state",
        Leave::Scope(Scope::AUDIT_READ),
        "The whole state of a fund, as the command line reads it",
        || get(funds::state),
    ),
    Endpoint {
        query: PAGE,
        gives: page_of::<OrderView>(),
        ..reads(
            "/v1/funds/{fund}/orders",
            Leave::Scope(Scope::READ),
            "Open orders; a participant's own",
            || get(orders::list),
        )
    },
    Endpoint {
        gives: named::<OrderView>(),
        ..writes(
            "/v1/funds/{fund}/orders",
            Leave::Scope(Scope::ORDERS_WRITE),
            "Take a creation or redemption order; a repeat with the same id changes nothing",
            named::<NewOrder>(),
            || post(orders::create),
        )
    },
    Endpoint {
        gives: named::<OrderView>(),
        ..reads("/v1/funds/{fund}/orders/{order}", Leave::Scope(Scope::READ), "One open order", || {
            get(orders::show)
        })
    },
    Endpoint {
        method: "DELETE",
        gives: named::<Done>(),
        ..reads(
            "/v1/funds/{fund}/orders/{order}",
            Leave::Scope(Scope::ORDERS_WRITE),
            "Withdraw an order before its cut-off",
            || delete(orders::cancel),
        )
    },
    reads(
        "/v1/funds/{fund}/events",
        Leave::Scope(Scope::READ),
        "Follow a fund as server-sent events, from Last-Event-ID on; participants see their own orders",
        || get(events::follow),
    ),
    Endpoint {
        gives: named::<Done>(),
        status: StatusCode::OK,
        body_max: COMMAND_MAX,
        ..writes(
            "/v1/funds/{fund}/commands",
            Leave::ByCommand,
            "Any command to a fund, as the command line gives it: open, import, strike, execute, settle, pay, ...",
            None,
            || post(orders::command),
        )
    },
    Endpoint {
        gives: named::<TokenIssued>(),
        ..writes(
            "/v1/session-tokens",
            Leave::AnyKey,
            "A token that is good once in place of a signature, to follow a fund from a browser",
            named::<NewToken>(),
            || post(token::issue),
        )
    },
    Endpoint {
        query: PAGE,
        gives: page_of::<PrincipalView>(),
        ..reads("/v1/principals", Leave::Scope(Scope::KEYS_ADMIN), "Who holds keys", || get(keys::principals))
    },
    Endpoint {
        gives: named::<PrincipalView>(),
        ..writes(
            "/v1/principals",
            Leave::Scope(Scope::KEYS_ADMIN),
            "Make a principal known",
            named::<NewPrincipal>(),
            || post(keys::register),
        )
    },
    Endpoint {
        query: PAGE,
        gives: page_of::<KeyView>(),
        ..reads("/v1/keys", Leave::Scope(Scope::KEYS_ADMIN), "Keys, their state and their use", || {
            get(keys::list)
        })
    },
    Endpoint {
        gives: named::<KeyIssued>(),
        ..writes(
            "/v1/keys",
            Leave::Scope(Scope::KEYS_ADMIN),
            "Issue a key: a one-time code where its holder makes it, else the secret, shown once",
            named::<NewKey>(),
            || post(keys::issue),
        )
    },
    reads(
        "/v1/log/checkpoint",
        Leave::Scope(Scope::AUDIT_READ),
        "The last checkpoint of the log, a signed note (C2SP tlog-checkpoint)",
        || get(log::checkpoint),
    ),
    reads(
        "/v1/log/tile/{*path}",
        Leave::Scope(Scope::AUDIT_READ),
        "A file of the log: hashes or entries (C2SP tlog-tiles)",
        || get(log::tile),
    ),
    Endpoint {
        query: &[("stream", "the stream, as fund/BTCX"), ("seq", "the number of its record")],
        ..reads(
            "/v1/log/receipt",
            Leave::Scope(Scope::AUDIT_READ),
            "The receipt of a record: what it says, and the proof that it is in the log",
            || get(log::receipt),
        )
    },
    Endpoint {
        query: &[("from", "the first size"), ("to", "the second; the last when absent")],
        gives: named::<ConsistencyProof>(),
        ..reads(
            "/v1/log/consistency",
            Leave::Scope(Scope::AUDIT_READ),
            "The proof that the log of one size is the beginning of the log of another",
            || get(log::consistency),
        )
    },
    Endpoint {
        query: &[("after", "records after this number"), ("limit", "records, at most 1000; 100 when absent")],
        gives: named::<Deeds>(),
        ..reads(
            "/v1/keys/{lineage}/deeds",
            Leave::Scope(Scope::AUDIT_READ),
            "What the keys of a lineage asked for, done and refused, with where it came from",
            || get(log::deeds),
        )
    },
    reads(
        "/v1/funds/{fund}/orders/{order}/dispute",
        Leave::Scope(Scope::AUDIT_READ),
        "What shows who sent an order: signed request, key at that time, proofs, signed answer",
        || get(log::dispute),
    ),
    writes(
        "/v1/server-keys/rotate",
        Leave::Scope(Scope::KEYS_ADMIN),
        "Sign answers with a new key from now on; the old one vouches for it",
        None,
        || post(keys::rotate_server_key),
    ),
    Endpoint {
        gives: page_of::<KeyView>(),
        status: StatusCode::OK,
        ..writes(
            "/v1/keys/{lineage}/restrict",
            Leave::Scope(Scope::KEYS_ADMIN),
            "Hold a lineage for a time: throttled, challenged, read-only or suspended; or lift that",
            named::<Restrict>(),
            || post(keys::restrict),
        )
    },
    Endpoint {
        gives: named::<Revoked>(),
        status: StatusCode::OK,
        ..writes(
            "/v1/keys/{lineage}/revoke",
            Leave::Scope(Scope::KEYS_ADMIN),
            "End a key, or all of its lineage, at once; over when this answers",
            named::<Revoke>(),
            || post(keys::revoke),
        )
    },
    Endpoint {
        gives: named::<Rotated>(),
        ..writes(
            rotation::ROTATE,
            Leave::AnyKey,
            "Add a successor to the key that asks: a public key, signed by both, or a secret made here; pending until used",
            named::<Rotate>(),
            || post(rotation::rotate),
        )
    },
    Endpoint {
        gives: named::<RotationView>(),
        ..reads(
            "/v1/keys/{lineage}/rotation",
            Leave::AnyKey,
            "Where a rotation stands: versions, who still uses the old one, what happens next and when",
            || get(rotation::show),
        )
    },
    Endpoint {
        status: StatusCode::OK,
        gives: named::<RotationView>(),
        ..writes(
            "/v1/keys/{lineage}/rollback",
            Leave::Scope(Scope::KEYS_ADMIN),
            "Make the key that was displaced last the primary again; both work on",
            named::<RollBack>(),
            || post(rotation::roll_back),
        )
    },
    Endpoint {
        gives: named::<UsageView>(),
        ..reads(
            "/v1/keys/{lineage}/usage",
            Leave::Scope(Scope::KEYS_ADMIN),
            "The use of a lineage, hour by hour, as a list",
            || get(rotation::usage),
        )
    },
    Endpoint {
        query: &[("days", "days without a use; 90 when absent")],
        gives: named::<UnusedView>(),
        ..reads(
            "/v1/keys/unused",
            Leave::Scope(Scope::KEYS_ADMIN),
            "Keys that nobody uses, as a list",
            || get(rotation::unused),
        )
    },
    Endpoint {
        query: PAGE,
        gives: page_of::<RotationView>(),
        ..reads("/v1/rotations", Leave::Scope(Scope::KEYS_ADMIN), "Every rotation", || get(rotation::list))
    },
    Endpoint {
        query: &[("seconds", "how far to look ahead; 0 when absent")],
        gives: named::<DueView>(),
        ..reads(
            "/v1/rotations/due",
            Leave::Scope(Scope::KEYS_ADMIN),
            "What is due and what would be done about it, as a list; nothing is done",
            || get(rotation::due),
        )
    },
    Endpoint {
        status: StatusCode::OK,
        gives: named::<PolicySet>(),
        ..writes(
            "/v1/rotations/policy",
            Leave::Scope(Scope::KEYS_ADMIN),
            "Set the rotation policy of one lineage, of a principal's or of all",
            named::<SetPolicy>(),
            || post(rotation::set_policy),
        )
    },
    Endpoint {
        status: StatusCode::OK,
        gives: named::<EmergencyDone>(),
        ..writes(
            "/v1/rotations/emergency",
            Leave::Scope(Scope::KEYS_ADMIN),
            "End and replace one lineage, a principal's or all, at once",
            named::<Emergency>(),
            || post(rotation::emergency),
        )
    },
];
