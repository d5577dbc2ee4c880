//! The gate as a `tower` layer, in front of a service that counts what reaches it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use strongroom_access::bearer::Pepper;
use strongroom_access::rate_limit::{Policy, RateLimiter};
use strongroom_access::replay::{Challenges, FingerprintKey, Limits, Window};
use strongroom_access::session_token::SessionTokens;
use strongroom_access::{
    AccessEvent, AccessState, Algorithm, Environment, Grant, KeyState, KeyVersion, LineageId, Material,
    Networks, Principal, PrincipalId, Role, Scope,
};
use strongroom_gate::{
    Answerer, Gate, GateLayer, GateOptions, GateRefusal, Guarded, KeyTable, Permit, Surroundings,
};
use strongroom_signature::{
    Profile, RequestLine, ResponseProfile, SignedResponse, SigningKey, SigningParameters, VerifyingKey,
    sign_request,
};
use strongroom_units::time::Timestamp;
use tower_layer::Layer;
use tower_service::Service;

const SCHEME: &str = "https";
const HOST: &str = "orders.example";
const CONTENT_MAX: usize = 1_000;
const BODY: &[u8] = br#"{"to":"alice"}"#;

/// Keeps who asked what with which content.
#[derive(Clone, Default)]
struct Application(Arc<Mutex<Vec<String>>>);

impl Service<Request<Full<Bytes>>> for Application {
    type Response = Response<Vec<u8>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Vec<u8>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let permit = request.extensions().get::<Permit>().expect("nothing comes without a permit");
        let told = format!("{} {} {}", permit.principal.id, request.method(), request.uri());
        let content = done(request.into_body().collect()).unwrap().to_bytes();
        self.0.lock().unwrap().push(format!("{told} {}", String::from_utf8_lossy(&content)));
        ready(Ok(Response::new(b"done".to_vec())))
    }
}

/// The outcome of something that never waits.
fn done<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("nothing here waits"),
    }
}

struct House {
    application: Application,
    service: Guarded<Application>,
    next: u128,
}

fn seed(name: &str) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    seed
}

fn signing(name: &str) -> SigningKey {
    SigningKey::ed25519(&seed(name)).unwrap()
}

/// A principal `trader` with a key for `app:withdraw` and one that may only be used from 10.0.0.0/8.
fn access(now: Timestamp) -> AccessState {
    let mut state = AccessState::default();
    let trader = PrincipalId::try_new("trader").unwrap();
    let principal = Principal {
        id: trader.clone(),
        role: Role::ReadOnly,
        enabled: true,
        denied: BTreeSet::new(),
        participant: None,
    };
    state.apply(&AccessEvent::PrincipalRegistered(principal), now);
    for (name, scope, networks) in [
        (OWN, "app:withdraw", vec![]),
        (READS, "app:read", vec![]),
        (INSIDE, "app:withdraw", vec!["10.0.0.0/8".parse().unwrap()]),
    ] {
        let public = signing(name).public_key().unwrap();
        let key = KeyVersion {
            version: 1,
            algorithm: Algorithm::Ed25519,
            material: Material::Public { key: STANDARD.encode(public) },
            state: KeyState::Active,
            created: now,
            not_before: now,
            expires: Timestamp::from_second(now.as_second() + 100_000).unwrap(),
        };
        let grant = Grant {
            principal: trader.clone(),
            environment: Environment::Dev,
            scopes: [Scope::try_new(scope).unwrap()].into(),
            replay: Default::default(),
            networks: Networks::try_new(networks).unwrap(),
            owner: String::new(),
        };
        let lineage = LineageId::try_new(name).unwrap();
        state.apply(&AccessEvent::KeyIssued { lineage, grant, key, enrolment: None }, now);
    }
    state
}

const OWN: &str = "k000000000001";
const READS: &str = "k000000000002";
const INSIDE: &str = "k000000000003";
const SERVER: &str = "server";

fn house() -> House {
    // Up for an hour, so that no restart has to be healed.
    let hour_ago = Timestamp::from_second(Timestamp::now().as_second() - 3_600).unwrap();
    let options = GateOptions {
        lease: strongroom_gate::Lease::alone(),
        environment: Environment::Dev,
        profile: Profile::default(),
        window: Window::started(Limits::default(), &FingerprintKey::new([1; 16]), hour_ago),
        challenges: Challenges::new([2; 32], 60),
        pepper: Pepper::new(vec![3; 32]),
        nonces: Default::default(),
        tokens: SessionTokens::new([4; 32], 60),
        rates: RateLimiter::new(Policy::try_new("key", 1_000, 60).unwrap(), 10),
    };
    let keys = KeyTable::try_new(access(hour_ago), Box::new(|_, _| unreachable!("no key is sealed")));
    let surroundings = Surroundings {
        scheme: SCHEME,
        content_max: CONTENT_MAX,
        peer_of: |_| Some([192, 0, 2, 1].into()),
        scope_of: |parts| match parts.uri.path() {
            "/unknown" => Err(GateRefusal::Failed),
            _ => Ok(Scope::try_new("app:withdraw")?),
        },
    };
    let answerer = Answerer::new(signing(SERVER), SERVER.to_owned());
    let layer = GateLayer::new(Arc::new(Gate::new(options, keys.unwrap())), surroundings);
    let application = Application::default();
    let service = layer.answering_as(Arc::new(answerer)).layer(application.clone());
    House { application, service, next: 1 }
}

