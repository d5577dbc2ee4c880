//! Orders: create, cancel, list, look at one; and every other command to a fund.

use crate::caller::Caller;
use crate::funds::{Window, fund_of, read, tagged};
use crate::house::Shared;
use crate::problem::Problem;
use crate::recorded::recorded;
use crate::view::{Done, Method, NewOrder, OrderView, Page, Side};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::{Extension, Json};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use strongroom_access::{Role, Scope};
use strongroom_desk::Answer;
use strongroom_engine::{Command, Event, FundState, OrderId, OrderSide, Outcome, Refusal};
use strongroom_fund::definition::OrderMethod;
use strongroom_units::Shares;
use strongroom_units::time::{Date, Timestamp};

/// Sessions that are looked through for one that still takes orders.
const SESSIONS_AHEAD: usize = 400;

pub(crate) async fn list(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(fund): Path<String>,
    Query(window): Query<Window>,
) -> Result<Json<Page<OrderView>>, Problem> {
    read(&house, &fund, move |state| {
        let seen = state.orders().filter(|order| is_seen(&caller, &order.participant));
        Ok(Json(window.page(seen.map(OrderView::of), |order| order.id.clone())))
    })
    .await
}

fn is_seen(caller: &Caller, participant: &str) -> bool {
    caller.sees_all() || caller.participant() == Some(participant)
}

pub(crate) async fn show(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((fund, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = read(&house, &fund, move |state| {
        let order = state.order(&OrderId::try_new(&id)?).filter(|order| is_seen(&caller, &order.participant));
        // Somebody else's order and no order give one answer: names of orders are not for probing.
        order.map(OrderView::of).ok_or_else(|| Problem::not_found("such open order"))
    })
    .await?;
    Ok(tagged(&headers, &view))
}

/// For whom the caller deals: a participant for itself only, an operator for whom it names.
fn participant_of(caller: &Caller, named: Option<String>) -> Result<String, Problem> {
    match (caller.role(), caller.participant(), named) {
        (Role::Participant, Some(own), None) => Ok(own.to_owned()),
        (Role::Participant, Some(own), Some(named)) if own == named => Ok(named),
        (Role::Operator, _, Some(named)) => Ok(named),
        (Role::Operator, _, None) => {
            Err(Problem::body("participant: an operator says for whom the order is"))
        }
        _ => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "order.must_be_the_participants",
            "a participant deals for itself only",
        )),
    }
}

