//! The gate in front of each endpoint, and the signature under each answer.
//!
//! ```text
//! bounds, key, freshness ─ content ─ digest, signature ─ nonce ─ authority ─ handler ─ answer signed
//! ```

use crate::caller::Caller;
use crate::endpoint::{Endpoint, Leave};
use crate::house::{House, Shared};
use crate::keys::{ProvedKey, hash_of};
use crate::problem::Problem;
use crate::recorded::{self, OfRequest};
use crate::repeat::{self, Turn};
use crate::rotation::{self, with_notice};
use crate::telemetry::{about_key, carried};
use crate::token;
use crate::usage::{Outcome, named_key};
use crate::view::Enrol;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use strongroom_access::idempotency::Ticket;
use strongroom_access::{AccessCommand, AccessRefusal, EnrolmentId, Scope};
use strongroom_desk::Cause;
use strongroom_gate::RateFields;
use strongroom_gate::{GateRefusal, Need, public_key};
use strongroom_signature::{Content, Request, RequestLine, SignedRequest};
use strongroom_units::time::Timestamp;

/// The longest answer that is signed whole.
const ANSWER_MAX: usize = 64 * 1024 * 1024;
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The longest text of a refusal of the framework.
const REJECTION_MAX: usize = 4_096;
/// How long the content of a request may take to arrive.
const CONTENT_WAIT: Duration = Duration::from_secs(20);

/// A handler's surroundings: who asks, or what was proved.
enum Passed {
    Anyone,
    Caller(Caller, Option<Ticket>),
    Again(Response),
    Enrolling(ProvedKey),
}

/// Lets a request through to its handler when it passes, and signs what comes back.
pub(crate) async fn stand(
    State((house, endpoint)): State<(Shared, &'static Endpoint)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let (passed, content) = match pass(&house, endpoint, peer.ip(), &parts, body).await {
        Ok(passed) => passed,
        Err(problem) if endpoint.leave != Leave::Anyone => {
            count_refusal(&house, &problem, peer.ip(), &parts);
            return signed(&house, &parts, problem.into_response()).await;
        }
        Err(problem) => return signed(&house, &parts, problem.into_response()).await,
    };
    let asked = parts.clone();
    let mut request = axum::extract::Request::from_parts(parts, Body::from(content));
    match passed {
        Passed::Anyone => signed(&house, &asked, next.run(request).await).await,
        Passed::Again(answer) => signed(&house, &asked, answer).await,
        Passed::Enrolling(proved) => {
            request.extensions_mut().insert(proved);
            signed(&house, &asked, in_our_form(next.run(request).await).await).await
        }
        Passed::Caller(caller, None) => {
            let (rate, key) = (caller.rate().clone(), caller.permit().key.clone());
            let caller_then = asked_only(&asked.method).then(|| caller.clone());
            request.extensions_mut().insert(caller);
            let answer = in_our_form(next.run(request).await).await;
            // What only reads is asked for once more before it leaves; what changed something is told the truth.
            match caller_then.map_or(Ok(()), |caller| still_stands(&house, &caller)) {
                Ok(()) => signed(&house, &asked, with_notice(&house, &key, with_rate(answer, rate))).await,
                Err(problem) => signed(&house, &asked, problem.into_response()).await,
            }
        }
        Passed::Caller(caller, Some(ticket)) => {
            let (rate, key) = (caller.rate().clone(), caller.permit().key.clone());
            request.extensions_mut().insert(caller);
            // In a task of its own: who hangs up half way must not leave the key in use.
            let done = tokio::spawn(carried(async move {
                let answer = in_our_form(next.run(request).await).await;
                let answer = repeat::finish(&house, ticket, answer).await;
                signed(&house, &asked, with_notice(&house, &key, with_rate(answer, rate))).await
            }));
            done.await.unwrap_or_else(|error| Problem::internal(&error).into_response())
        }
    }
}

/// Whether a request of this method changes nothing.
fn asked_only(method: &http::Method) -> bool {
    matches!(*method, http::Method::GET | http::Method::HEAD)
}

/// No answer follows the end of its key or of this verifier's lease.
fn still_stands(house: &House, caller: &Caller) -> Result<(), Problem> {
    let claim = caller.claim();
    let need = Need { scope: claim.scope.as_ref(), peer: claim.peer, now: Timestamp::now() };
    let stands = house.gate.must_still_stand(caller.permit(), &need);
    stands.map_err(|refusal| problem_of(house, &refusal))
}

/// What is no endpoint, or not by this method, is refused over the server's signature too.
pub(crate) async fn nowhere(State(house): State<Shared>, request: axum::extract::Request) -> Response {
    let (parts, _) = request.into_parts();
    signed(&house, &parts, Problem::not_found("such place; see /docs").into_response()).await
}

