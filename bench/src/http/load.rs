//! The load: requests that are ready, over a few connections that stay open, each waiting for its answer before it sends
//! the next.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Connections at once.
pub const CONNECTIONS: usize = 8;
/// An answer that takes longer is a fault.
const WAIT: Duration = Duration::from_secs(20);
const ANSWER_MAX: usize = 16 * 1024;

/// What came of it.
pub struct Load {
    /// From the first byte to the last, in seconds.
    pub seconds: f64,
    /// From sending to the whole answer, in microseconds, of each request.
    pub latencies: Vec<f64>,
    /// The content of one answer.
    pub answer: Vec<u8>,
}

/// Sends all requests and fails at the first answer with another status.
pub fn send(address: SocketAddr, requests: &[Vec<u8>], status: &str) -> Result<Load> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(WAIT))?;
        connections.push(stream);
    }
    let shares = requests.chunks(requests.len().div_ceil(CONNECTIONS).max(1));
    let start = Instant::now();
    let done: Vec<Result<(Vec<f64>, Vec<u8>)>> = std::thread::scope(|scope| {
        let running: Vec<_> = connections
            .into_iter()
            .zip(shares)
            .map(|(stream, share)| scope.spawn(move || one_by_one(stream, share, status)))
            .collect();
        let failed = |_| Err(Error::other("a connection's thread ended early"));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(failed)).collect()
    });
    let mut load = Load { seconds: start.elapsed().as_secs_f64(), latencies: Vec::new(), answer: Vec::new() };
    for share in done {
        let (latencies, answer) = share?;
        load.latencies.extend(latencies);
        load.answer = answer;
    }
    Ok(load)
}

fn one_by_one(mut stream: TcpStream, requests: &[Vec<u8>], status: &str) -> Result<(Vec<f64>, Vec<u8>)> {
    let mut latencies = Vec::with_capacity(requests.len());
    let mut room = vec![0; ANSWER_MAX];
    let mut answer = Vec::new();
    for request in requests {
        let start = Instant::now();
        stream.write_all(request)?;
        let (head, whole) = read_answer(&mut stream, &mut room)?;
        latencies.push(start.elapsed().as_secs_f64() * 1e6);
        let told = room.get(..whole).unwrap_or_default();
        if told.get(9..12) != Some(status.as_bytes()) {
            return Err(Error::other(String::from_utf8_lossy(told).into_owned()));
        }
        answer.clear();
        answer.extend_from_slice(told.get(head..).unwrap_or_default());
    }
    Ok((latencies, answer))
}

/// Reads one answer with a `Content-Length`; gives the bytes of its head and of the whole.
fn read_answer(stream: &mut TcpStream, room: &mut [u8]) -> Result<(usize, usize)> {
    let mut filled = 0;
    let mut bounds = None;
    loop {
        let got = stream.read(room.get_mut(filled..).unwrap_or_default())?;
        if got == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        filled += got;
        let seen = room.get(..filled).unwrap_or_default();
        if bounds.is_none() {
            bounds = bounds_of(seen)?;
        }
        if let Some((head, whole)) = bounds.filter(|(_, whole)| filled >= *whole) {
            return Ok((head, whole));
        }
    }
}

/// Where the head of an answer ends and where its content does; none while the head is not whole.
fn bounds_of(seen: &[u8]) -> Result<Option<(usize, usize)>> {
    const NAME: &[u8] = b"content-length:";
    let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = seen.get(..end).unwrap_or_default();
    let line = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    });
    let length = line.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    let length = length.ok_or_else(|| Error::other("an answer must have a length"))?;
    Ok(Some((end + 4, end + 4 + length)))
}
