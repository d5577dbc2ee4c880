//! Bounds of connections: how many, and how long a peer may take to say what it wants. Whoever says nothing, or says it
//! slowly, holds a place for a short time only, and no address holds all of them.

use axum_server::Server;
use axum_server::accept::Accept;
use core::future::Future;
use core::net::IpAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

/// Connections at once. Most systems let a process have 1,024 files, and the database needs some.
const CONNECTIONS_MAX: usize = 800;
/// Connections of one address; loopback, where a proxy speaks for all, may have all.
const CONNECTIONS_OF_ONE_MAX: usize = 200;
/// How long the fields of a request may take to arrive, and a connection may wait for its next one: longer than clients
/// keep an idle connection, so that it is they who close it.
const FIELDS_WAIT: Duration = Duration::from_secs(30);
/// How often a silent HTTP/2 peer is asked whether it is still there, and how long its answer may take.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Bytes of all header fields of a request.
const FIELDS_MAX: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;

/// Sets what a connection may take and for how long.
pub(crate) fn bounded<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, Bounded<A>> {
    let builder = server.http_builder();
    builder.http1().header_read_timeout(FIELDS_WAIT).max_buf_size(FIELDS_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(FIELDS_MAX as u32)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY);
    server.first_request_timeout(FIELDS_WAIT).map(|inner| Bounded { inner, places: Arc::default() })
}

/// An acceptor that closes what is too much.
#[derive(Clone)]
pub(crate) struct Bounded<A> {
    inner: A,
    places: Arc<Places>,
}

/// How many connections are open, by address.
#[derive(Default)]
struct Places(Mutex<HashMap<IpAddr, usize>>);

impl Places {
    fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own_max = if peer.is_loopback() { CONNECTIONS_MAX } else { CONNECTIONS_OF_ONE_MAX };
        let own = held.get(&peer).copied().unwrap_or_default();
        if own >= own_max || held.values().sum::<usize>() >= CONNECTIONS_MAX {
            return None;
        }
        held.insert(peer, own + 1);
        Some(Place { places: self.clone(), peer })
    }
}

/// One connection's place, free again when it is dropped.
struct Place {
    places: Arc<Places>,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                held.remove(&self.peer);
            }
        }
    }
}

/// The service of one connection, which holds its place for as long.
#[derive(Clone)]
pub(crate) struct Held<S> {
    service: S,
    _place: Arc<Place>,
}

impl<R, S: Service<R>> Service<R> for Held<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}

impl<A, S> Accept<TcpStream, S> for Bounded<A>
where
    A: Accept<TcpStream, S>,
    A::Future: Send + 'static,
    A::Stream: 'static,
    A::Service: 'static,
{
    type Stream = A::Stream;
    type Service = Held<A::Service>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = stream.peer_addr().ok().and_then(|peer| self.places.take(peer.ip()));
        let Some(place) = place else {
            return Box::pin(async {
                Err(io::Error::other("there are as many connections as there may be"))
            });
        };
        let accepted = self.inner.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            Ok((stream, Held { service, _place: Arc::new(place) }))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot make its input has failed")]
mod tests {
    use super::*;

    #[test]
    fn no_address_takes_all_places_and_a_place_is_free_again() {
        let places = Arc::<Places>::default();
        let (one, same) = ("198.51.100.1".parse().unwrap(), "::ffff:198.51.100.1".parse().unwrap());
        let mut held: Vec<Place> = (0..CONNECTIONS_OF_ONE_MAX).map(|_| places.take(one).unwrap()).collect();
        assert!(places.take(one).is_none() && places.take(same).is_none());
        let loopback = "127.0.0.1".parse().unwrap();
        held.extend((0..CONNECTIONS_MAX - CONNECTIONS_OF_ONE_MAX).map(|_| places.take(loopback).unwrap()));
        assert!(places.take("198.51.100.2".parse().unwrap()).is_none(), "all places are taken");
        held.clear();
        assert!(places.take(same).is_some());
        assert!(places.0.lock().unwrap().is_empty());
    }
}
