//! The signature base, by the examples of RFC 9421 section 2 and what they leave open.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::Sent;
use http::{HeaderMap, HeaderValue, StatusCode};
use strongroom_signature::{Component, Message, Parameters, Request, Response, Rule, SigningKey, sign};

/// The value of one component; the base has it between the identifier and the parameters.
fn value(message: &Message<'_>, component: &str) -> Result<String, Rule> {
    let key = SigningKey::hmac_sha256(&[1; 32]).unwrap();
    let components = [Component::parse(component)?];
    let signed = sign(message, "a", &components, &Parameters::default(), &key)?;
    let base = String::from_utf8(signed.base).unwrap();
    let line = base.strip_suffix(&format!("\n\"@signature-params\": ({component})")).unwrap();
    Ok(line.strip_prefix(&format!("{component}: ")).unwrap().to_owned())
}

fn check(sent: &Sent, rows: &[(&str, Option<&str>)]) {
    for (component, expected) in rows {
        let found = value(&Message::Request(sent.request()), component);
        assert_eq!(found.ok().as_deref(), *expected, "{component} in {sent:?}");
    }
}

/// Section 2.1 and its subsections.
#[test]
fn fields() {
    let sent = Sent::new(
        "GET",
        "https://www.example.com/",
        &[
            ("Host", "www.example.com"),
            ("X-OWS-Header", "   Leading and trailing whitespace.   "),
            ("Cache-Control", "max-age=60"),
            ("Cache-Control", "    must-revalidate"),
            ("Example-Dict", "a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
            ("X-Empty-Header", ""),
            ("Example-Header", "value, with, lots"),
            ("Example-Header", "of, commas"),
            ("Priority", "u=2 ,   i"),
            ("X-Tab", "a\tb"),
        ],
        b"",
    );
    check(
        &sent,
        &[
            ("\"host\"", Some("www.example.com")),
            ("\"x-ows-header\"", Some("Leading and trailing whitespace.")),
            ("\"cache-control\"", Some("max-age=60, must-revalidate")),
            ("\"example-dict\"", Some("a=1,    b=2;x=1;y=2,   c=(a   b   c), d")),
            ("\"x-empty-header\"", Some("")),
            ("\"x-empty-header\";bs", Some("::")),
            ("\"example-dict\";key=\"a\"", Some("1")),
            ("\"example-dict\";key=\"b\"", Some("2;x=1;y=2")),
            ("\"example-dict\";key=\"c\"", Some("(a b c)")),
            ("\"example-dict\";key=\"d\"", Some("?1")),
            ("\"example-dict\";key=\"e\"", None),
            ("\"example-header\"", Some("value, with, lots, of, commas")),
            ("\"example-header\";bs", Some(":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:")),
            ("\"priority\";sf", Some("u=2, i")),
            ("\"x-tab\"", Some("a\tb")),
            // Not known to be a structured field, or not the one it should be, or not there.
            ("\"example-dict\";sf", None),
            ("\"cache-control\";key=\"max-age\"", Some("60")),
            ("\"host\";key=\"a\"", None),
            ("\"missing\"", None),
        ],
    );
}

/// Sections 2.2.1 to 2.2.7.
#[test]
fn derived_components() {
    let sent = Sent::new("POST", "https://www.Example.com:443/path?param=value", &[], b"");
    check(
        &sent,
        &[
            ("\"@method\"", Some("POST")),
            ("\"@target-uri\"", Some("https://www.example.com/path?param=value")),
            ("\"@authority\"", Some("www.example.com")),
            ("\"@scheme\"", Some("https")),
            ("\"@request-target\"", Some("/path?param=value")),
            ("\"@path\"", Some("/path")),
            ("\"@query\"", Some("?param=value")),
            ("\"@status\"", None),
        ],
    );
    let sent = Sent::new("GET", "http://www.example.com:443", &[], b"");
    check(
        &sent,
        &[
            ("\"@target-uri\"", Some("http://www.example.com:443/")),
            ("\"@authority\"", Some("www.example.com:443")),
            ("\"@request-target\"", Some("/")),
            ("\"@path\"", Some("/")),
            ("\"@query\"", Some("?")),
        ],
    );
    let sent = Sent::new("CONNECT", "https://www.example.com:80/", &[], b"");
    check(&sent, &[("\"@request-target\"", Some("www.example.com:80"))]);
}

/// Section 2.2.8.
#[test]
fn parameters_of_the_query() {
    let parameter = |name: &str| format!("\"@query-param\";name=\"{name}\"");
    let rows: [(&str, &str, Option<&str>); 12] = [
        ("param=value&foo=bar&baz=batman&qux=", "baz", Some("batman")),
        ("param=value&foo=bar&baz=batman&qux=", "qux", Some("")),
        ("param=value&foo=bar&baz=batman&qux=", "param", Some("value")),
        ("param=value&qux", "qux", Some("")),
        ("param=value", "none", None),
        ("a=1&a=2", "a", None),
        ("a=1&%61=2", "a", None),
        (
            "var=this%20is%20a%20big%0Amultiline%20value",
            "var",
            Some("this%20is%20a%20big%0Amultiline%20value"),
        ),
        ("bar=with+plus+whitespace", "bar", Some("with%20plus%20whitespace")),
        ("fa%C3%A7ade%22%3A%20=something", "fa%C3%A7ade%22%3A%20", Some("something")),
        ("a=%zz%", "a", Some("%25zz%25")),
        ("a=%FF", "a", None),
    ];
    for (query, name, expected) in rows {
        let sent = Sent::new("GET", &format!("https://www.example.com/path?{query}"), &[], b"");
        check(&sent, &[(&parameter(name), expected)]);
    }
}

/// Section 2.4.
#[test]
fn a_response_speaks_of_its_request_and_a_request_of_none() {
    let sent = Sent::new("POST", "https://www.example.com/path", &[("Signature", "sig1=:AAAA:")], b"");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    let response = Response { status: StatusCode::SERVICE_UNAVAILABLE, headers: &headers };
    let message = |request: Option<Request<'static>>| Message::Response { response, request };
    let leaked: &'static Sent = Box::leak(Box::new(sent.clone()));
    let bound = message(Some(leaked.request()));
    for (component, expected) in [
        ("\"@status\"", Some("503")),
        ("\"content-type\"", Some("text/plain")),
        ("\"@method\";req", Some("POST")),
        ("\"@path\";req", Some("/path")),
        ("\"signature\";req;key=\"sig1\"", Some(":AAAA:")),
        ("\"@method\"", None),
        ("\"@status\";req", None),
        ("\"content-type\";req", None),
    ] {
        assert_eq!(value(&bound, component).ok().as_deref(), expected, "{component}");
    }
    let method = "\"@method\";req";
    assert_eq!(value(&message(None), method), Err(Rule::MustCoverKnown(method.to_owned())));
    let request = Message::Request(sent.request());
    assert_eq!(value(&request, method), Err(Rule::MustCoverKnown(method.to_owned())));
}

#[test]
fn what_a_base_cannot_hold_is_refused() {
    let mut sent = Sent::new("GET", "https://www.example.com/", &[], b"");
    sent.headers.insert("x-note", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    check(&sent, &[("\"x-note\"", None), ("\"x-note\";bs", Some(":Y2Fm6Q==:"))]);
    for broken in ["a b", "a\nb", "caf\u{e9}", ""] {
        let line = strongroom_signature::RequestLine { authority: broken, ..sent.line() };
        let found = value(&Message::Request(line.with(&sent.headers)), "\"@authority\"");
        assert_eq!(found, Err(Rule::MustCoverPresent("\"@authority\"".to_owned())), "{broken:?}");
    }
}

#[test]
fn identifiers_are_read_strictly() {
    let known = [
        ("\"@path\"", true),
        ("\"content-type\"", true),
        ("\"@query-param\";name=\"a\"", true),
        ("\"a\";key=\"b\";req", true),
        ("\"Content-Type\"", false),
        ("\"@nothing\"", false),
        ("\"a\" \"b\"", false),
        ("\"a\");x=(\"b\"", false),
        ("a", false),
        ("", false),
        ("\"a\";tr", false),
        ("\"a\";sf;sf", false),
    ];
    for (text, expected) in known {
        assert_eq!(Component::parse(text).is_ok(), expected, "{text}");
    }
    assert_eq!(Component::field("X-Note").unwrap().text(), "\"x-note\"");
    assert!(Component::field("x note").is_err());
    let ordered = Component::parse("\"a\";req;key=\"b\"").unwrap();
    assert!(ordered.is(&Component::parse("\"a\";key=\"b\";sf;req").unwrap()));
}

/// The authority comes from one place, and two that differ are an attack.
#[test]
fn a_received_request_has_one_authority() {
    use strongroom_signature::RequestLine;
    let rows: [(&str, &[&str], Option<&str>); 7] = [
        ("/", &["fund.example"], Some("fund.example")),
        ("https://fund.example/", &[], Some("fund.example")),
        ("https://fund.example/", &["Fund.Example"], Some("fund.example")),
        ("https://fund.example/", &["other.example"], None),
        ("/", &["fund.example", "fund.example"], None),
        ("/", &[], None),
        ("/", &["user@fund.example"], None),
    ];
    for (uri, hosts, expected) in rows {
        let fields: Vec<(&str, &str)> = hosts.iter().map(|host| ("host", *host)).collect();
        let sent = Sent::new("GET", uri, &fields, b"");
        let line = RequestLine::received(&sent.method, &sent.uri, &sent.headers, "https");
        assert_eq!(line.ok().map(|line| line.authority), expected, "{uri} {hosts:?}");
    }
}
