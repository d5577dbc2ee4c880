//! What no honest client sends, over raw sockets: each is refused with a code or hung up on, in bounded time, and the
//! server answers others meanwhile.

use crate::home::{Asked, Home, Server, now, trade_date};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};
use strongroom_server::Tls;
use strongroom_signature::SigningKey;

const ORDERS: &str = "/v1/funds/BTCX/orders";

fn socket(server: &Server<'_>, wait: Duration) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    socket.set_read_timeout(Some(wait)).unwrap();
    socket.set_write_timeout(Some(wait)).unwrap();
    socket
}

/// Everything until the server hangs up; what a peer that is cut off could not write is no matter.
fn told(server: &Server<'_>, sent: &[u8]) -> String {
    let mut socket = socket(server, Duration::from_secs(10));
    drop(socket.write_all(sent));
    until_closed(&mut socket)
}

fn until_closed(socket: &mut TcpStream) -> String {
    let (mut told, mut bytes) = (Vec::new(), [0; 8_192]);
    loop {
        match socket.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => told.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("it neither answers nor hangs up: {error}"),
        }
    }
    String::from_utf8_lossy(&told).into_owned()
}

fn status(told: &str) -> u16 {
    told.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// The code in a problem; empty where the transport refused without one.
fn code(told: &str) -> &str {
    told.split(r#""code":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

fn order(id: &str) -> String {
    json!({ "id": id, "side": "creation", "baskets": 1, "trade_date": trade_date() }).to_string()
}

/// A signed request as text, with one change of its fields.
fn raw(asked: &Asked, body: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let host = asked.uri.authority().unwrap();
    let fields: String = asked
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
        .collect();
    let path = asked.uri.path_and_query().unwrap();
    let head = format!("{} {path} HTTP/1.1\r\nhost: {host}\r\n{fields}", asked.method);
    format!("{}connection: close\r\n\r\n{body}", change(head)).into_bytes()
}

#[test]
fn what_is_malformed_is_refused_with_a_code() {
    let home = Home::new();
    let server = home.start().settled();
    let body = order("M1");
    let length = body.len();
    let signed = || server.asks("POST", ORDERS, &body).signed("ap-one");
    let with_length = |head: String| format!("{head}content-length: {length}\r\n");
    let twice = |head: &str, name: &str| {
        let line = head.lines().find(|line| line.starts_with(name)).unwrap();
        format!("{head}{line}\r\n")
    };
    let long = "a".repeat(20_000);
    type Change<'a> = Box<dyn Fn(String) -> String + 'a>;
    let cases: Vec<(&str, Change<'_>, &[u16], &str)> = vec![
        (
            "two signatures",
            Box::new(|head| twice(&head, "signature: ")),
            &[401],
            "request.must_be_well_formed",
        ),
        (
            "two inputs",
            Box::new(|head| twice(&head, "signature-input: ")),
            &[401],
            "request.must_be_well_formed",
        ),
        ("two digests", Box::new(|head| twice(&head, "content-digest: ")), &[401], "request."),
        ("two types", Box::new(|head| twice(&head, "content-type: ")), &[401], "request."),
        (
            "no dictionary",
            Box::new(|head| head.replace("signature-input: strongroom=(", "signature-input: strongroom=((")),
            &[401],
            "request.must_be_well_formed",
        ),
        (
            "no byte sequence",
            Box::new(|head| head.replace("\nsignature: strongroom=:", "\nsignature: strongroom=:*")),
            &[401],
            "request.must_be_well_formed",
        ),
        (
            "a long input",
            Box::new(|head| head.replace("tag=\"", &format!("x=\"{long}\";tag=\""))),
            &[401],
            "request.signature_must_be_within_bounds",
        ),
        ("a null in a field", Box::new(|head| format!("{head}x-note: a\0b\r\n")), &[400], ""),
        (
            "a null in the path",
            Box::new(|head| head.replacen(ORDERS, "/v1/funds/BTCX\0/orders", 1)),
            &[400],
            "",
        ),
        ("an encoded null", Box::new(|head| head.replacen("BTCX", "BTCX%00", 1)), &[401], "request."),
        ("a dot segment", Box::new(|head| head.replacen("/v1/", "/v1/./", 1)), &[401, 404], ""),
        ("a back segment", Box::new(|head| head.replacen("/v1/", "/v1/x/../", 1)), &[401, 404], ""),
        ("an escape too many", Box::new(|head| head.replacen("orders", "%6frders", 1)), &[401, 404], ""),
        ("overlong UTF-8", Box::new(|head| head.replacen("BTCX", "BTCX%C0%AF", 1)), &[401], "request."),
        ("another method", Box::new(|head| head.replacen("POST", "DELETE", 1)), &[401, 405], ""),
        ("a folded field", Box::new(|head| format!("{head}x-note: a\r\n b\r\n")), &[400], ""),
        ("a space before the colon", Box::new(|head| format!("{head}x-note : a\r\n")), &[400], ""),
        ("two lengths", Box::new(|head| format!("{head}content-length: 1\r\n")), &[400], ""),
        (
            "a length below zero",
            Box::new(|head| head.replacen("content-length: ", "content-length: -", 1)),
            &[400],
            "",
        ),
    ];
    for (what, change, statuses, expected) in cases {
        let told = told(&server, &raw(&signed(), &body, |head| change(with_length(head))));
        assert!(statuses.contains(&status(&told)), "{what}: {told:.400}");
        assert!(code(&told).starts_with(expected), "{what}: {told:.600}");
    }
    assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "ok");
    drop(server);
    assert_eq!(home.orders(), 0);
}

#[test]
fn what_is_too_much_is_refused() {
    let home = Home::new();
    let server = home.start().settled();
    let body = order("L1");
    let signed = || server.asks("POST", ORDERS, &body).signed("ap-one");
    let many: String = (0..2_000).map(|number| format!("x-{number}: a\r\n")).collect();
    let flood = told(&server, &raw(&signed(), &body, |head| format!("{head}{many}")));
    assert_eq!(status(&flood), 431, "{flood:.200}");
    let wide = format!("x-wide: {}\r\n", "a".repeat(200_000));
    let flood = told(&server, &raw(&signed(), &body, |head| format!("{head}{wide}")));
    assert_eq!(status(&flood), 431, "{flood:.200}");
    let long = told(&server, format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)).as_bytes());
    assert!([414, 431].contains(&status(&long)), "{long:.200}");
    // A body that says how long it is, and one that does not.
    let large = "x".repeat(100_000);
    for declared in [true, false] {
        let sent = match declared {
            true => raw(&signed(), &large, |head| format!("{head}content-length: {}\r\n", large.len())),
            false => raw(&signed(), &format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len()), |head| {
                format!("{head}transfer-encoding: chunked\r\n")
            }),
        };
        let told = told(&server, &sent);
        assert_eq!((status(&told), code(&told)), (413, "request.body_must_be_bounded"), "{told:.300}");
    }
    // Compressed content is never made larger here: what is signed is what came.
    let mut bomb = server.asks("POST", ORDERS, "compressed");
    bomb.headers.insert("content-encoding", "gzip".parse().unwrap());
    let told = server.send(&bomb.signed("ap-one"));
    assert_eq!((told.status, told.code().as_str()), (400, "request.body_must_be_readable"));
    assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "ok");
}

