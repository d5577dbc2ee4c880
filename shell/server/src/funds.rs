//! Reading funds: list, status, NAVs, basket, statements, whole state.

use crate::caller::Caller;
use crate::house::Shared;
use crate::problem::Problem;
use crate::view::{FundView, NavView, Page};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strongroom_engine::{FundState, Refusal, composition, statement};
use strongroom_units::time::Date;
use strongroom_units::{Rounding, Symbol};

/// Rows of a page when the caller does not say.
const PAGE: usize = 100;
/// The most rows of a page.
const PAGE_MAX: usize = 1_000;

/// Which rows of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    /// Rows after this one.
    pub after: Option<String>,
    /// So many, at most 1,000.
    pub limit: Option<usize>,
}

impl Window {
    /// Takes a page out of rows that are in the order of their names.
    pub fn page<T>(&self, rows: impl Iterator<Item = T>, name: impl Fn(&T) -> String) -> Page<T> {
        let limit = self.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let after = self.after.as_deref();
        let mut rows = rows.skip_while(|row| after.is_some_and(|after| name(row).as_str() <= after));
        let items: Vec<T> = rows.by_ref().take(limit).collect();
        let next = rows.next().and(items.last()).map(name);
        Page { items, next }
    }
}

/// The fund that the path names.
pub(crate) fn fund_of(text: &str) -> Result<Symbol, Problem> {
    text.parse().map_err(|_| Problem::not_found("such fund"))
}

/// Reads a fund in the desk's thread.
pub(crate) async fn read<T: Send + 'static>(
    house: &Shared,
    fund: &str,
    work: impl FnOnce(&FundState) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let fund = fund_of(fund)?;
    house
        .ask(move |desk| match desk.fund(fund)? {
            Some(state) => work(state),
            None => Err(Refusal::FundMustBeOpen.into()),
        })
        .await?
}

pub(crate) async fn list(
    State(house): State<Shared>,
    Query(window): Query<Window>,
) -> Result<Json<Page<FundView>>, Problem> {
    let page = house
        .ask(move |desk| {
            let mut names = desk.fund_names()?;
            names.sort_unstable();
            let page = window.page(names.into_iter(), Symbol::to_string);
            let mut items = Vec::new();
            for name in page.items {
                if let Some(state) = desk.fund(name)? {
                    items.push(FundView::of(state)?);
                }
            }
            Ok::<_, Problem>(Page { items, next: page.next })
        })
        .await??;
    Ok(Json(page))
}

pub(crate) async fn show(
    State(house): State<Shared>,
    Path(fund): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = read(&house, &fund, |state| Ok(FundView::of(state)?)).await?;
    Ok(tagged(&headers, &view))
}

pub(crate) async fn navs(
    State(house): State<Shared>,
    Path(fund): Path<String>,
    Query(window): Query<Window>,
) -> Result<Json<Page<NavView>>, Problem> {
    read(&house, &fund, move |state| {
        Ok(Json(window.page(state.navs().iter(), |nav| nav.date.to_string()).map(NavView::of)))
    })
    .await
}

/// In which form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Form {
    format: Option<String>,
}

pub(crate) async fn basket(
    State(house): State<Shared>,
    Path(fund): Path<String>,
    Query(form): Query<Form>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let unwritable = |code, error: &dyn std::fmt::Display| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string())
    };
    let (kind, text) = read(&house, &fund, move |state| {
        let composition = composition(state).map_err(|error| unwritable(error.code(), &error))?;
        let (kind, text) = match form.format.as_deref() {
            None | Some("json") => ("application/json", composition.to_json()),
            Some("csv") => ("text/csv", composition.to_csv()),
            Some("fixed-width") => {
                let cents = composition.to_cents(Rounding::HalfUp);
                ("text/plain", cents.and_then(|cents| cents.to_fixed_width()))
            }
            Some(_) => return Err(Problem::parameter("format", "json, csv or fixed-width")),
        };
        Ok((kind, text.map_err(|error| unwritable(error.code(), &error))?))
    })
    .await?;
    Ok(tagged_bytes(&headers, kind, text.into_bytes()))
}

/// The period of a statement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    from: Option<String>,
    to: Option<String>,
}

fn day(name: &str, text: Option<&String>) -> Result<Option<Date>, Problem> {
    text.map(|text| text.parse().map_err(|error| Problem::parameter(name, error))).transpose()
}

pub(crate) async fn statements(
    State(house): State<Shared>,
    Path(fund): Path<String>,
    Query(period): Query<Period>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (from, to) = (day("from", period.from.as_ref())?, day("to", period.to.as_ref())?);
    let statement = read(&house, &fund, move |state| {
        let from = from.unwrap_or(state.definition().seed.date);
        let to = to.unwrap_or(state.last_nav().map_or(from, |nav| nav.date));
        if from > to || to < state.definition().seed.date {
            return Err(Problem::parameter("from, to", "this is no period of the fund"));
        }
        Ok(statement::statement(state, from, to)?)
    })
    .await?;
    Ok(tagged(&headers, &statement))
}

/// The whole state as a snapshot: what a command line that talks to a server decides and prints from.
pub(crate) async fn state(
    State(house): State<Shared>,
    Path(fund): Path<String>,
) -> Result<Response, Problem> {
    let text =
        read(&house, &fund, |state| state.to_snapshot().map_err(|error| Problem::internal(&error))).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// JSON with an ETag of its bytes; a caller that has these bytes already gets none.
pub(crate) fn tagged<T: Serialize>(asked: &HeaderMap, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => tagged_bytes(asked, "application/json", body),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

fn tagged_bytes(asked: &HeaderMap, kind: &'static str, body: Vec<u8>) -> Response {
    let hash = Sha256::digest(&body);
    let tag: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known =
        known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag || one.trim() == "*"));
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, kind)], body).into_response(),
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

pub(crate) async fn who_am_i(Extension(caller): Extension<Caller>) -> Json<crate::view::WhoAmI> {
    Json(caller.who())
}
