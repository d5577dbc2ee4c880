//! A gate, a proxy that asks it, and an application behind the proxy; with keys to sign requests.

use crate::application::{Application, Received};
use crate::wire::{Answer, send};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use strongroom_client::KeyFile;
use strongroom_signature::{AcceptSignature, Nonce, Profile, RequestLine, SigningParameters, sign_request};
use strongroom_testing::steps_aside;
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    Nginx,
    Envoy,
}

/// A process that ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Stand {
    pub proxy: Proxy,
    /// Where the proxy listens.
    pub port: u16,
    pub application: Application,
    gate_port: u16,
    folder: TempDir,
    // Ended in this order: the proxy first.
    _front: Running,
    gate: Option<Running>,
}

/// May withdraw and read.
pub const TRADER: &str = "trader.key";
/// May read.
pub const READER: &str = "reader.key";
/// May read, with a secret that the server made.
pub const MACHINE: &str = "machine.key";
/// May read, but only from 10.0.0.0/8. The server made its secret, since nobody can enrol from there here.
pub const INSIDER: &str = "insider.key";

const WAIT: Duration = Duration::from_secs(60);

impl Stand {
    /// None, and the test steps aside, where the proxy is not installed.
    pub fn of(proxy: Proxy) -> Option<Self> {
        let program = program(proxy)?;
        let folder = tempfile::tempdir().unwrap();
        let application = Application::start();
        let (gate_port, port) = (free_port(), free_port());
        let (gate, first) = gate(folder.path(), gate_port);
        let at = format!("http://127.0.0.1:{gate_port}");
        let run = |line: &str| run(folder.path(), line);
        run(&format!("key enrol --server {at} --code {} --out operator.key", first.unwrap()));
        run("principal add trader --role participant --participant Trader --key operator.key");
        for (file, grant) in [(TRADER, "--scope app:read --scope app:withdraw"), (READER, "--scope app:read")]
        {
            let issued =
                run(&format!("key issue --principal trader {grant} --env dev --key operator.key --json"));
            let issued: Value = serde_json::from_str(&issued).unwrap();
            let code =
                format!("{}.{}", issued["enrolment"].as_str().unwrap(), issued["code"].as_str().unwrap());
            run(&format!("key enrol --server {at} --code {code} --out {file}"));
        }
        for (file, more) in [(MACHINE, ""), (INSIDER, "--network 10.0.0.0/8")] {
            let grant = format!("--scope app:read --env dev --algorithm hmac-sha256 {more}");
            let issued = run(&format!("key issue --principal trader {grant} --key operator.key --json"));
            write_hmac(folder.path(), file, &serde_json::from_str(&issued).unwrap());
        }
        let front = front(proxy, &program, folder.path(), [port, gate_port, application.port]);
        let stand = Self { proxy, port, application, gate_port, folder, _front: front, gate: Some(gate) };
        stand.must_listen(port);
        Some(stand)
    }

