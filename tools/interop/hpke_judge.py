#!/usr/bin/env python3
"""Opens and makes sealed boxes with HPKE (RFC 9180) of the PyPI package cryptography.

    hpke_judge.py open  < {"private": "x25519-secret:..", "info": "..", "boxes": ["sb1..", ..]}  > their contents
    hpke_judge.py seal  < {"public": "x25519:..", "info": "..", "contents": ["hex", ..]}         > boxes

Contents are hex, in a JSON list.
"""

import base64
import json
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_bytes(text, form):
    name, _, data = text.partition(":")
    assert name == form, name
    return decoded(data)


def opened(asked):
    key = X25519PrivateKey.from_private_bytes(key_bytes(asked["private"], "x25519-secret"))
    for box in asked["boxes"]:
        form, encapsulated, text = box.split(".")
        assert form == "sb1", form
        content = SUITE.decrypt(decoded(encapsulated) + decoded(text), key, asked["info"].encode())
        yield content.hex()


def sealed(asked):
    key = X25519PublicKey.from_public_bytes(key_bytes(asked["public"], "x25519"))
    for content in asked["contents"]:
        both = SUITE.encrypt(bytes.fromhex(content), key, asked["info"].encode())
        yield f"sb1.{encoded(both[:32])}.{encoded(both[32:])}"


task = {"open": opened, "seal": sealed}[sys.argv[1]]
json.dump(list(task(json.load(sys.stdin))), sys.stdout)
