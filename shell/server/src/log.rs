//! The log over the API: its files, proofs and receipts; what a key did; and what answers a dispute.

use crate::house::Shared;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use strongroom_access::LineageId;
use strongroom_audit::{Hash, Receipt, Tile};
use strongroom_desk::{DeskError, Dispute};
use utoipa::ToSchema;

/// Records of a page when the caller does not say, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The checkpoint of the last commit (C2SP tlog-checkpoint).
pub(crate) async fn checkpoint(State(house): State<Shared>) -> Result<Response, Problem> {
    let head = house.ask(|desk| desk.store().log_head().map_err(DeskError::from)).await??;
    let note =
        head.checkpoint.ok_or_else(|| Problem::not_found("signed checkpoint: nobody signs this log"))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], note)
        .into_response())
}

/// A file of the log (C2SP tlog-tiles).
pub(crate) async fn tile(State(house): State<Shared>, Path(path): Path<String>) -> Result<Response, Problem> {
    let tile: Tile = format!("tile/{path}").parse().map_err(|_| Problem::not_found("such tile"))?;
    let content = house.ask(move |desk| desk.store().tile(&tile).map_err(DeskError::from)).await??;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))], content)
        .into_response())
}

/// Which record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfRecord {
    stream: String,
    seq: u64,
}

/// The receipt of any record, by the last checkpoint.
pub(crate) async fn receipt(
    State(house): State<Shared>,
    Query(of): Query<OfRecord>,
) -> Result<Json<Receipt>, Problem> {
    let receipt = house.ask(move |desk| desk.store().receipt(&of.stream, of.seq).map_err(DeskError::from));
    Ok(Json(receipt.await??))
}

/// Two sizes of the log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sizes {
    from: u64,
    to: Option<u64>,
}

/// That one log is the beginning of another (RFC 9162 section 2.1.4).
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsistencyProof {
    /// The first size.
    pub from: u64,
    /// The second.
    pub to: u64,
    /// The hashes, base64.
    #[schema(value_type = Vec<String>)]
    pub proof: Vec<Hash>,
}

/// Proves that the log only grew.
pub(crate) async fn consistency(
    State(house): State<Shared>,
    Query(sizes): Query<Sizes>,
) -> Result<Json<ConsistencyProof>, Problem> {
    let proof = house.ask(move |desk| {
        let to = match sizes.to {
            Some(to) => to,
            None => desk.store().log_head()?.size(),
        };
        let proof = desk.store().prove_consistency(sizes.from, to)?;
        Ok::<_, DeskError>(ConsistencyProof { from: sizes.from, to, proof })
    });
    Ok(Json(proof.await??))
}

/// Which of a key's records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    after: Option<u64>,
    limit: Option<usize>,
}

/// What the keys of a lineage asked for, done and refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deeds {
    /// Oldest first: each as the log has it, with its number, its time and its source if that is not erased.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<strongroom_desk::Deed>,
    /// The number to ask on from.
    pub next: Option<u64>,
}

/// What did this key do?
pub(crate) async fn deeds(
    State(house): State<Shared>,
    Path(lineage): Path<String>,
    Query(since): Query<Since>,
) -> Result<Json<Deeds>, Problem> {
    let lineage: LineageId = lineage.parse()?;
    let limit = since.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let from = since.after.unwrap_or(0).saturating_add(1);
    let items = house.ask(move |desk| desk.deeds_with_sources(&lineage, from, limit)).await??;
    let next = if items.len() == limit { items.last().map(|deed| deed.seq) } else { None };
    Ok(Json(Deeds { items, next }))
}

/// Did this participant send this order?
pub(crate) async fn dispute(
    State(house): State<Shared>,
    Path((fund, order)): Path<(String, String)>,
) -> Result<Json<Dispute>, Problem> {
    let fund = crate::funds::fund_of(&fund)?;
    let found = house.ask(move |desk| desk.dispute(fund, &order)).await??;
    found.map(Json).ok_or_else(|| Problem::not_found("such order that came in by a signed request"))
}
