"""HTTP message signatures (RFC 9421) under Strongroom's profile: sign and judge requests, judge responses.

It keeps no keys and no nonces, and reads no clock: those are the caller's.
"""

from .keys import SigningKey, VerifyingKey
from .message import Fields, Request, Response, Target
from .request import SignedRequest, sign_request
from .response import SignedResponse
from .rules import Profile

__all__ = [
    "Fields",
    "Profile",
    "Request",
    "Response",
    "SignedRequest",
    "SignedResponse",
    "SigningKey",
    "Target",
    "VerifyingKey",
    "sign_request",
]
