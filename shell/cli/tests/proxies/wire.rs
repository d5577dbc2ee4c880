//! Requests as bytes on a socket, so that a test can say what no HTTP library would.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What came back on a connection: its first answer, and the whole text.
#[derive(Debug, Clone)]
pub struct Answer {
    /// 0 where the connection was closed without a word.
    pub status: u16,
    pub text: String,
}

impl Answer {
    /// The code of a problem; empty where it is none.
    pub fn code(&self) -> String {
        let problem = self.text.find('{').zip(self.text.rfind('}')).map(|(from, to)| &self.text[from..=to]);
        let problem: Option<Value> = problem.and_then(|problem| serde_json::from_str(problem).ok());
        problem.and_then(|problem| Some(problem["code"].as_str()?.to_owned())).unwrap_or_default()
    }

    /// The values of a field.
    pub fn field(&self, name: &str) -> Vec<&str> {
        let fields = self.text.split("\r\n\r\n").next().unwrap_or_default().lines().skip(1);
        let fields = fields.filter_map(|line| line.split_once(": "));
        fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

/// Sends bytes on a new connection and reads until it is closed. The bytes ask for that with `connection: close`.
pub fn send(port: u16, bytes: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A proxy that refuses early may close before it has read everything.
    let _ = stream.write_all(bytes.as_bytes());
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        answer.extend_from_slice(&part[..length]);
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, text }
}
