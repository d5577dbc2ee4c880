//! A receiver on this machine that answers what it is told to, and keeps what came.

use http::{HeaderMap, HeaderName};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A webhook as it came.
#[derive(Clone, Debug)]
pub struct Came {
    pub line: String,
    pub headers: HeaderMap,
    pub content: Vec<u8>,
}

pub struct Listener {
    pub port: u16,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Listener {
    /// Answers each request with the next of these heads, then with 204.
    pub fn answering(heads: &[&str]) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let came: Arc<Mutex<Vec<Came>>> = Arc::default();
        let mut heads: Vec<String> = heads.iter().rev().map(|&head| head.to_owned()).collect();
        let kept = came.clone();
        std::thread::spawn(move || {
            for stream in socket.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let Some(one) = read(&mut reader) else { continue };
                kept.lock().unwrap().push(one);
                let head = heads.pop().unwrap_or_else(|| "204 No Content".to_owned());
                let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                // Whoever sent it may have gone away.
                drop(reader.get_mut().write_all(answer.as_bytes()));
            }
        });
        Self { port, came }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/in?from=fund", self.port)
    }

    pub fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }
}

fn read(reader: &mut BufReader<std::net::TcpStream>) -> Option<Came> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut headers = HeaderMap::new();
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).unwrap();
        let Some((name, value)) = field.trim_end().split_once(": ") else { break };
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let length = headers["content-length"].to_str().unwrap().parse().unwrap();
    let mut content = vec![0; length];
    reader.read_exact(&mut content).unwrap();
    Some(Came { line: line.trim_end().to_owned(), headers, content })
}
