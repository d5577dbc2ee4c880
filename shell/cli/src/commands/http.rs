//! `strongroom http`: signs one request, sends it and prints what came back, like curl.

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::path::PathBuf;
use strongroom_client::{Answers, Client, ClientError, Options, Sent};

/// Signs one request with a key file, sends it, checks that the answer is the server's, and prints it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  strongroom http GET /v1/whoami --key ap-one.key\n  strongroom http POST https://HOST:8443/v1/funds/BTCX/orders --key ap-one.key \\\n      --body @order.json\n  strongroom http GET /prices --foreign --server https://APPLICATION --key ap-one.key"
)]
pub(crate) struct Http {
    /// GET, POST, DELETE, ...
    method: Method,
    /// Path and query, or a whole URL of the key's server
    target: String,
    /// JSON to send; @FILE reads a file
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    /// Another header field, NAME: VALUE
    #[arg(long = "header", short = 'H', value_name = "FIELD", value_parser = field)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Print status and header fields too
    #[arg(long, short)]
    include: bool,
    /// Take answers that nobody signed: an application behind the gate gives those
    #[arg(long)]
    foreign: bool,
}

/// Which key signs and whom it trusts.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyArgs {
    /// Key file that signs requests to a server
    #[arg(long, global = true, help_heading = crate::context::EVERYWHERE, env = "STRONGROOM_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Talk to this server instead of opening a database
    #[arg(long, global = true, help_heading = crate::context::EVERYWHERE, env = "STRONGROOM_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// PEM certificates to trust instead of the public ones
    #[arg(long, global = true, help_heading = crate::context::EVERYWHERE, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl KeyArgs {
    pub fn options(&self) -> Options {
        Options { server: self.server.clone(), ca: self.ca.clone(), ..Options::default() }
    }

    /// A client of the key file, for Strongroom's own answers.
    pub fn client(&self) -> Result<Client, Failure> {
        self.client_with(&self.options())
    }

    /// A client of the key file.
    pub fn client_with(&self, options: &Options) -> Result<Client, Failure> {
        let Some(path) = &self.key else {
            let failure = Failure::new("client.key_must_be_named", "no key signs this", Exit::CommandLine);
            return Err(failure.hint("Name a key file with --key; `strongroom key enrol` makes one."));
        };
        Ok(Client::open_with(path, options)?)
    }
}

impl Http {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let mut headers = HeaderMap::from_iter(self.headers);
        let body = match self.body {
            None => Vec::new(),
            Some(text) => match text.strip_prefix('@') {
                Some(path) => {
                    let path = PathBuf::from(path);
                    std::fs::read(&path).map_err(|error| Failure::file(&path, &error))?
                }
                None => text.into_bytes(),
            },
        };
        if !body.is_empty() {
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        let answers = if self.foreign { Answers::Any } else { Answers::Signed };
        let client = global.keys.client_with(&Options { answers, ..global.keys.options() })?;
        let answer = client.send(&Sent { method: self.method, target: self.target, headers, body })?;
        if self.include {
            print::line(format!("HTTP {}", answer.status));
            for (name, value) in &answer.headers {
                print::line(format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
            }
            print::line("");
        }
        if answer.status < 400 {
            print::line(String::from_utf8_lossy(&answer.body));
            return Ok(());
        }
        Err(answer
            .into_success()
            .err()
            .map_or_else(|| Failure::new("server.must_answer", "no answer", Exit::Refused), Failure::from))
    }
}

fn field(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it like `Idempotency-Key: a1`")?;
    let name = name.trim().parse().map_err(|_| "this is no name of a field")?;
    Ok((name, value.trim().parse().map_err(|_| "this is no value of a field")?))
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match error {
            ClientError::Refused { .. } => Exit::Refused,
            ClientError::Transport(_) | ClientError::AnswerMustBeSigned(_) => Exit::Database,
            _ => Exit::Input,
        };
        match error {
            ClientError::Refused { code, detail, .. } => Self::new(code, detail, exit),
            other => Self::new(other.code().to_owned(), other.to_string(), exit),
        }
    }
}
