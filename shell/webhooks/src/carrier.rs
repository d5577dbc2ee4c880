//! One attempt over HTTP.

use crate::reach::Reach;
use http::{HeaderMap, Request, header};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use strongroom_webhook::{Failure, Outcome};
use ureq::tls::{TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// How long an attempt may take: the lower end of what Standard Webhooks recommends.
const WAIT: Duration = Duration::from_secs(15);
/// How much of a failure is kept.
const SAID_CHARACTERS_MAX: usize = 200;
/// What the sender calls itself.
const USER_AGENT: &str = concat!("strongroom-webhooks/", env!("CARGO_PKG_VERSION"));

/// What is to be sent.
#[derive(Debug, Clone)]
pub struct Sending {
    /// To where.
    pub url: String,
    /// The three fields of a webhook.
    pub headers: HeaderMap,
    /// The body.
    pub content: Vec<u8>,
}

/// Sends one webhook and says what came of it.
pub trait Carrier: Send + Sync {
    /// Waits for the answer, within a bound.
    fn carry(&self, sending: &Sending) -> Outcome;
}

/// Over HTTP/1.1 and TLS. The answer's content is not read.
pub struct HttpCarrier {
    agent: ureq::Agent,
    reach: Reach,
}

impl HttpCarrier {
    /// To addresses of this reach.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls =
            TlsConfig::builder().provider(TlsProvider::Rustls).unversioned_rustls_crypto_provider(provider);
        let config = ureq::Agent::config_builder()
            .tls_config(tls.build())
            // A proxy of the environment would look names up by itself, and reach what this machine must not.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            .timeout_global(Some(WAIT))
            .build();
        let resolver = Guarded { reach: reach.clone(), inner: DefaultResolver::default() };
        Self { agent: ureq::Agent::with_parts(config, DefaultConnector::default(), resolver), reach }
    }
}

impl Carrier for HttpCarrier {
    fn carry(&self, sending: &Sending) -> Outcome {
        let uri = match self.reach.check(&sending.url) {
            Ok(uri) => uri,
            Err(refusal) => return Outcome::Failed(Failure::Address(refusal.to_string())),
        };
        let mut request = Request::new(sending.content.as_slice());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = sending.headers.clone();
        match self.agent.run(request) {
            Ok(answer) => Outcome::Answered {
                status: answer.status().as_u16(),
                retry_after: answer
                    .headers()
                    .get(header::RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.parse().ok()),
            },
            Err(error) => Outcome::Failed(failure_of(&error)),
        }
    }
}

fn failure_of(error: &ureq::Error) -> Failure {
    let text: String = error.to_string().chars().take(SAID_CHARACTERS_MAX).collect();
    match error {
        ureq::Error::Other(inner) if inner.is::<NotPermitted>() => Failure::Address(text),
        _ => Failure::Transport(text),
    }
}

/// Looks names up, and gives only addresses that may be connected to. What it gives is what is connected to, so a name
/// cannot stand for one address when it is looked at and for another afterwards.
struct Guarded {
    reach: Reach,
    inner: DefaultResolver,
}

/// A name that stands for an address that nothing is delivered to.
#[derive(Debug, thiserror::Error)]
#[error("the name stands for {0}, an address of a network that nothing is delivered into")]
struct NotPermitted(std::net::IpAddr);

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guarded({:?})", self.reach)
    }
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        // One that is not permitted among others that are is no mistake of whoever answers for that name.
        match found.iter().find(|address| !self.reach.permits(address.ip())) {
            Some(address) => Err(ureq::Error::Other(Box::new(NotPermitted(address.ip())))),
            None => Ok(found),
        }
    }
}