/// Whoever says it slowly, or nothing, is hung up on within the half minute that fields may take.
#[test]
fn the_slow_are_hung_up_on() {
    let home = Home::new();
    let server = home.start().settled();
    let signed = server.asks("POST", ORDERS, &order("S1")).signed("ap-one");
    let slow = [
        Vec::new(),
        b"GET /health HTTP/1.1\r\nhost: a\r\nx-slow: ".to_vec(),
        raw(&signed, "{", |head| format!("{head}content-length: {}\r\n", signed.body.len())),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
    ];
    std::thread::scope(|scope| {
        for sent in slow {
            let server = &server;
            scope.spawn(move || {
                let started = Instant::now();
                let mut socket = socket(server, Duration::from_secs(60));
                socket.write_all(&sent).unwrap();
                until_closed(&mut socket);
                assert!(
                    started.elapsed() < Duration::from_secs(50),
                    "{:.40}",
                    String::from_utf8_lossy(&sent)
                );
            });
        }
        assert_eq!(
            server.ask("ap-two", "GET", "/v1/whoami", "").code(),
            "ok",
            "others are answered meanwhile"
        );
    });
}

/// The generator of P-256, whose private half is 1.
fn weak_p256() -> SigningKey {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    };
    let mut one = [0; 32];
    one[31] = 1;
    let point = hex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
    SigningKey::ecdsa_p256(&one, &point).unwrap()
}

/// n - s of the order of P-256.
fn mirrored(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut mirrored = signature.to_vec();
    let mut borrow = 0;
    for place in (0..32).rev() {
        let difference = i16::from(ORDER[place]) - i16::from(signature[32 + place]) - borrow;
        borrow = i16::from(difference < 0);
        mirrored[32 + place] = difference.rem_euclid(256) as u8;
    }
    mirrored
}