/// See [`nowhere`].
pub(crate) async fn not_so(State(house): State<Shared>, request: axum::extract::Request) -> Response {
    let (parts, _) = request.into_parts();
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "request.method_must_be_allowed", "see /docs");
    signed(&house, &parts, problem.into_response()).await
}

/// A refusal counts for the key that the request names, if there is one.
fn count_refusal(house: &House, problem: &Problem, peer: IpAddr, parts: &Parts) {
    let Some(key) = named_key(&parts.headers) else { return };
    if house.gate.access(|access| {
        access.lineage(&key.lineage).is_some_and(|found| found.versions.contains_key(&key.version))
    }) {
        house.usage.count(&key, Outcome::Refused(problem.code()), peer, &parts.headers);
    }
}

/// Where the key stands with its rate.
fn with_rate(mut answer: Response, rate: RateFields) -> Response {
    for (name, value) in [(RATE_LIMIT_POLICY, rate.policy), (RATE_LIMIT, rate.limit)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// A refusal of the framework, such as a query that cannot be read, is text; ours are problems.
async fn in_our_form(answer: Response) -> Response {
    let is_problem =
        answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    if !answer.status().is_client_error() || is_problem {
        return answer;
    }
    let status = answer.status();
    let text = Limited::new(answer.into_body(), REJECTION_MAX).collect().await;
    let text = text.map(|text| String::from_utf8_lossy(&text.to_bytes()).into_owned()).unwrap_or_default();
    Problem::new(status, "request.parameter_must_be_valid", text).into_response()
}

async fn pass(
    house: &Shared,
    endpoint: &'static Endpoint,
    peer: IpAddr,
    parts: &Parts,
    body: Body,
) -> Result<(Passed, Bytes), Problem> {
    match endpoint.leave {
        Leave::Anyone => Ok((Passed::Anyone, Bytes::new())),
        Leave::Enrolment => {
            let content = content_of(body, endpoint.body_max).await?;
            let proved = prove(house, parts, &content)?;
            Ok((Passed::Enrolling(proved), content))
        }
        Leave::Scope(scope) => permit(house, endpoint, peer, parts, body, Some(Scope::try_new(scope)?)).await,
        Leave::ByCommand | Leave::AnyKey => permit(house, endpoint, peer, parts, body, None).await,
    }
}

async fn permit(
    house: &Shared,
    endpoint: &'static Endpoint,
    peer: IpAddr,
    parts: &Parts,
    body: Body,
    scope: Option<Scope>,
) -> Result<(Passed, Bytes), Problem> {
    let refused = |refusal: GateRefusal| problem_of(house, &refusal);
    if let Some(passed) = token::redeem(house, endpoint, peer, parts, scope.as_ref())? {
        return Ok((Passed::Caller(passed, None), Bytes::new()));
    }
    let line = line_of(house, parts)?;
    let read = house.gate.read(&line.with(&parts.headers), Timestamp::now());
    let candidate = read.map_err(|refusal| {
        let judged = Err(refusal);
        house.watch((None, peer, &parts.headers), scope.as_ref(), &judged);
        judged.err().map_or_else(|| Problem::internal(&"no refusal"), refused)
    })?;
    let key = candidate.key().clone();
    about_key(&key);
    let content = content_of(body, endpoint.body_max).await?;
    let need = Need { scope: scope.as_ref(), peer, now: Timestamp::now() };
    let judged = house.judging(|| house.gate.judge(candidate, Content::Bytes(&content), &need));
    house.watch((Some(&key), peer, &parts.headers), scope.as_ref(), &judged);
    let permit = judged.map_err(refused)?;
    let is_first_use = permit.is_first_use;
    let evidence = recorded::may_change(parts).then(|| {
        let key = &permit.key;
        let algorithm = house
            .gate
            .access(|access| Some(access.lineage(&key.lineage)?.versions.get(&key.version)?.algorithm));
        recorded::evidence_of(&permit, algorithm?, &content, &parts.headers, peer)
    });
    let caller = Caller::new(permit, house.gate.environment(), peer, scope).with_evidence(evidence.flatten());
    house.usage.count(&caller.permit().key, Outcome::LetIn, peer, &parts.headers);
    if is_first_use {
        note_first_use(house, &caller).await?;
    }
    if endpoint.path == rotation::ROTATE {
        // It keeps its own answer, sealed, until the new key is used.
        return Ok((Passed::Caller(caller, None), content));
    }
    match repeat::begin(house, &caller.permit().key, parts, &content)? {
        Turn::Again(answer) => Ok((Passed::Again(answer), Bytes::new())),
        Turn::First(ticket) => Ok((Passed::Caller(caller, ticket), content)),
    }
}

pub(crate) fn line_of<'m>(house: &House, parts: &'m Parts) -> Result<RequestLine<'m>, Problem> {
    RequestLine::received(&parts.method, &parts.uri, &parts.headers, house.scheme).map_err(|_| {
        Problem::new(StatusCode::BAD_REQUEST, "request.must_name_one_host", "give one Host field")
    })
}

