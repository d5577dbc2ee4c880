//! The gate as a `tower` layer: in front of any service that takes `http` requests.
//!
//! A request that passes goes on with its content collected and a [`Permit`] among its extensions; one that does not
//! is answered with a problem (RFC 9457), and the service never sees it. What the service answers goes out as it is.
//! How long a request may take to arrive is for whoever accepts connections to bound.

use crate::answer::Answerer;
use crate::gate::{Gate, Need, Permit};
use crate::refusal::GateRefusal;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, header};
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
    answerer: Option<Arc<Answerer>>,
}

impl GateLayer {
    /// A layer of this gate.
    pub fn new(gate: Arc<Gate>, surroundings: Surroundings) -> Self {
        Self { gate, surroundings, answerer: None }
    }

    /// The layer signs its refusals, so that clients may heal by them.
    #[must_use]
    pub fn answering_as(self, answerer: Arc<Answerer>) -> Self {
        Self { answerer: Some(answerer), ..self }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, layer: self.clone() }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    layer: GateLayer,
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
        let layer = self.layer.clone();
        // The service that was polled ready is the one to call; its copy waits for the next request.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match layer.pass(&parts, body).await {
                Ok((permit, content)) => {
                    parts.extensions.insert(permit);
                    inner.call(Request::from_parts(parts, Full::new(content))).await
                }
                Err(refusal) => Ok(layer.answer(&parts, &refusal)),
            }
        })
    }
}

impl GateLayer {
    async fn pass<B>(&self, parts: &Parts, body: B) -> Result<(Permit, bytes::Bytes), GateRefusal>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let scope = (self.surroundings.scope_of)(parts)?;
        let peer = (self.surroundings.peer_of)(parts).ok_or(GateRefusal::Failed)?;
        let line = self.line_of(parts).ok_or(GateRefusal::HostMustBeOne)?;
        let candidate = self.gate.read(&line.with(&parts.headers), Timestamp::now())?;
        let content = Limited::new(body, self.surroundings.content_max).collect().await;
        let content = content.map_err(|_| GateRefusal::ContentMustBeReadable)?.to_bytes();
        let need = Need { scope: Some(&scope), peer, now: Timestamp::now() };
        Ok((self.gate.judge(candidate, Content::Bytes(&content), &need)?, content))
    }

    fn line_of<'m>(&'m self, parts: &'m Parts) -> Option<RequestLine<'m>> {
        RequestLine::received(&parts.method, &parts.uri, &parts.headers, self.surroundings.scheme).ok()
    }

    fn answer<A: From<Vec<u8>>>(&self, parts: &Parts, refusal: &GateRefusal) -> Response<A> {
        let now = Timestamp::now();
        let body = refusal.problem(now).to_string().into_bytes();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.gate.healing(refusal, now));
        if let (Some(answerer), Some(line)) = (&self.answerer, self.line_of(parts)) {
            let request = line.with(&parts.headers);
            // Where it cannot be signed it goes out as it is: whoever needs a signature does not believe it.
            drop(answerer.sign(refusal.status(), &mut headers, &request, &body, now));
        }
        let mut response = Response::new(A::from(body));
        *response.status_mut() = refusal.status();
        *response.headers_mut() = headers;
        response
    }
}
