//! Tells a client in-band that its key is to be replaced: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link to
//! where a successor is made. A hint only: a client asks for the signed state of its rotation before it does anything.

use crate::house::House;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};
use strongroom_access::{KeyId, KeyState};
use strongroom_units::time::Timestamp;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// When an old or due key was deprecated, and when it stops working at the latest.
fn standing(house: &House, key: &KeyId) -> Option<(Timestamp, Timestamp)> {
    house.gate.access(|access| {
        let lineage = access.lineage(&key.lineage)?;
        let version = lineage.versions.get(&key.version)?;
        let mark = lineage.rotation.marks.get(&key.version);
        match version.state {
            KeyState::Grace => {
                let since = mark.and_then(|mark| mark.displaced).unwrap_or(version.created);
                Some((since, lineage.laggard_due(version).min(version.expires)))
            }
            KeyState::Active => Some((mark?.due?, version.expires)),
            _ => None,
        }
    })
}

/// The answer to a request of this key, with what its client should know.
pub(crate) fn with_notice(house: &House, key: &KeyId, mut answer: Response) -> Response {
    let Some((since, until)) = standing(house, key) else { return answer };
    let link = format!("</v1/keys/{}/rotate>; rel=\"successor-version\"", key.lineage);
    let fields =
        [(DEPRECATION, format!("@{}", since.as_second())), (SUNSET, http_date(until)), (header::LINK, link)];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// IMF-fixdate of RFC 9110 section 5.6.7.
fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
