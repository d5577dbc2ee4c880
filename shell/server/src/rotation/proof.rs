//! Both keys prove themselves in one request: the old one let it in, the new one signed over that.

use crate::caller::Caller;
use crate::guard::{line_of, problem_of};
use crate::house::House;
use crate::problem::Problem;
use http::StatusCode;
use http::request::Parts;
use strongroom_access::{Algorithm, LineageId};
use strongroom_gate::{GateRefusal, public_key};
use strongroom_signature::{Content, verify_rotation};

/// Refuses a new key that did not sign what the old key signed.
pub(super) fn must_prove(
    house: &House,
    caller: &Caller,
    lineage: &LineageId,
    (algorithm, public): (Algorithm, &str),
    parts: &Parts,
    content: &[u8],
) -> Result<(), Problem> {
    let unfit =
        |reason: String| Problem::new(StatusCode::BAD_REQUEST, "key.material_must_fit_algorithm", reason);
    let key = public_key(algorithm, public).map_err(unfit)?;
    let old = caller.permit().verified.as_ref().ok_or_else(|| {
        let detail = "a key that is replaced by a public key signs the request";
        Problem::new(StatusCode::FORBIDDEN, "rotation.must_be_by_its_own_key", detail)
    })?;
    let line = line_of(house, parts)?;
    let request = line.with(&parts.headers);
    let content = Content::Bytes(content);
    verify_rotation(&request, old, lineage.as_str(), &key, content, house.gate.profile())
        .map(drop)
        .map_err(|error| problem_of(house, &GateRefusal::from(error)))
}