impl House {
    fn signed(&mut self, key: &str, method: Method, target: &str, body: &[u8]) -> Request<Full<Bytes>> {
        self.signed_at(0, key, method, target, body)
    }

    /// Signed so many seconds from now.
    fn signed_at(
        &mut self,
        seconds: i64,
        key: &str,
        method: Method,
        target: &str,
        body: &[u8],
    ) -> Request<Full<Bytes>> {
        let uri: Uri = format!("{SCHEME}://{HOST}{target}").parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(HOST));
        let created = Timestamp::now().as_second() + seconds;
        self.next += 1;
        let nonce = self.next.to_be_bytes();
        let key_id = format!("{key}.1");
        let parameters = SigningParameters { created, expires: created + 30, nonce: &nonce, key_id: &key_id };
        let line = RequestLine::of_uri(&method, &uri).unwrap();
        sign_request(&line, &mut headers, &signing(key), &parameters, body, &Profile::default()).unwrap();
        let mut request = Request::new(Full::new(Bytes::copy_from_slice(body)));
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().unwrap();
        *request.headers_mut() = headers;
        request
    }

    fn call(&mut self, request: &Request<Full<Bytes>>) -> Response<Vec<u8>> {
        done(self.service.call(request.clone())).unwrap()
    }

    #[track_caller]
    fn passes(&mut self, request: &Request<Full<Bytes>>, told: &str) {
        let before = self.application.0.lock().unwrap().len();
        let response = self.call(request);
        assert_eq!((response.status(), response.body().as_slice()), (StatusCode::OK, &b"done"[..]));
        assert_eq!(self.application.0.lock().unwrap()[before..], [told]);
    }

    #[track_caller]
    fn refused(&mut self, request: &Request<Full<Bytes>>, expected: &str) -> Response<Vec<u8>> {
        let before = self.application.0.lock().unwrap().len();
        let response = self.call(request);
        let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        let found = format!("{} {}", response.status().as_u16(), problem["code"].as_str().unwrap());
        assert_eq!(found, expected, "{problem}");
        assert_eq!(self.application.0.lock().unwrap().len(), before);
        response
    }
}

#[test]
fn what_is_signed_passes_once_with_its_permit_and_its_content() {
    let mut house = house();
    for (method, target, body) in [
        (Method::GET, "/", &b""[..]),
        (Method::POST, "/withdraw?x=%2F//", BODY),
        (Method::PUT, "//a/..", BODY),
    ] {
        let request = house.signed(OWN, method.clone(), target, body);
        house.passes(&request, &format!("trader {method} {target} {}", String::from_utf8_lossy(body)));
        house.refused(&request, "401 request.nonce_was_used");
    }
}

#[test]
fn what_is_not_for_this_key_or_time_is_refused() {
    let mut house = house();
    let unsigned = Request::builder().uri("/").header("host", HOST).body(Full::default()).unwrap();
    house.refused(&unsigned, "401 request.must_be_signed");
    for (key, expected) in [
        (READS, "403 key.scope_must_be_granted"),
        (INSIDE, "403 key.network_must_be_allowed"),
        ("k000000000009", "401 key.must_be_known"),
    ] {
        let request = house.signed(key, Method::POST, "/withdraw", BODY);
        house.refused(&request, expected);
    }
    for (seconds, expected) in
        [(-120, "401 request.must_be_fresh"), (120, "401 request.must_not_be_from_the_future")]
    {
        let request = house.signed_at(seconds, OWN, Method::GET, "/", b"");
        house.refused(&request, expected);
    }
    // A place whose need is not known is not open.
    let request = house.signed(OWN, Method::GET, "/unknown", b"");
    house.refused(&request, "503 gate.must_be_able_to_decide");
}

type Change = fn(&mut Request<Full<Bytes>>);