/// An ECDSA signature has a mirror image that is good too; the nonce is what must be new, not the signature.
#[test]
fn a_mirrored_signature_is_the_same_request() {
    let home = Home::new();
    let server = home.start().settled();
    let new = json!({ "principal": "ap-one", "scopes": ["read"], "algorithm": "ecdsa-p256-sha256", "environment": "dev" });
    let issued = server.ask("operator", "POST", "/v1/keys", &new.to_string()).json();
    let (name, key) = (issued["enrolment"].as_str().unwrap().to_owned(), weak_p256());
    let enrol = |public: &[u8], nonce: u8| {
        let body = json!({
            "code": issued["code"], "algorithm": "ecdsa-p256-sha256", "public_key": STANDARD.encode(public),
        });
        let asked = server.asks("POST", &format!("/v1/enrolments/{name}"), &body.to_string());
        server.send(&asked.signed_by_key(&key, &name, now(), &[nonce; 24]))
    };
    let public = key.public_key().unwrap();
    for wrong in [&public[..64], &public[1..], &[], &[4; 65], &[0; 4_000]] {
        assert_eq!(enrol(wrong, 1).code(), "key.material_must_fit_algorithm", "{} bytes", wrong.len());
    }
    let enrolled = enrol(&public, 2);
    assert_eq!(enrolled.code(), "ok");
    let id = enrolled.json()["key"].as_str().unwrap().to_owned();
    let signed = server.asks("GET", "/v1/whoami", "").signed_by_key(&key, &id, now(), &[3; 24]);
    let with = |bytes: &[u8]| {
        let mut changed = signed.clone();
        changed
            .headers
            .insert("signature", format!("strongroom=:{}:", STANDARD.encode(bytes)).parse().unwrap());
        server.send(&changed).code()
    };
    let text = signed.headers["signature"].to_str().unwrap();
    let bytes = STANDARD.decode(text.trim_start_matches("strongroom=:").trim_end_matches(':')).unwrap();
    for wrong in [&bytes[..63], &bytes[1..], &[], &[0; 64], &[0xff; 64]] {
        assert_eq!(with(wrong), "request.signature_must_be_valid", "{} bytes", wrong.len());
    }
    assert_eq!(server.send(&signed).code(), "ok");
    assert_eq!(with(&mirrored(&bytes)), "request.nonce_was_used", "good, and no other request");
    assert_eq!(with(&bytes), "request.nonce_was_used");
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET /` over plain HTTP with the static table of HPACK.
const GET_ROOT: [u8; 6] = [0x82, 0x86, 0x84, 0x41, 0x01, b'a'];

/// HTTP/2 on a connection that never reads: what comes back fills the peer's window, and the server must let go.
#[test]
fn floods_of_http2_frames_are_cut_off() {
    let home = Home::new();
    let server = home.start().settled();
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
    type Flood = fn(u32) -> Vec<u8>;
    let floods: [(&str, Flood); 6] = [
        ("rapid reset", |turn| {
            let stream = 2 * turn + 1;
            [frame(1, 5, stream, &GET_ROOT), frame(3, 0, stream, &8_u32.to_be_bytes())].concat()
        }),
        ("continuation", |turn| match turn {
            0 => frame(1, 1, 1, &GET_ROOT),
            _ => frame(9, 0, 1, &[0x40, 1, b'a', 1, b'b'].repeat(200)),
        }),
        ("ping", |_| frame(6, 0, 0, &[0; 8])),
        ("settings", |_| frame(4, 0, 0, &[])),
        ("empty data", |turn| match turn {
            0 => frame(1, 4, 1, &GET_ROOT),
            _ => frame(0, 0, 1, &[]),
        }),
        ("odd streams", |_| frame(1, 5, 2, &GET_ROOT)),
    ];
    for (what, flood) in floods {
        let mut socket = socket(&server, Duration::from_secs(5));
        socket.write_all(&preface).unwrap();
        let started = Instant::now();
        let mut was_cut = false;
        for turn in 0..20_000 {
            if socket.write_all(&flood(turn)).is_err() {
                was_cut = true;
                break;
            }
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        let bound_by_window = ["ping", "settings", "empty data"].contains(&what);
        assert!(was_cut || bound_by_window, "{what}: 20,000 turns were taken");
        assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "ok", "{what}: others are answered");
    }
}

fn certificate(folder: &std::path::Path) -> Option<Tls> {
    let tls = Tls { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-keyout"])
        .arg(&tls.key)
        .arg("-out")
        .arg(&tls.certificate)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        strongroom_testing::steps_aside("openssl is missing");
        return None;
    }
    Some(tls)
}

/// A hello of one version, with an elliptic curve suite of it.
fn client_hello(version: u8) -> Vec<u8> {
    let mut hello = vec![3, version];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x09, 0xc0, 0x13, 1, 0]);
    let mut handshake = vec![1, 0, 0, u8::try_from(hello.len()).unwrap()];
    handshake.extend(hello);
    let mut record = vec![22, 3, version, 0, u8::try_from(handshake.len()).unwrap()];
    record.extend(handshake);
    record
}

#[test]
fn tls_takes_neither_plaintext_nor_old_versions() {
    let mut home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let Some(tls) = certificate(folder.path()) else { return };
    home.tls = Some(tls);
    let server = home.start();
    let alert_or_nothing = |sent: &[u8]| {
        let told = told(&server, sent);
        assert!(told.is_empty() || told.as_bytes()[0] == 21, "no answer but an alert: {told:.80}");
    };
    alert_or_nothing(b"GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    alert_or_nothing(&[0x80, 0x2e, 1, 3, 0, 0, 0]);
    alert_or_nothing(&[22, 3, 1, 0xff, 0xff].repeat(1_000));
    for version in [0, 1, 2] {
        alert_or_nothing(&client_hello(version));
    }
    let answered = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{}", server.port()), "-tls1_3"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&answered.stdout).contains("TLSv1.3"), "the server itself works");
}
