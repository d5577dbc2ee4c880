"""Signed requests: made by `sign_request`, judged by `SignedRequest` (sections 1.1 to 1.5 of the profile)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from . import content as contents
from . import nonce as nonces
from .component import Component, signature_base, unknown
from .input import Input, algorithm_must_be_the_keys, read_inputs, tagged
from .keys import SigningKey, VerifyingKey
from .message import Request
from .rules import LABEL, LABELS_MAX, LIFETIME_SECONDS_MAX, Broken, Profile, out_of_bounds
from .structured import string

SIGNED_FIELDS = ("signature-input", "signature", "content-digest")
"""What signing adds, and what is removed before a request is signed anew; names in lower case."""


def _lifetime(created: int, expires: int) -> None:
    if not 1 <= expires - created <= LIFETIME_SECONDS_MAX:
        text = f"a signature must expire 1 to 60 seconds after {created}; this one expires at {expires}"
        raise Broken("lifetime_must_be_at_most_60_seconds", text)


def sign_request(
    request: Request,
    key: SigningKey,
    key_id: str,
    *,
    created: int,
    expires: int,
    nonce: bytes,
    content: bytes = b"",
    profile: Profile | None = None,
) -> None:
    """Signs a request: adds `Content-Digest` where there is content, and both fields of the signature.

    Times are seconds since 1970, 1 to 60 apart; the nonce has 16 to 64 bytes that were never used with this key. Raises
    SignatureError where the signed request would break a rule.
    """
    profile = profile or Profile()
    try:
        _lifetime(created, expires)
        nonces.check_length(nonce)
        fields = request.fields
        label = _free_label(request, profile)
        if content or "content-digest" in fields:
            fields.remove("content-digest")
            fields.append("content-digest", contents.content_digest(content))
        names = ["@method", "@authority", "@path", "@query"]
        names += [name for name in (*profile.covered_when_present, "content-digest") if name in fields]
        components = [Component.plain(name) for name in names]
        texts = {"keyid": key_id, "alg": key.algorithm, "nonce": nonces.encode(nonce), "tag": profile.tag}
        parameters = f";created={created};expires={expires}"
        parameters += "".join(f";{name}={string(text)}" for name, text in texts.items())
        written = f"({' '.join(component.text for component in components)}){parameters}"
        signature = key.sign(signature_base(request, components, written))
    except Broken as broken:
        raise broken.of("request") from None
    fields.append("signature-input", f"{label}={written}")
    fields.append("signature", f"{label}=:{b64encode(signature).decode()}:")


def _free_label(request: Request, profile: Profile) -> str:
    inputs = read_inputs(request.fields)
    if any(other.parameters.get("tag") == profile.tag for other in inputs):
        raise Broken("must_have_one_signature", f"the tag {profile.tag!r} is taken")
    if len(inputs) >= LABELS_MAX:
        raise out_of_bounds(f"a message has at most {LABELS_MAX} labels")
    taken = {other.label for other in inputs}
    return next(label for label in (LABEL, *(f"{LABEL}{n}" for n in range(2, 9))) if label not in taken)


@dataclass(frozen=True)
class SignedRequest:
    """A request whose signature has been read, and nothing more. `verify` judges it."""

    request: Request
    input: Input
    signature: bytes
    created: int
    expires: int
    nonce: bytes
    key_id: str
    algorithm: str
    has_content: bool | None
    digests: contents.Digests | None

    @classmethod
    def read(cls, request: Request, profile: Profile | None = None) -> SignedRequest:
        """Checks all that needs neither key nor time. Raises SignatureError."""
        try:
            return cls._read(request, profile or Profile())
        except Broken as broken:
            raise broken.of("request") from broken

    @classmethod
    def _read(cls, request: Request, profile: Profile) -> SignedRequest:
        found, signature = tagged(request.fields, profile.tag)
        created, expires = found.integer("created"), found.integer("expires")
        _lifetime(created, expires)
        nonce = nonces.decode(found.string("nonce"))
        key_id, algorithm = found.key_id(), found.algorithm()
        for component in found.components:
            if component.req or component.form is None or component.name == "@status":
                # A status is no request's.
                raise unknown(component)
        found.must_cover_target(req=False)
        found.must_cover_present(request.fields, profile.covered_when_present)
        has_content = contents.declared(request.fields)
        digests = contents.covered_digests(request.fields, found.covers_field("content-digest"), has_content)
        return cls(request, found, signature, created, expires, nonce, key_id, algorithm, has_content, digests)

    def must_be_fresh(self, now: int, profile: Profile | None = None) -> None:
        """Compares the signature's times with the judge's, in seconds since 1970. Raises SignatureError."""
        profile = profile or Profile()
        if self.created > now + profile.skew_seconds:
            text = f"it was made at {self.created}, and now is {now}"
            raise Broken("must_not_be_from_the_future", text).of("request")
        until = min(self.expires, self.created + profile.window_seconds) + profile.skew_seconds
        if now > until:
            raise Broken("must_be_fresh", f"it was good until {until}, and now is {now}").of("request")

    def verify(self, key: VerifyingKey, content: bytes | None) -> bytes:
        """Judges signature and content, and gives the nonce, which must be new.

        Content is None where the judge does not see it. Raises SignatureError.
        """
        try:
            if self.algorithm != key.algorithm:
                raise algorithm_must_be_the_keys(self.algorithm)
            must_be_valid(key, signature_base(self.request, self.input.components, self.input.text), self.signature)
            if content is None:
                contents.may_pass_unseen(self.has_content, self.request.target.method, self.digests)
            else:
                contents.must_match(self.digests, content)
        except Broken as broken:
            raise broken.of("request") from broken
        return self.nonce


def must_be_valid(key: VerifyingKey, base: bytes, signature: bytes) -> None:
    """The signature must be one of the base."""
    if not key.is_signed(base, signature):
        raise Broken("signature_must_be_valid", "the signature must be valid for this message and key")