pub(crate) async fn content_of(body: Body, max: usize) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(CONTENT_WAIT, Limited::new(body, max).collect());
    match read.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request.body_must_be_bounded",
            format!("this endpoint takes at most {max} bytes"),
        )),
        Ok(Err(error)) => Err(Problem::body(error)),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "request.body_must_arrive_in_time",
            "the content did not arrive in time",
        )),
    }
}

/// A pending key becomes active with its first use: then its holder is known to have it.
pub(crate) async fn note_first_use(house: &Shared, caller: &Caller) -> Result<(), Problem> {
    let command = AccessCommand::NoteFirstUse { key: caller.permit().key.clone() };
    // The nonce is for what the request itself does.
    house.change_access(command, Cause { nonce: None, evidence: None, ..caller.cause() }).await.map(drop)
}

/// The key in the content signed this very request under the invitation's name.
fn prove(house: &House, parts: &Parts, content: &[u8]) -> Result<ProvedKey, Problem> {
    let refused = |refusal: GateRefusal| problem_of(house, &refusal);
    let enrol: Enrol = serde_json::from_slice(content).map_err(Problem::body)?;
    let algorithm = enrol.algorithm.parse()?;
    let unfit =
        |reason: String| Problem::new(StatusCode::BAD_REQUEST, "key.material_must_fit_algorithm", reason);
    let (profile, now) = (house.gate.profile(), Timestamp::now());
    let line = line_of(house, parts)?;
    let signed = SignedRequest::read(&line.with(&parts.headers), profile).map_err(|e| refused(e.into()))?;
    signed.must_be_fresh(now.as_second(), profile).map_err(|e| refused(e.into()))?;
    let name = EnrolmentId::try_new(signed.key_id())?;
    // Whoever has no code has the nonces and the patience of this server neither: anybody can sign under a name that
    // he makes up with a key that he brings.
    let open = house.gate.access(|access| access.open_enrolment(&name, &hash_of(&enrol.code), now).is_ok());
    if !open || !parts.uri.path().ends_with(&format!("/{name}")) {
        return Err(AccessRefusal::EnrolmentMustBeOpen(name).into());
    }
    let key = public_key(algorithm, &enrol.public_key).map_err(unfit)?;
    let verified = signed.verify(&key, Content::Bytes(content)).map_err(|e| refused(e.into()))?;
    let spend = || house.gate.spend_for(name.as_str(), verified.nonce(), verified.created(), now);
    house.judging(spend).map_err(refused)?;
    Ok(ProvedKey { algorithm, public_key: enrol.public_key })
}

/// A refusal that tells how to heal.
pub(crate) fn problem_of(house: &House, refusal: &GateRefusal) -> Problem {
    let problem = Problem::new(refusal.status(), refusal.code(), refusal.to_string());
    let healing = house.gate.healing(refusal, Timestamp::now());
    healing.into_iter().fold(problem, |problem, (name, value)| problem.with(name, value))
}

/// Signs an answer whole. A stream has no end to sign: it goes out unsigned, and says so by having no signature.
async fn signed(house: &House, asked: &Parts, answer: Response) -> Response {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == "text/event-stream") {
        return answer;
    }
    match RequestLine::received(&asked.method, &asked.uri, &asked.headers, house.scheme) {
        Ok(line) => signed_over(house, &line.with(&asked.headers), answer).await,
        Err(_) => answer,
    }
}

/// Signs an answer to a request as its client sent it.
pub(crate) async fn signed_over(house: &House, request: &Request<'_>, answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let content = match Limited::new(body, ANSWER_MAX).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => return Problem::internal(&error).into_response(),
    };
    match house.answerer().sign(head.status, &mut head.headers, request, &content, Timestamp::now()) {
        Ok(signed) => {
            if let Some(OfRequest(place)) = head.extensions.get() {
                recorded::keep(house, place, (head.status, &head.headers), &signed, &content);
            }
            Response::from_parts(head, Body::from(content))
        }
        // An answer that cannot be signed must not pass for one of ours.
        Err(error) => Problem::internal(&error).into_response(),
    }
}
