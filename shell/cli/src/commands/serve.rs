//! `strongroom serve`: one server for the database's funds, behind the gate.

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use strongroom_access::Environment;
use strongroom_server::{ServeError, ServerOptions, Tls, serve};
use strongroom_vault::{KekSource, Vault};

/// Serves the database's funds over HTTP; every request is signed, every answer too.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  strongroom serve\n  strongroom serve --listen 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem \\\n      --environment live"
)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one. Without a certificate on loopback only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Which installation this is; keys of another are refused
    #[arg(long, value_name = "NAME", default_value = "dev", value_parser = environment)]
    environment: Environment,
    /// Keep nonces in this folder, so that a restart refuses nothing; without it clients answer a challenge after one
    #[arg(long, value_name = "FOLDER")]
    nonces: Option<PathBuf>,
    /// Keep nonces in this Redis, for several servers of one database: redis:// or rediss://
    #[arg(
        long,
        env = "STRONGROOM_REDIS",
        value_name = "URL",
        conflicts_with = "nonces",
        hide_env_values = true
    )]
    redis: Option<String>,
    /// Requests that one key may make in a minute
    #[arg(long, value_name = "COUNT", default_value_t = 6_000)]
    rate_per_minute: u32,
    /// A network whose proxies may ask for decisions, beside loopback; once for each
    #[arg(long = "proxy", value_name = "CIDR")]
    proxies: Vec<ipnet::IpNet>,
    /// What others call this server, behind a proxy
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// How the log is written to standard error, a line for each request and for what stands out
    #[arg(long, env = "STRONGROOM_LOG", value_name = "FORMAT", value_enum, default_value_t = Log::Text)]
    log: Log,
    #[command(flatten)]
    kek: KekArgs,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Log {
    // For people.
    Text,
    // An object a line, for programs.
    Json,
    // None.
    Off,
}

impl Log {
    /// Nothing is written to standard output, which belongs to what the command says.
    fn begin(self) {
        let log = tracing_subscriber::fmt().with_writer(std::io::stderr);
        // An error means that a log has begun already, which will do.
        match self {
            Self::Text => drop(log.with_ansi(false).try_init()),
            Self::Json => drop(log.json().flatten_event(true).try_init()),
            Self::Off => {}
        }
    }
}

/// Where the key-encryption key is.
#[derive(Debug, Clone, Args)]
pub(crate) struct KekArgs {
    /// Key-encryption key: file:PATH, env:NAME or pkcs11:URI; a file beside the database when absent, made at first
    #[arg(long, env = "STRONGROOM_KEK", value_name = "SOURCE")]
    kek: Option<KekSource>,
    /// A key-encryption key of before, once for each: what it wrapped is wrapped anew at the start
    #[arg(long = "former-kek", value_name = "SOURCE")]
    former: Vec<KekSource>,
}

impl KekArgs {
    /// Opens the vault. Only the file beside the database is made where there is none: whoever names a source means
    /// one that exists.
    pub fn vault(&self, global: &Global) -> Result<Vault, Failure> {
        let kek = match &self.kek {
            Some(source) => source.load()?,
            None => {
                let path = PathBuf::from(format!("{}.kek", global.sqlite_path()?.display()));
                let is_new = !path.exists();
                let source = KekSource::File(path);
                if is_new { source.create_new()? } else { source.load()? }
            }
        };
        let former = self.former.iter().map(KekSource::load);
        former.into_iter().try_fold(Vault::new(kek), |vault, kek| Ok(vault.with_former(kek?)?))
    }
}

impl Serve {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        self.log.begin();
        let vault = self.kek.vault(global)?;
        let mut desk = global.open()?;
        let kept = Kept {
            signed: desk.log_head()?.key.is_some(),
            anchored: global.log.anchor_path(&global.location()?).is_some(),
        };
        let options = ServerOptions {
            listen: self.listen,
            tls: self.tls_cert.zip(self.tls_key).map(|(certificate, key)| Tls { certificate, key }),
            environment: self.environment,
            nonces: self.nonces,
            redis: self.redis,
            rate_per_minute: self.rate_per_minute,
            proxies: self.proxies,
            public_url: self.public_url,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Failure::new("server.must_start", error.to_string(), Exit::Database))?;
        runtime.block_on(async {
            let mut running = serve(desk, vault, options).await?;
            announce(global, &running, &kept)?;
            tokio::select! {
                ended = running.wait() => return Err(ended.err().map_or_else(stopped, Failure::from)),
                () = told_to_stop() => {}
            }
            running.stop().await;
            Ok(())
        })
    }
}

/// How the history of the database is kept.
struct Kept {
    signed: bool,
    anchored: bool,
}

fn stopped() -> Failure {
    Failure::new("server.must_keep_listening", "the server ended by itself", Exit::Database)
}

/// Where it listens, and once in its life how the first operator gets in.
fn announce(global: &Global, running: &strongroom_server::Running, kept: &Kept) -> Result<(), Failure> {
    let invitation = running.invitation.as_ref();
    if global.json {
        let enrolment = invitation.map(|new| format!("{}.{}", new.enrolment, new.code));
        let said = serde_json::json!({
            "url": running.url,
            "first_enrolment": enrolment,
            "rewrapped": running.rewrapped,
            "log_signed": kept.signed,
            "log_anchored": kept.anchored,
        });
        return print::json_line(&said);
    }
    print::line(format!("Strongroom serves {} at {}", global.database, running.url));
    if !kept.signed {
        print::line(
            "Nobody signs the log: what is written can be verified, and nobody vouches for it. Give --log-key.",
        );
    }
    if !kept.anchored {
        print::line(
            "No checkpoint is kept outside the database: an older copy would not be noticed. Give --anchor.",
        );
    }
    if running.rewrapped > 0 {
        let count = super::counted(running.rewrapped.try_into().unwrap_or(u64::MAX), "secret");
        print::line(format!("{count} wrapped anew: the former key-encryption key is no longer needed"));
    }
    if let Some(new) = invitation {
        print::line(format!(
            "\nNobody can operate it yet. Enrol the first operator within a day; this is shown once:\n\n  \
             strongroom key enrol --server {} --code {}.{} --out operator.key\n",
            running.url, new.enrolment, new.code
        ));
    }
    Ok(())
}

/// Control-C, or the signal by which a service manager ends a service.
pub(crate) async fn told_to_stop() {
    // Without a handler the process ends at once, which is a stop as well.
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

fn environment(text: &str) -> Result<Environment, String> {
    text.parse().map_err(|_| "dev, test or live".to_owned())
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Desk(error) => error.into(),
            other => Self::new(other.code(), other.to_string(), Exit::Input),
        }
    }
}

impl From<strongroom_vault::KeepingError> for Failure {
    fn from(error: strongroom_vault::KeepingError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Input)
    }
}
