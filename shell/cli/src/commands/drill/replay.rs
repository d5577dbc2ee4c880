//! One signed request, repeated and changed in every way that a gate should refuse. The target may be any HTTP API: what is
//! asked is only whether the answer is a success.

use super::load::PATIENCE;
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use strongroom_client::{Answers, Options, Sent, send_as_it_is};

/// Captures one signed request, then repeats and changes it.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// GET, POST, ...
    #[arg(required_unless_present = "request", conflicts_with = "request")]
    method: Option<Method>,
    /// Path and query at the key's server
    #[arg(required_unless_present = "request", conflicts_with = "request")]
    target: Option<String>,
    /// JSON to send
    #[arg(long, value_name = "JSON", conflicts_with = "request")]
    body: Option<String>,
    /// A file with a request that was captured
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
}

type Captured = Request<Vec<u8>>;

/// One try and what came of it.
#[derive(Debug, Serialize)]
struct Tried {
    attack: &'static str,
    status: u16,
    let_in: bool,
}

impl Replay {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let options = Options { answers: Answers::Any, ..global.keys.options() };
        let (captured, original) = match &self.request {
            Some(path) => {
                let captured = read(path)?;
                let status = send_as_it_is(&options, &captured)?.status;
                (captured, status)
            }
            None => self.capture(global, &options)?,
        };
        if original >= 400 {
            let message =
                format!("the request itself was refused with {original}, so its repeats say nothing");
            return Err(Failure::new("drill.request_must_pass", message, Exit::Refused));
        }
        let mut tried = Vec::new();
        for (attack, changed) in attacks(&captured) {
            let status = send_as_it_is(&options, &changed)?.status;
            tried.push(Tried { attack, status, let_in: status < 400 });
        }
        report(global, original, &tried)
    }
}

