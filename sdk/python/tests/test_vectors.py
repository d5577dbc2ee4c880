"""`spec/vectors/http-signature-profile.json`: every row has its outcome. Its makers share no code with this package."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from strongroom import signature as sig
from strongroom.errors import SignatureError, UnreadableMessage

VECTORS = json.loads((Path(__file__).parents[3] / "spec/vectors/http-signature-profile.json").read_text())
Row = dict[str, Any]


def key_of(name: str) -> sig.VerifyingKey:
    key = VECTORS["keys"][name]
    match key["algorithm"]:
        case "ed25519":
            return sig.VerifyingKey.ed25519(b64decode(key["public"]))
        case "ecdsa-p256-sha256":
            return sig.VerifyingKey.ecdsa_p256(b64decode(key["public"]))
        case _:
            return sig.VerifyingKey.hmac_sha256(b64decode(key["secret"]))


def signing_key_of(name: str) -> sig.SigningKey:
    key = VECTORS["keys"][name]
    match key["algorithm"]:
        case "ed25519":
            return sig.SigningKey.ed25519(b64decode(key["private"]))
        case "ecdsa-p256-sha256":
            return sig.SigningKey.ecdsa_p256(b64decode(key["private"]))
        case _:
            return sig.SigningKey.hmac_sha256(b64decode(key["secret"]))


def request_of(row: Row) -> sig.Request:
    target = sig.Target(row["method"], row["scheme"], row["authority"], row["path"], row["query"])
    return sig.Request(target, sig.Fields(tuple(pair) for pair in row["headers"]))


def judge_request(row: Row) -> str:
    try:
        signed = sig.SignedRequest.read(request_of(row))
        signed.must_be_fresh(row["now"])
        content = b64decode(row["content"]) if row["content_seen"] else None
        nonce = signed.verify(key_of(row["key"]), content)
    except UnreadableMessage:
        return "unreadable"
    except SignatureError as error:
        return error.code
    assert nonce.hex() == row["nonce"]
    return "ok"


def judge_response(row: Row) -> str:
    fields = sig.Fields(tuple(pair) for pair in row["headers"])
    response = sig.Response(row["status"], fields, request_of(row["request"]))
    try:
        server_time = sig.SignedResponse.read(response).verify(key_of(row["key"]), b64decode(row["content"]))
    except SignatureError as error:
        return error.code
    assert server_time == row["server_time"]
    return "ok"


@pytest.mark.parametrize("row", VECTORS["requests"], ids=lambda row: row["name"])
def test_a_request_has_its_outcome(row: Row) -> None:
    assert judge_request(row) == row["outcome"]


@pytest.mark.parametrize("row", VECTORS["responses"], ids=lambda row: row["name"])
def test_a_response_has_its_outcome(row: Row) -> None:
    assert judge_response(row) == row["outcome"]


def test_the_vectors_are_all_there() -> None:
    assert len(VECTORS["requests"]) >= 150
    assert len(VECTORS["responses"]) >= 25


def test_the_profile_of_the_file_is_the_default_of_the_package() -> None:
    profile, own = VECTORS["profile"], sig.Profile()
    assert (profile["tag"], profile["window_seconds"], profile["skew_seconds"]) == (
        own.tag,
        own.window_seconds,
        own.skew_seconds,
    )
    assert tuple(profile["covered_when_present"]) == own.covered_when_present


@pytest.mark.parametrize("name", ["client.ed25519", "client.hmac", "client.p256"])
def test_what_is_signed_here_is_what_the_vectors_accept(name: str) -> None:
    row = next(row for row in VECTORS["requests"] if row["name"] == "an order")
    request, content = request_of(row), b64decode(row["content"])
    request.fields.remove("signature", "signature-input", "content-digest")
    nonce = bytes(range(24))
    key = signing_key_of(name)
    sig.sign_request(request, key, name, created=row["now"], expires=row["now"] + 30, nonce=nonce, content=content)
    signed = sig.SignedRequest.read(request)
    signed.must_be_fresh(row["now"])
    assert signed.verify(key_of(name), content) == nonce
    assert request.fields.lines("content-digest") == [value for own, value in row["headers"] if own == "Content-Digest"]
