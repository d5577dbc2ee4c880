//! Somebody else's application: answers everything with 200 and keeps what it got, byte for byte. At paths that end
//! with `/fails` it answers 503, and with `/pretends` it speaks as if it were the gate.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the gate says of a clock that is slow.
const PRETENCE: &str =
    r#"{"code":"request.must_be_fresh","detail":"sign anew","server_time":"2030-01-01T00:00:00Z"}"#;

pub struct Application {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

/// One request that reached it.
#[derive(Debug, Clone)]
pub struct Received {
    /// Method and target.
    pub line: String,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    /// All values of a field.
    pub fn field(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

impl Application {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = kept.clone();
                std::thread::spawn(move || serve(stream.unwrap(), &kept));
            }
        });
        Self { port, received }
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<Received>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(received) = read(&mut reader) {
        let (status, body) = match received.line.rsplit('/').next() {
            Some("fails") => ("503 Service Unavailable", "done"),
            Some("pretends") => ("401 Unauthorized", PRETENCE),
            _ => ("200 OK", "done"),
        };
        kept.lock().unwrap().push(received);
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let line = read_line(reader)?;
    let mut fields = Vec::new();
    loop {
        let field = read_line(reader)?;
        if field.is_empty() {
            break;
        }
        let (name, value) = field.split_once(':')?;
        fields.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut received = Received { line: line.rsplit_once(' ')?.0.to_owned(), fields, body: String::new() };
    let body = match received.field("content-length").first() {
        Some(length) => read_bytes(reader, length.parse().ok()?)?,
        None if received.field("transfer-encoding") == ["chunked"] => read_chunks(reader)?,
        None => Vec::new(),
    };
    received.body = String::from_utf8_lossy(&body).into_owned();
    Some(received)
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn read_bytes(reader: &mut BufReader<TcpStream>, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn read_chunks(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&read_line(reader)?, 16).ok()?;
        body.extend(read_bytes(reader, length)?);
        read_line(reader)?;
        if length == 0 {
            return Some(body);
        }
    }
}