pub(crate) async fn create(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(fund): Path<String>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let new: NewOrder = serde_json::from_slice(&body).map_err(Problem::body)?;
    let participant = participant_of(&caller, new.participant.clone())?;
    let asked = new.trade_date.as_deref().map(str::parse).transpose();
    let asked: Option<Date> = asked.map_err(|error| Problem::parameter("trade_date", error))?;
    let method = match new.method {
        Method::Cash => OrderMethod::Cash,
        Method::InKind => OrderMethod::InKind,
    };
    let (id, unit_count) = (OrderId::try_new(&new.id)?, (new.shares, new.baskets));
    let (trade_date, shares) = read(&house, &fund, move |state| {
        let trade_date = match asked {
            Some(date) => date,
            None => first_open_session(state, method, Timestamp::now())?,
        };
        let shares = match unit_count {
            (Some(shares), None) => Shares::new(shares),
            (None, Some(baskets)) => {
                let unit = state.definition().creation_unit.at(trade_date).copied().unwrap_or(Shares::new(1));
                unit.try_mul(baskets).map_err(Refusal::from)?
            }
            _ => return Err(Problem::body("give either shares or baskets")),
        };
        Ok((trade_date, shares))
    })
    .await?;
    let order = strongroom_engine::NewOrder {
        id: id.clone(),
        participant,
        side: match new.side {
            Side::Creation => OrderSide::Creation,
            Side::Redemption => OrderSide::Redemption,
        },
        method,
        shares,
        trade_date,
    };
    let answer = give(&house, &caller, &fund, Command::SubmitOrder(order)).await?;
    let view = taken(&house, &fund, &id, &answer).await;
    let status = match answer.outcome {
        Outcome::Done => StatusCode::CREATED,
        Outcome::AlreadyDone => StatusCode::OK,
    };
    let (place, request) = (answer.place.clone(), answer.request.clone());
    let mut response = match view {
        Some(view) => recorded(status, &view, place.as_ref(), request),
        // It was taken before, and has been settled meanwhile or cannot be read now.
        None => recorded(status, &done(answer), None, request),
    };
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/funds/{fund}/orders/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// The first session after the last NAV whose cut-off has not passed.
fn first_open_session(state: &FundState, method: OrderMethod, now: Timestamp) -> Result<Date, Problem> {
    let definition = state.definition();
    let mut session = state.last_nav().map_or(definition.seed.date, |nav| nav.date);
    for _ in 0..SESSIONS_AHEAD {
        session = definition.calendar.next_session(session).map_err(Refusal::from)?;
        let cut_off = definition.cut_off(method, session).map_err(Refusal::from)?;
        if cut_off.is_some_and(|until| now < until) {
            return Ok(session);
        }
    }
    Err(Problem::body("trade_date: no session takes such orders now; name one"))
}

/// The order as it was taken now, or as it stands when it was taken before. It is durable already: that it cannot be
/// read back must not look like a refusal.
async fn taken(house: &Shared, fund: &str, id: &OrderId, answer: &Answer) -> Option<OrderView> {
    let accepted = answer.events.iter().find_map(|event| match event {
        Event::OrderAccepted { order } => Some(OrderView::of(order)),
        _ => None,
    });
    if accepted.is_some() {
        return accepted;
    }
    let id = id.clone();
    read(house, fund, move |state| Ok(state.order(&id).map(OrderView::of))).await.ok().flatten()
}

/// Whose order it is, the desk looks when it decides.
pub(crate) async fn cancel(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((fund, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let id = OrderId::try_new(&id)?;
    Ok(told(give(&house, &caller, &fund, Command::CancelOrder { id }).await?))
}

/// Any command to a fund, by those whose key has the command's scope: what the command line sends.
pub(crate) async fn command(
    State(house): State<Shared>,
    Extension(mut caller): Extension<Caller>,
    Path(fund): Path<String>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let command: Command = serde_json::from_slice(&body).map_err(Problem::body)?;
    caller.must_hold(scope_of(&command))?;
    if let Command::SubmitOrder(order) = &command {
        participant_of(&caller, Some(order.participant.clone()))?;
    }
    Ok(told(give(&house, &caller, &fund, command).await?))
}

/// What a command needs. A new command does not compile until it is here.
pub(crate) fn scope_of(command: &Command) -> &'static str {
    match command {
        Command::SubmitOrder(_) | Command::CancelOrder { .. } => Scope::ORDERS_WRITE,
        Command::RecordLateOrder { .. } | Command::ExecuteOrder { .. } | Command::SettleOrder { .. } => {
            Scope::ORDERS_MANAGE
        }
        Command::ImportPrices { .. }
        | Command::RecordRate { .. }
        | Command::DecideFallback { .. }
        | Command::CorrectPrice { .. } => Scope::PRICES_WRITE,
        Command::StrikeNav { .. } | Command::Wake => Scope::NAV_STRIKE,
        Command::TransferCustody { .. } => Scope::CUSTODY_WRITE,
        Command::Staking(_) => Scope::CUSTODY_WRITE,
        Command::OpenFund { .. }
        | Command::Distribution(_)
        | Command::Life(_)
        | Command::Pay { .. }
        | Command::RecordExpense { .. }
        | Command::Rebalance(_)
        | Command::Exposure(_)
        | Command::ChangeAsset(_)
        | Command::Halt { .. }
        | Command::Resume { .. } => Scope::FUND_ADMIN,
    }
}

async fn give(house: &Shared, caller: &Caller, fund: &str, command: Command) -> Result<Answer, Problem> {
    house.command(fund_of(fund)?, command, caller.cause()).await
}

/// What came of a command, with its receipt.
fn told(answer: Answer) -> Response {
    let (place, request) = (answer.place.clone(), answer.request.clone());
    recorded(StatusCode::OK, &done(answer), place.as_ref(), request)
}

fn done(answer: Answer) -> Done {
    let outcome = match answer.outcome {
        Outcome::Done => "done",
        Outcome::AlreadyDone => "already done",
    };
    Done { outcome: outcome.to_owned(), seq: answer.seq, events: answer.events }
}
