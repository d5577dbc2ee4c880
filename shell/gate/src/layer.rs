//! The gate as a `tower` layer: in front of any service that takes `http` requests.
//!
//! A request that passes goes on with its content collected and a [`Permit`] among its extensions; one that does not
//! is answered with a problem (RFC 9457), and the service never sees it.

use crate::gate::{Gate, Need};
use crate::refusal::GateRefusal;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use strongroom_access::Scope;
use strongroom_signature::{Content, RequestLine};
use strongroom_units::time::Timestamp;
use tower_layer::Layer;
use tower_service::Service;

/// What a layer has to know that no request says.
#[derive(Clone)]
pub struct Surroundings {
    /// `https` or `http`, as clients see this service.
    pub scheme: &'static str,
    /// The most bytes of content.
    pub content_max: usize,
    /// From where a request came: whoever accepts connections knows.
    pub peer_of: fn(&Parts) -> Option<IpAddr>,
    /// The scope that a request needs; an error refuses.
    pub scope_of: fn(&Parts) -> Result<Scope, GateRefusal>,
}

/// Puts the gate in front of a service.
#[derive(Clone)]
pub struct GateLayer {
    gate: Arc<Gate>,
    surroundings: Surroundings,
}

impl GateLayer {
    /// A layer of this gate.
    pub fn new(gate: Arc<Gate>, surroundings: Surroundings) -> Self {
        Self { gate, surroundings }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, gate: self.gate.clone(), surroundings: self.surroundings.clone() }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    gate: Arc<Gate>,
    surroundings: Surroundings,
}

impl<S, B, A> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<Full<bytes::Bytes>>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    A: From<Vec<u8>>,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (gate, surroundings) = (self.gate.clone(), self.surroundings.clone());
        // The service that was polled ready is the one to call; its copy waits for the next request.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        Box::pin(async move {
            match pass(&gate, &surroundings, request).await {
                Ok(request) => inner.call(request).await,
                Err(refusal) => Ok(answer(&gate, &refusal)),
            }
        })
    }
}

async fn pass<B>(
    gate: &Gate,
    surroundings: &Surroundings,
    request: Request<B>,
) -> Result<Request<Full<bytes::Bytes>>, GateRefusal>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut parts, body) = request.into_parts();
    let scope = (surroundings.scope_of)(&parts)?;
    let peer = (surroundings.peer_of)(&parts).ok_or(GateRefusal::Failed)?;
    let (permit, content) = {
        let line = RequestLine::received(&parts.method, &parts.uri, &parts.headers, surroundings.scheme)
            .map_err(|_| GateRefusal::HostMustBeOne)?;
        let candidate = gate.read(&line.with(&parts.headers), Timestamp::now())?;
        let content = Limited::new(body, surroundings.content_max).collect().await;
        let content = content.map_err(|_| GateRefusal::ContentMustBeReadable)?.to_bytes();
        let need = Need { scope: Some(&scope), peer, now: Timestamp::now() };
        (gate.judge(candidate, Content::Bytes(&content), &need)?, content)
    };
    parts.extensions.insert(permit);
    Ok(Request::from_parts(parts, Full::new(content)))
}

fn answer<A: From<Vec<u8>>>(gate: &Gate, refusal: &GateRefusal) -> Response<A> {
    let now = Timestamp::now();
    let body = refusal.problem(now).to_string().into_bytes();
    let mut response = Response::new(A::from(body));
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in gate.healing(refusal, now) {
        headers.insert(name, value);
    }
    debug_assert_ne!(response.status(), StatusCode::OK);
    response
}
