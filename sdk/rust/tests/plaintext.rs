//! Plaintext stays on this machine, whatever the environment says: a test of its own process, for it sets variables.
#![allow(clippy::unwrap_used, reason = "a test that cannot make its input has failed")]

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Command;
use strongroom_client::{Invitation, Options, enrol};

const CHILD: &str = "STRONGROOM_TEST_ENROLS_AT";

#[test]
fn a_proxy_of_the_environment_sees_no_plaintext() {
    if let Ok(server) = std::env::var(CHILD) {
        let invitation = Invitation { enrolment: "e0123456789ab".to_owned(), code: "c0de".to_owned() };
        let refused = enrol(&server, &invitation, &Options::default()).err().unwrap();
        assert_eq!(refused.code(), "client.server_must_answer");
        return;
    }
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", nowhere.local_addr().unwrap());
    drop(nowhere);
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.arg("a_proxy_of_the_environment_sees_no_plaintext").arg("--exact").env(CHILD, server);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, &address);
    }
    for name in ["no_proxy", "NO_PROXY"] {
        child.env_remove(name);
    }
    assert!(child.output().unwrap().status.success());
    assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "the proxy was asked");
}
