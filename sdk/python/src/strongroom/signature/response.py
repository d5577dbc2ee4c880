"""Signed responses, each bound to the request that it answers (section 2 of the profile)."""

from __future__ import annotations

from dataclasses import dataclass

from . import content as contents
from . import nonce as nonces
from .component import Component, signature_base, unknown
from .input import Input, algorithm_must_be_the_keys, tagged
from .keys import VerifyingKey
from .message import Request, Response
from .request import must_be_valid
from .rules import REQUEST_TAG, RESPONSE_COVERED_WHEN_PRESENT, RESPONSE_TAG, Broken, must_cover


def _request_signature(request: Request) -> tuple[str, bytes | None] | None:
    """Label and nonce of the request's own signature, if it has exactly one; it need not be a good one."""
    try:
        found, _ = tagged(request.fields, REQUEST_TAG)
    except Broken:
        return None
    text = found.parameters.get("nonce")
    try:
        return found.label, nonces.decode(text) if isinstance(text, str) else None
    except Broken:
        return found.label, None


def _is_bound(found: Input, request: Request) -> bool:
    """Whether it answers the request's signature; False where the request has none. Raises Broken where it should."""
    own = _request_signature(request)
    if own is None:
        return False
    label, nonce = own
    wanted = Component("signature", "key", label, req=True)
    text = found.parameters.get("nonce")
    if wanted in found.components:
        answered = nonces.decode(text) if isinstance(text, str) else None
        if answered == nonce:
            return True
    raise Broken("must_answer_the_request", "the response must answer this request")


def _has_no_content(status: int, method: str) -> bool:
    """Whatever its fields say (RFC 9110 sections 9.3.2, 15.3.5, 15.4.5)."""
    return method == "HEAD" or 100 <= status < 200 or status in (204, 304)


@dataclass(frozen=True)
class SignedResponse:
    """A response whose signature has been read, and nothing more. `verify` judges it."""

    response: Response
    input: Input
    signature: bytes
    created: int
    key_id: str
    algorithm: str
    is_bound: bool
    digests: contents.Digests | None

    @classmethod
    def read(cls, response: Response) -> SignedResponse:
        """Checks all that needs no key. Raises SignatureError."""
        try:
            return cls._read(response)
        except Broken as broken:
            raise broken.of("response") from broken

    @classmethod
    def _read(cls, response: Response) -> SignedResponse:
        found, signature = tagged(response.fields, RESPONSE_TAG)
        created, key_id, algorithm = found.integer("created"), found.key_id(), found.algorithm()
        for component in found.components:
            if component.form is None:
                raise unknown(component)
        if Component.plain("@status") not in found.components:
            raise must_cover('"@status"')
        found.must_cover_target(req=True)
        found.must_cover_present(response.fields, RESPONSE_COVERED_WHEN_PRESENT)
        is_bound = _is_bound(found, response.request)
        without = _has_no_content(response.status, response.request.target.method)
        has_content = False if without else contents.declared(response.fields)
        digests = contents.covered_digests(response.fields, found.covers_field("content-digest"), has_content)
        return cls(response, found, signature, created, key_id, algorithm, is_bound, digests)

    def verify(self, key: VerifyingKey, content: bytes) -> int | None:
        """Judges signature and content, and gives the server's time in seconds since 1970.

        The time is None where the response is not bound to this one request, so that it may be old. Raises
        SignatureError.
        """
        try:
            if self.algorithm != key.algorithm:
                raise algorithm_must_be_the_keys(self.algorithm)
            must_be_valid(key, signature_base(self.response, self.input.components, self.input.text), self.signature)
            method = self.response.request.target.method
            if content or not _has_no_content(self.response.status, method):
                contents.must_match(self.digests, content)
        except Broken as broken:
            raise broken.of("response") from broken
        return self.created if self.is_bound else None
