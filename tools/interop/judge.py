#!/usr/bin/env python3
"""Signs or verifies requests with the PyPI package http-message-signatures, as it is.

    judge.py sign    < {"created": seconds, "keys": {..}, "requests": [..]}   > the same requests, signed, as JSON
    judge.py verify  < the same, signed                                       > the number of requests it accepts

A request is method, url, headers (pairs), content (base64), key (the name of one), covered (component identifiers).
"""

import base64
import datetime
import json
import sys
import types

from cryptography.hazmat.primitives.serialization import load_der_private_key
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, algorithms
from http_message_signatures.resolvers import MappingKeyResolver

ALGORITHMS = {
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "hmac-sha256": algorithms.HMAC_SHA256,
}
TAG = "strongroom-request"


def keys(given):
    private, public = {}, {}
    for name, key in given.items():
        if "secret" in key:
            private[name] = public[name] = base64.b64decode(key["secret"])
        else:
            private[name] = load_der_private_key(base64.b64decode(key["pkcs8"]), None)
            public[name] = private[name].public_key()
    return MappingKeyResolver(public_keys=public, private_keys=private)


def message_of(request):
    return types.SimpleNamespace(
        method=request["method"], url=request["url"], headers=dict(map(tuple, request["headers"]))
    )


def sign(given):
    resolver = keys(given["keys"])
    created = datetime.datetime.fromtimestamp(given["created"], tz=datetime.timezone.utc)
    for request in given["requests"]:
        message = message_of(request)
        algorithm = given["keys"][request["key"]]["algorithm"]
        content = base64.b64decode(request["content"])
        HTTPMessageSigner(signature_algorithm=ALGORITHMS[algorithm], key_resolver=resolver).sign(
            message,
            key_id=request["key"],
            created=created,
            expires=created + datetime.timedelta(seconds=60),
            nonce=request["nonce"],
            tag=TAG,
            covered_component_ids=request["covered"],
            body=content or None,
        )
        request["headers"] = [list(pair) for pair in message.headers.items()]
    json.dump(given["requests"], sys.stdout)


def verify(given):
    resolver = keys(given["keys"])
    for request in given["requests"]:
        algorithm = given["keys"][request["key"]]["algorithm"]
        verifier = HTTPMessageVerifier(signature_algorithm=ALGORITHMS[algorithm], key_resolver=resolver)
        results = verifier.verify(
            message_of(request),
            expect_tag=TAG,
            require_components=("@method", "@authority", "@path", "@query"),
            body=base64.b64decode(request["content"]),
        )
        assert results[0].nonce == request["nonce"], request
    json.dump(len(given["requests"]), sys.stdout)


{"sign": sign, "verify": verify}[sys.argv[1]](json.load(sys.stdin))