    fn must_listen(&self, port: u16) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < WAIT, "{:?} does not listen at {port}", self.proxy);
            std::thread::yield_now();
        }
    }

    /// Kills the gate: it can remember nothing.
    pub fn kill_gate(&mut self) {
        self.gate = None;
    }

    pub fn start_gate(&mut self) {
        self.gate = Some(gate(self.folder.path(), self.gate_port).0);
    }

    /// Runs the program in the stand's folder.
    pub fn run(&self, line: &str) -> (i32, String, String) {
        let output = command(self.folder.path(), line).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    /// Where a key is in its life.
    pub fn state_of(&self, key: &str) -> String {
        let name = KeyFile::read(&self.folder.path().join(key)).unwrap().key;
        let (_, keys, _) = self.run("key list --key operator.key --json");
        let keys: Value = serde_json::from_str(&keys).unwrap();
        let row = keys.as_array().unwrap().iter().find(|row| row["key"] == name.as_str());
        row.unwrap_or_else(|| panic!("{keys}"))["state"].as_str().unwrap().to_owned()
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// An unsigned request; each field ends its line.
    pub fn plain(&self, method: &str, target: &str, fields: &str) -> String {
        format!("{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{fields}\r\n", self.host())
    }

    pub fn signed(&self, key: &str, method: &str, target: &str, body: &str) -> String {
        self.signed_with(key, method, target, body, &[])
    }

    /// A signed request as bytes, with more fields. Its nonce is a challenge of the gate, which has only just begun and
    /// takes no other.
    pub fn signed_with(
        &self,
        key: &str,
        method: &str,
        target: &str,
        body: &str,
        fields: &[(&'static str, &str)],
    ) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        if !body.is_empty() {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
        }
        let file = KeyFile::read(&self.folder.path().join(key)).unwrap();
        let (method, nonce): (Method, Nonce) = (method.parse().unwrap(), self.challenge());
        let created = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let parameters =
            SigningParameters { created, expires: created + 30, nonce: nonce.as_bytes(), key_id: &file.key };
        let uri: Uri = format!("http://{}{target}", self.host()).parse().unwrap();
        let line = RequestLine::of_uri(&method, &uri).unwrap();
        let (signing, profile) = (file.signing_key().unwrap(), Profile::default().for_any_application());
        sign_request(&line, &mut headers, &signing, &parameters, body.as_bytes(), &profile).unwrap();
        let mut lines = String::new();
        for (name, value) in &headers {
            lines.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        if !body.is_empty() {
            lines.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        self.plain(method.as_str(), target, &lines) + body
    }

    fn challenge(&self) -> Nonce {
        let answer = send(self.port, &self.plain("GET", "/", ""));
        let accept = answer.field("accept-signature");
        let value = accept.first().unwrap_or_else(|| panic!("no challenge: {}", answer.text));
        let headers =
            HeaderMap::from_iter([(strongroom_signature::ACCEPT_SIGNATURE, value.parse().unwrap())]);
        let asked = AcceptSignature::read(&headers).unwrap();
        Nonce::decode(asked[0].nonce.as_ref().unwrap()).unwrap()
    }

    pub fn send(&self, request: &str) -> Answer {
        send(self.port, request)
    }

    /// Sends a request that must not reach the application, and gives its status and code.
    #[track_caller]
    pub fn refused(&self, request: &str, expected: &str) -> Answer {
        let before = self.application.received().len();
        let answer = send(self.port, request);
        let found = format!("{} {}", answer.status, answer.code());
        assert_eq!(found.trim(), expected, "{request}\n{}", answer.text);
        let received = self.application.received();
        assert_eq!(received.len(), before, "it reached the application: {:?}", received.last());
        answer
    }

    /// Sends a request that must reach the application once, and gives what that got.
    #[track_caller]
    pub fn passes(&self, request: &str) -> Received {
        let before = self.application.received().len();
        let answer = send(self.port, request);
        assert_eq!(answer.status, 200, "{request}\n{}", answer.text);
        let received = self.application.received();
        assert_eq!(received.len(), before + 1, "{request}");
        received[before].clone()
    }
}

fn gate(folder: &Path, port: u16) -> (Running, Option<String>) {
    let mut command = command(folder, &format!("serve --listen 127.0.0.1:{port} --json"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let started: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (Running(child), started["first_enrolment"].as_str().map(str::to_owned))
}

/// A key file like the reader's, for an HMAC key.
fn write_hmac(folder: &Path, file: &str, issued: &Value) {
    let like = std::fs::read_to_string(folder.join(READER)).unwrap();
    let mut made: Value = serde_json::from_str(&like).unwrap();
    (made["key"], made["secret"]) = (issued["key"].clone(), issued["secret"].clone());
    made["algorithm"] = "hmac-sha256".into();
    let made: KeyFile = serde_json::from_value(made).unwrap();
    made.write_new(&folder.join(file)).unwrap();
}

fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.args(line.split_whitespace()).current_dir(folder).env("STRONGROOM_DATABASE", "gate.db");
    command
}

fn run(folder: &Path, line: &str) -> String {
    let output = command(folder, line).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// nginx from the system, with its JavaScript module; Envoy as `STRONGROOM_ENVOY` names it or from the path.
fn program(proxy: Proxy) -> Option<PathBuf> {
    let found = match proxy {
        Proxy::Nginx => on_path("nginx").filter(|_| Path::new(NGINX_MODULES).join(NGINX_JS).exists()),
        Proxy::Envoy => std::env::var_os("STRONGROOM_ENVOY").map(PathBuf::from).or_else(|| on_path("envoy")),
    };
    if found.is_none() {
        steps_aside(&format!("{proxy:?} is missing"));
    }
    found
}

const NGINX_MODULES: &str = "/usr/lib/nginx/modules";
const NGINX_JS: &str = "ngx_http_js_module.so";

fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.exists())
}

/// The proxy with the guide's configuration, in which only the ports are others.
fn front(proxy: Proxy, program: &Path, folder: &Path, ports: [u16; 3]) -> Running {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/gate");
    let read = |name: &str| std::fs::read_to_string(guide.join(name)).unwrap();
    let with_ports = |text: String, before: &str| {
        [8000, 8080, 9000].iter().zip(ports).fold(text, |text, (from, to)| {
            let (from, to) = (format!("{before}{from}"), format!("{before}{to}"));
            assert!(text.contains(&from), "{from} is not in the guide's file");
            text.replace(&from, &to)
        })
    };
    let mut command = Command::new(program);
    match proxy {
        Proxy::Nginx => {
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|what| format!("{what}_temp_path {};", folder.join(what).display()))
                .concat();
            let text = with_ports(read("nginx.conf"), "127.0.0.1:")
                .replace("modules/", &format!("{NGINX_MODULES}/"))
                .replace("http {", &format!("http {{ access_log off; {temporary}"));
            std::fs::write(folder.join("nginx.conf"), text).unwrap();
            std::fs::write(folder.join("strongroom.js"), read("strongroom.js")).unwrap();
            let pid = folder.join("nginx.pid");
            command.args([
                "-e",
                "stderr",
                "-g",
                &format!("daemon off; master_process off; pid {};", pid.display()),
            ]);
            command.arg("-c").arg(folder.join("nginx.conf"));
        }
        Proxy::Envoy => {
            // Where Envoy is told of internal networks, it lets their clients say more: they get no more here either.
            let (from, more) = (
                "use_remote_address: true",
                "internal_address_config: { cidr_ranges: [ \
                { address_prefix: 127.0.0.0, prefix_len: 8 } ] }",
            );
            let text = with_ports(read("envoy.yaml"), "port_value: ");
            assert!(text.contains(from));
            let text = text.replace(from, &format!("{from}\n          {more}"));
            std::fs::write(folder.join("envoy.yaml"), text).unwrap();
            command.args(["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error", "-c"]);
            command.arg(folder.join("envoy.yaml"));
        }
    }
    Running(command.spawn().unwrap())
}