#[test]
fn what_is_changed_on_the_way_is_refused() {
    let mut house = house();
    let changes: [(Change, &str); 13] = [
        (
            |request| *request.uri_mut() = "/withdrew?to=alice".parse().unwrap(),
            "401 request.signature_must_be_valid",
        ),
        (
            |request| *request.uri_mut() = "/withdraw?to=mally".parse().unwrap(),
            "401 request.signature_must_be_valid",
        ),
        (|request| *request.uri_mut() = "/withdraw".parse().unwrap(), "401 request.signature_must_be_valid"),
        (
            |request| *request.uri_mut() = "//withdraw?to=alice".parse().unwrap(),
            "401 request.signature_must_be_valid",
        ),
        (|request| *request.method_mut() = Method::PUT, "401 request.signature_must_be_valid"),
        (|request| set(request, "host", "elsewhere"), "401 request.signature_must_be_valid"),
        (|request| add(request, "host", HOST), "400 request.must_name_one_host"),
        (
            |request| *request.uri_mut() = "https://elsewhere/withdraw?to=alice".parse().unwrap(),
            "400 request.must_name_one_host",
        ),
        (|request| add(request, "content-type", "text/plain"), "401 request.signature_must_cover"),
        (
            |request| *request.body_mut() = Full::new(Bytes::from_static(br#"{"to":"mally"}"#)),
            "401 request.content_must_match_digest",
        ),
        (|request| *request.body_mut() = Full::default(), "401 request.content_must_match_digest"),
        (
            |request| *request.body_mut() = Full::new(Bytes::from(vec![b'x'; CONTENT_MAX + 1])),
            "400 request.body_must_be_readable",
        ),
        (
            |request| {
                add(request, "content-length", "14");
                add(request, "transfer-encoding", "chunked");
            },
            "401 request.must_be_well_formed",
        ),
    ];
    for (change, expected) in changes {
        let mut request = house.signed(OWN, Method::POST, "/withdraw?to=alice", BODY);
        change(&mut request);
        house.refused(&request, expected);
    }
    let mut added = house.signed(OWN, Method::POST, "/withdraw", b"");
    *added.body_mut() = Full::new(Bytes::from_static(BODY));
    house.refused(&added, "401 request.content_must_have_digest");
}

fn set(request: &mut Request<Full<Bytes>>, name: &'static str, value: &'static str) {
    request.headers_mut().insert(name, HeaderValue::from_static(value));
}

fn add(request: &mut Request<Full<Bytes>>, name: &'static str, value: &'static str) {
    request.headers_mut().append(name, HeaderValue::from_static(value));
}

#[test]
fn refusals_are_signed_and_carry_a_challenge() {
    let mut house = house();
    let request = house.signed_at(-120, OWN, Method::POST, "/withdraw", BODY);
    let response = house.refused(&request, "401 request.must_be_fresh");
    assert!(response.headers().contains_key("accept-signature"));
    let line = RequestLine::received(request.method(), request.uri(), request.headers(), SCHEME).unwrap();
    let answer = strongroom_signature::Response { status: response.status(), headers: response.headers() };
    let asked = line.with(request.headers());
    let signed = SignedResponse::read(&answer, &asked, &ResponseProfile::default()).unwrap();
    let server = VerifyingKey::ed25519(&signing(SERVER).public_key().unwrap()).unwrap();
    let verified = signed.verify(&server, response.body()).unwrap();
    let now = Timestamp::now().as_second();
    assert!(verified.server_time().is_some_and(|time| (now - 5..=now).contains(&time)));
}

/// Times are judged before the signature, so a signed refusal as stale does not say that the request itself was stale:
/// why a client compares its own `created` with the server's time before it sends again.
#[test]
fn a_request_that_was_executed_can_still_be_refused_as_stale_by_who_changes_its_time() {
    let mut house = house();
    let request = house.signed(OWN, Method::POST, "/withdraw", BODY);
    house.passes(&request, &format!("trader POST /withdraw {}", String::from_utf8_lossy(BODY)));
    let mut changed = request.clone();
    let input = request.headers()["signature-input"].to_str().unwrap();
    let (before, rest) = input.split_once(";created=").unwrap();
    let after = rest.split_once(";keyid").unwrap().1;
    let input = format!("{before};created=1000;expires=1030;keyid{after}");
    changed.headers_mut().insert("signature-input", input.parse().unwrap());
    let response = house.refused(&changed, "401 request.must_be_fresh");
    assert_eq!(house.application.0.lock().unwrap().len(), 1);
    let answer = strongroom_signature::Response { status: response.status(), headers: response.headers() };
    let line = RequestLine::received(request.method(), request.uri(), request.headers(), SCHEME).unwrap();
    let asked = line.with(request.headers());
    let signed = SignedResponse::read(&answer, &asked, &ResponseProfile::default()).unwrap();
    let server = VerifyingKey::ed25519(&signing(SERVER).public_key().unwrap()).unwrap();
    assert!(signed.verify(&server, response.body()).unwrap().server_time().is_some());
}
