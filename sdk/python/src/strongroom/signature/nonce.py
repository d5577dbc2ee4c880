"""Nonces: text on the wire, bytes everywhere else. Two texts of the same bytes are one nonce."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode

from .rules import NONCE_BYTES_MAX, NONCE_BYTES_MIN, Broken

_TEXT_CHARACTERS_MAX = 88


def check_length(nonce: bytes) -> bytes:
    """The nonce, if it has 16 to 64 bytes."""
    if not NONCE_BYTES_MIN <= len(nonce) <= NONCE_BYTES_MAX:
        text = f"the nonce must have 16 to 64 bytes; it has {len(nonce)}"
        raise Broken("nonce_must_have_16_to_64_bytes", text)
    return nonce


def decode(text: str) -> bytes:
    """From base64url or base64, with or without padding; mixed alphabets, spaces and bits for nothing are refused."""
    if len(text) > _TEXT_CHARACTERS_MAX:
        raise Broken("nonce_must_have_16_to_64_bytes", "the nonce must have 16 to 64 bytes")
    core = text[:-2].rstrip("=") + text[-2:].rstrip("=") if text.endswith("=") else text
    is_url_safe = "-" in text or "_" in text
    wrong = Broken("nonce_must_be_base64", "the nonce must be base64url or base64 text")
    if len(text) - len(core) not in (0, -len(core) % 4) or "=" in core:
        raise wrong
    try:
        padded = core + "=" * (-len(core) % 4)
        nonce = b64decode(padded, altchars=b"-_" if is_url_safe else None, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong from error
    # In the URL-safe alphabet `validate` would also pass `+` and `/`; and the last bits must stand for something.
    if (is_url_safe and ("+" in core or "/" in core)) or encode(nonce) != core.translate(_TO_URL_SAFE):
        raise wrong
    return check_length(nonce)


_TO_URL_SAFE = str.maketrans("+/", "-_")


def encode(nonce: bytes) -> str:
    """As base64url without padding."""
    return urlsafe_b64encode(nonce).rstrip(b"=").decode()
