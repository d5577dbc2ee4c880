//! Redis servers of a test's own, to be killed, frozen and promoted, and a link that leads to one or another.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server with a folder of its own. It ends with the test.
pub struct Redis {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Redis {
    /// None where there is no `redis-server`, and it says so; where `CI` is set that is a failure.
    pub fn start() -> Option<Self> {
        let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if found.is_err() {
            crate::steps_aside("redis-server is missing");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // Free when it was asked for; whoever takes it meanwhile fails this test, which is started anew.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).unwrap().port();
        let process = launch(&folder, port);
        let redis = Self { folder, port, process };
        redis.until("ping", "PONG");
        Some(redis)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What it says to a command.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let said = Command::new("redis-cli").args(["-p", &port]).args(arguments).output();
        String::from_utf8_lossy(&said.unwrap().stdout).into_owned()
    }

    /// Waits until what it says to a command has a text in it.
    pub fn until(&self, command: &str, text: &str) {
        let started = Instant::now();
        let words: Vec<&str> = command.split(' ').collect();
        while !self.cli(&words).contains(text) {
            assert!(started.elapsed() < Duration::from_secs(20), "{command} does not say {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As a power cut does.
    pub fn kill(&mut self) {
        // An error means that it has ended.
        drop(self.process.kill());
        self.process.wait().unwrap();
    }

    /// What it had saved is there again, and nothing later.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.process = launch(&self.folder, self.port);
        self.until("ping", "PONG");
    }

    /// It neither answers nor closes anything for a while.
    pub fn freeze_for(&self, time: Duration) {
        let signal = |name: &str| {
            let process = self.process.id().to_string();
            assert!(
                Command::new("kill").args([name, &process]).status().is_ok_and(|status| status.success())
            );
        };
        signal("-STOP");
        std::thread::sleep(time);
        signal("-CONT");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn launch(folder: &TempDir, port: u16) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--repl-diskless-sync-delay", "0", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// An address that leads to one server or another, as a virtual address does. Connections break when it is turned.
pub struct Link {
    port: u16,
    target: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Link {
    /// Leads to a port of this machine.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let (target, open) = (Arc::new(AtomicU16::new(port)), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (leads, held) = (target.clone(), open.clone());
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", leads.load(Ordering::SeqCst))) else {
                    continue;
                };
                if let (Ok(mut held), Ok(near), Ok(far)) = (held.lock(), near.try_clone(), far.try_clone()) {
                    held.extend([near, far]);
                }
                pass(&near, &far);
                pass(&far, &near);
            }
        });
        Self { port: own, target, open }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Turns it.
    pub fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
        for connection in self.open.lock().unwrap().drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
    }
}

fn pass(from: &TcpStream, to: &TcpStream) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    std::thread::spawn(move || {
        let mut bytes = [0; 16_384];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if bytes.get(..count).is_none_or(|bytes| to.write_all(bytes).is_err()) {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
        drop(from.shutdown(Shutdown::Both));
    });
}
