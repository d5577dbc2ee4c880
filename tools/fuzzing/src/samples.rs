//! Valid samples: what a change at random begins from.

use crate::Text;
use http::{HeaderMap, HeaderValue, Method};
use strongroom_signature::{Profile, RequestLine, SigningKey, SigningParameters, VerifyingKey, sign_request};

/// When the samples were signed, seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

fn key() -> SigningKey {
    SigningKey::ed25519(&[1; 32]).unwrap()
}

/// What the signed sample is verified with.
pub fn verifying_key() -> VerifyingKey {
    key().verifying_key().unwrap()
}

/// A signed order.
pub fn request() -> Vec<u8> {
    let content = br#"{"id":"A1","side":"creation","baskets":1,"trade_date":"2026-01-16"}"#.to_vec();
    let mut headers = HeaderMap::new();
    for (name, value) in [("content-type", "application/json"), ("idempotency-key", "\"a1\"")] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let mut text = Text {
        method: Method::POST,
        uri: "https://fund.example/v1/funds/BTCX/orders?dry=1".parse().unwrap(),
        headers,
        content,
    };
    let line = RequestLine::of_uri(&text.method, &text.uri).unwrap();
    let parameters = SigningParameters { created: NOW, expires: NOW + 30, nonce: &[9; 16], key_id: "k1.1" };
    sign_request(&line, &mut text.headers, &key(), &parameters, &text.content, &Profile::default()).unwrap();
    text.write()
}

/// Records of a log.
pub const RECORDS: [&str; 2] = [
    r#"{"event":"order-cancelled","id":"A1"}"#,
    r#"{"event":"prices-recorded","asset":"BTC","source":"file","rows":[]}"#,
];

/// A composition file as JSON.
pub const COMPOSITION: &str = r#"{
  "header": {
    "fund_symbol": "BTCX", "fund_name": "Strongroom Bitcoin Trust", "fund_cusip": null,
    "when_issued": false, "foreign": false, "exchange": "other",
    "trade_date": "2024-01-11", "creation_unit_shares": 40000,
    "estimated_cash_per_creation_unit": "-2.91", "estimated_cash_per_share": "0",
    "nav_per_creation_unit": "1046000", "nav_per_share": "26.15",
    "total_cash_per_creation_unit": "0", "shares_outstanding": 400000,
    "dividend": "0", "cash_indicator": null
  },
  "components": [
    { "symbol": "BTC", "cusip": null, "when_issued": false, "foreign": false, "exchange": "other",
      "quantity": "22.66000000" }
  ]
}"#;
