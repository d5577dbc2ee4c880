"""Content and its digest (RFC 9530, and section 1.4 of the profile)."""

from __future__ import annotations

import hashlib
from base64 import b64encode

from .message import Fields
from .rules import CONTENT_DIGEST_BYTES_MAX, Broken, malformed
from .structured import byte_sequences

_LENGTHS = {"sha-256": 32, "sha-512": 64}
_WITHOUT_CONTENT = ("GET", "HEAD", "DELETE", "OPTIONS")

Digests = dict[str, bytes]
"""By `sha-256` and `sha-512`, one of them at least."""


def content_digest(content: bytes) -> str:
    """The value of `Content-Digest`, by sha-256."""
    return f"sha-256=:{b64encode(hashlib.sha256(content).digest()).decode()}:"


def declared(fields: Fields) -> bool | None:
    """Whether the fields say that there is content (True), or that there is none (False), or nothing (None)."""
    lengths = fields.lines("content-length")
    is_coded = "transfer-encoding" in fields
    if not lengths:
        return True if is_coded else None
    digits = lengths[0].strip(" \t")
    if len(lengths) > 1 or is_coded or not (digits.isascii() and digits.isdigit()):
        raise malformed("content-length")
    return digits.strip("0") != ""


def read_digests(fields: Fields) -> Digests | None:
    """The digests that can be judged; None where the field is missing."""
    lines = fields.lines("content-digest")
    if not lines:
        return None
    if len(lines) > 1 or len(lines[0]) > CONTENT_DIGEST_BYTES_MAX:
        raise malformed("content-digest")
    found: Digests = {}
    for name, digest in byte_sequences("content-digest", lines).items():
        if name in _LENGTHS:
            if digest is None or len(digest) != _LENGTHS[name]:
                raise malformed("content-digest")
            found[name] = digest
    if not found:
        raise Broken("digest_must_be_sha_256_or_sha_512", "Content-Digest must have sha-256 or sha-512")
    return found


def covered_digests(fields: Fields, is_covered: bool, has_content: bool | None) -> Digests | None:
    """The digests, which must be covered where they are present, and present where there is content."""
    digests = read_digests(fields)
    if digests is None and has_content:
        raise missing()
    if digests is not None and not is_covered:
        raise Broken("signature_must_cover", 'the signature must cover "content-digest"')
    return digests


def missing() -> Broken:
    """Content without a digest."""
    return Broken("content_must_have_digest", "a message with content must have a Content-Digest")


def must_match(digests: Digests | None, content: bytes) -> None:
    """Compares content with every digest that can be judged."""
    if digests is None:
        if content:
            raise missing()
        return
    for name, digest in digests.items():
        if hashlib.new(name.replace("-", ""), content).digest() != digest:
            raise Broken("content_must_match_digest", "the content must match its Content-Digest")


def may_pass_unseen(has_content: bool | None, method: str, digests: Digests | None) -> None:
    """Refuses what has content, or may have it, where the judge does not see it."""
    if has_content is False:
        must_match(digests, b"")
    elif has_content or digests is not None or method not in _WITHOUT_CONTENT:
        raise Broken("content_must_be_checked", "the content must be where it can be checked")