impl Replay {
    /// Signs a request and sends it. A server that has just started asks for challenges for some seconds: it is tried
    /// again, signed anew, until one passes.
    fn capture(&self, global: &Global, options: &Options) -> Result<(Captured, u16), Failure> {
        let client = global.keys.client_with(options)?;
        let body = self.body.clone().unwrap_or_default().into_bytes();
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let method = self.method.clone().unwrap_or(Method::GET);
        let request = Sent { method, target: self.target.clone().unwrap_or_default(), headers, body };
        let begun = Instant::now();
        loop {
            let captured = client.sign(&request)?;
            let status = send_as_it_is(options, &captured)?.status;
            if status != 401 || begun.elapsed() > PATIENCE {
                return Ok((captured, status));
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

fn report(global: &Global, original: u16, tried: &[Tried]) -> Result<(), Failure> {
    let let_in = tried.iter().filter(|one| one.let_in).count();
    if global.json {
        print::json(&serde_json::json!({ "original": original, "let_in": let_in, "tried": tried }))?;
    } else {
        let columns = [("attack", Align::Left), ("status", Align::Right), ("", Align::Left)];
        let cells = tried.iter().map(|one| {
            let verdict = if one.let_in { "LET IN" } else { "refused" };
            vec![one.attack.to_owned(), one.status.to_string(), verdict.to_owned()]
        });
        print::line(print::table(&columns, cells));
    }
    match let_in {
        0 => Ok(()),
        _ => Err(Failure::new(
            "drill.promises_must_hold",
            format!("{let_in} of {} were let in", tried.len()),
            Exit::Refused,
        )),
    }
}

/// The request again, and changed. Each change alone.
fn attacks(captured: &Captured) -> Vec<(&'static str, Captured)> {
    let changed = |change: &dyn Fn(&mut Captured)| {
        let mut request = captured.clone();
        change(&mut request);
        request
    };
    let field = |name: &'static str, from: &'static str, to: &'static str| {
        changed(&|request| edit(request, name, &|text| text.replacen(from, to, 1)))
    };
    let mut all = vec![
        ("the same again", captured.clone()),
        ("the same a third time", captured.clone()),
        ("another query", changed(&|request| aim(request, |target| with_query(target, "repeat=1")))),
        ("another path", changed(&|request| aim(request, |target| in_path(target, "%2e/")))),
        (
            "another method",
            changed(&|request| {
                *request.method_mut() =
                    if *request.method() == Method::POST { Method::PUT } else { Method::DELETE };
            }),
        ),
        ("other content", changed(&|request| request.body_mut().extend_from_slice(b" "))),
        ("no content digest", changed(&|request| drop(request.headers_mut().remove("content-digest")))),
        (
            "another time",
            changed(&|request| edit(request, "signature-input", &|text| later(text, "created="))),
        ),
        (
            "another end",
            changed(&|request| edit(request, "signature-input", &|text| later(text, "expires="))),
        ),
        ("another nonce", field("signature-input", "nonce=\"", "nonce=\"AAAA")),
        ("padding on the nonce", changed(&|request| edit(request, "signature-input", &pad))),
        ("another key", field("signature-input", "keyid=\"", "keyid=\"x")),
        ("another tag", field("signature-input", "tag=\"", "tag=\"x")),
        (
            "another label",
            changed(&|request| {
                for name in ["signature-input", "signature"] {
                    edit(request, name, &|text| format!("again{text}"));
                }
            }),
        ),
        ("fewer components", field("signature-input", "\"@method\" ", "")),
        ("another signature", changed(&|request| edit(request, "signature", &flip))),
        (
            "no signature",
            changed(&|request| {
                request.headers_mut().remove("signature");
                request.headers_mut().remove("signature-input");
            }),
        ),
    ];
    // What changed nothing would only be the same again under another name.
    all.retain(|(name, request)| name.starts_with("the same") || differs(captured, request));
    all
}

fn differs(one: &Captured, other: &Captured) -> bool {
    one.method() != other.method()
        || one.uri() != other.uri()
        || one.headers() != other.headers()
        || one.body() != other.body()
}

fn edit(request: &mut Captured, name: &'static str, change: &dyn Fn(&str) -> String) {
    let old = request.headers().get(name).and_then(|value| value.to_str().ok()).map(change);
    if let Some(Ok(value)) = old.map(HeaderValue::try_from) {
        request.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

fn aim(request: &mut Captured, change: impl Fn(&str) -> String) {
    if let Ok(uri) = change(&request.uri().to_string()).parse() {
        *request.uri_mut() = uri;
    }
}

fn with_query(target: &str, pair: &str) -> String {
    let mark = if target.contains('?') { '&' } else { '?' };
    format!("{target}{mark}{pair}")
}

/// Puts a text at the beginning of the path.
fn in_path(target: &str, text: &str) -> String {
    let Some((scheme, rest)) = target.split_once("://") else { return target.to_owned() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!("{scheme}://{host}/{text}{path}")
}

/// The number after a parameter, one more.
fn later(text: &str, parameter: &str) -> String {
    let Some((head, tail)) = text.split_once(parameter) else { return text.to_owned() };
    let digits: String = tail.chars().take_while(char::is_ascii_digit).collect();
    let rest = tail.get(digits.len()..).unwrap_or_default();
    let number: i64 = digits.parse().unwrap_or_default();
    format!("{head}{parameter}{}{rest}", number.saturating_add(1))
}

/// The same nonce in another form.
fn pad(text: &str) -> String {
    let Some((head, tail)) = text.split_once("nonce=\"") else { return text.to_owned() };
    let Some((nonce, rest)) = tail.split_once('"') else { return text.to_owned() };
    format!("{head}nonce=\"{}\"{rest}", nonce.replace('-', "+").replace('_', "/") + "=")
}

/// Another character in the middle of the signature.
fn flip(text: &str) -> String {
    let place = text.len() / 2;
    let swap = |(at, letter): (usize, char)| match (at == place, letter) {
        (true, 'A') => 'B',
        (true, _) => 'A',
        _ => letter,
    };
    text.char_indices().map(swap).collect()
}

/// `METHOD URL`, header fields, an empty line, content.
fn read(path: &Path) -> Result<Captured, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let wrong = |what: &str| {
        Failure::new("drill.request_must_be_readable", format!("{}: {what}", path.display()), Exit::Input)
    };
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let (method, url) = first.split_once(' ').ok_or_else(|| wrong("the first line is METHOD URL"))?;
    let mut request = Request::new(body.as_bytes().to_vec());
    *request.method_mut() = method.parse().map_err(|_| wrong("this is no method"))?;
    let url: Uri = url.trim().parse().map_err(|_| wrong("this is no URL"))?;
    if url.scheme().is_none() {
        return Err(wrong("the URL needs its scheme and host"));
    }
    *request.uri_mut() = url;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| wrong("a header field is NAME: VALUE"))?;
        let name: HeaderName = name.trim().parse().map_err(|_| wrong("this is no name of a field"))?;
        let value: HeaderValue = value.trim().parse().map_err(|_| wrong("this is no value of a field"))?;
        request.headers_mut().append(name, value);
    }
    Ok(request)
}
