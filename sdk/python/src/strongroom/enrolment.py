"""Enrolling: the key is made here, its private half never leaves, and the server's keys are pinned."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode

from . import directory
from .address import base_of
from .errors import StrongroomError
from .exchange import Exchange, Options, Sent
from .flow import Flow
from .key_file import KeyFile, ServerKey
from .ring import ClientKey, KeyRing
from .signature import SigningKey


def enrol_flow(server: str, code: str, options: Options) -> Flow[KeyFile]:
    """Makes an Ed25519 key, enrols its public half with a one-time code, and gives what belongs into the key file.

    The server's keys are taken from its directory first, and every answer is checked with them: on first contact the
    transport alone vouches for that directory, so use https or loopback. A lost answer is not asked for again: the code
    is good once.
    """
    enrolment, dot, secret = code.strip().partition(".")
    if not (enrolment and dot and secret):
        raise StrongroomError("client.code_must_be_whole", "a one-time code is a name, a dot and a secret")
    seed = secrets.token_bytes(32)
    key = SigningKey.ed25519(seed)
    base = base_of(server)
    listed = yield from directory.look_up(base)
    exchange = Exchange(base, KeyRing(ClientKey(enrolment, key)), tuple(listed), options)
    body = {"code": secret, "algorithm": "ed25519", "public_key": b64encode(key.public or b"").decode()}
    sent = Sent(
        "POST",
        f"/v1/enrolments/{enrolment}",
        {"Content-Type": "application/json"},
        json.dumps(body).encode(),
    )
    enrolled = (yield from exchange.send(sent, may_repeat=False)).success()
    server_keys = tuple(ServerKey.of_json(each) for each in enrolled["server_keys"])
    made = KeyFile.of_seed(base, enrolled["key"], seed, server_keys)
    return KeyFile(made.server, made.key, made.algorithm, made.secret, server_keys, enrolled["expires"])


def import_flow(server: str, key: str, secret: str) -> Flow[KeyFile]:
    """The key file of an HMAC secret (base64) that the server made, with the server's keys from its directory."""
    base = base_of(server)
    listed = yield from directory.look_up(base)
    return KeyFile(base, key, "hmac-sha256", secret, tuple(listed))
