"""The profile's numbers, and how a broken rule becomes an error (sections 1.6 and 4)."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SignatureError

REQUEST_TAG = "strongroom-request"
RESPONSE_TAG = "strongroom-response"
LABEL = "strongroom"
LIFETIME_SECONDS_MAX = 60
SKEW_SECONDS = 5
SIGNATURE_INPUT_BYTES_MAX = 4_096
SIGNATURE_BYTES_MAX = 8_192
LABELS_MAX = 4
COMPONENTS_MAX = 32
PARAMETERS_MAX = 16
BASE_BYTES_MAX = 65_536
CONTENT_DIGEST_BYTES_MAX = 1_024
KEY_ID_CHARACTERS_MAX = 256
NONCE_BYTES_MIN = 16
NONCE_BYTES_MAX = 64

_COVERED_WHEN_PRESENT = (
    "authorization",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
)
_HEEDED_BY_FRAMEWORKS = (
    "cookie",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
)
RESPONSE_COVERED_WHEN_PRESENT = (
    "accept-signature",
    "content-encoding",
    "content-type",
    "etag",
    "location",
    "retry-after",
)


@dataclass(frozen=True)
class Profile:
    """What a signed request must be like."""

    tag: str = REQUEST_TAG
    window_seconds: int = LIFETIME_SECONDS_MAX
    skew_seconds: int = SKEW_SECONDS
    covered_when_present: tuple[str, ...] = _COVERED_WHEN_PRESENT

    def for_any_application(self) -> Profile:
        """The same profile for a service that nobody has read: it also demands what common frameworks heed."""
        fields = self.covered_when_present + _HEEDED_BY_FRAMEWORKS
        return Profile(self.tag, self.window_seconds, self.skew_seconds, fields)


class Broken(Exception):
    """A broken rule before it is known whose it is: a request's or a response's."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule

    def of(self, subject: str) -> SignatureError:
        """As the error of a `request` or a `response`."""
        return SignatureError(f"{subject}.{self.rule}", str(self))


def malformed(what: str) -> Broken:
    """A field or parameter that does not parse, has another type, or says something twice."""
    return Broken("must_be_well_formed", f"{what} must be well formed")


def out_of_bounds(what: str) -> Broken:
    """More of something than section 1.6 allows."""
    return Broken("signature_must_be_within_bounds", f"the signature must be within its bounds: {what}")


def must_cover(what: str) -> Broken:
    """A component that is not covered."""
    return Broken("signature_must_cover", f"the signature must cover {what}")
