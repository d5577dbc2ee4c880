"""The server's list of the keys with which it signs, a JSON Web Key Set: believed as far as the transport is."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from itertools import pairwise
from typing import Any

from .address import url_of
from .errors import StrongroomError
from .flow import Flow, Wire, call
from .key_file import ServerKey
from .signature import VerifyingKey

PATH = "/.well-known/http-message-signatures-directory"


def look_up(server: str) -> Flow[list[ServerKey]]:
    """The listed keys, the oldest first."""
    came = call((yield Wire("GET", url_of(server, PATH), [], b"")))
    return read(came.content) if came.status == 200 else []


def read(text: bytes) -> list[ServerKey]:
    """The Ed25519 keys of a key set; what cannot be read is passed over."""
    try:
        listed = json.loads(text)["keys"]
        found = [_read_one(each) for each in listed]
    except (ValueError, KeyError, TypeError):
        return []
    # The directory has the newest first; a chain is followed from the oldest on.
    return [key for key in reversed(found) if key is not None]


def _read_one(listed: Any) -> ServerKey | None:
    try:
        public = urlsafe_b64decode(listed["x"] + "==")
        return ServerKey(listed["kid"], "ed25519", b64encode(public).decode(), listed.get("vouched"))
    except (KeyError, TypeError, AttributeError, binascii.Error):
        return None


def vouch_text(key: ServerKey) -> bytes:
    """What an old key of a server signs when it vouches for its successor."""
    return f"strongroom server key\n{key.key}\n{key.algorithm}\n{key.public_key}\n".encode()


def vouched(listed: list[ServerKey], pinned: dict[str, VerifyingKey]) -> dict[str, VerifyingKey]:
    """The pinned keys, and each listed one that the one before it vouches for."""
    believed = dict(pinned)
    for earlier, later in pairwise(listed):
        old = believed.get(earlier.key)
        if old is None or later.key in believed or later.vouched is None:
            continue
        try:
            if old.is_signed(vouch_text(later), b64decode(later.vouched, validate=True)):
                believed[later.key] = later.verifying_key()
        except (binascii.Error, ValueError, StrongroomError):
            continue
    return believed
