"""Receipts: every row of `spec/vectors/receipts`, what a verified one says, and every flipped bit of a valid one."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import strongroom
from strongroom.signature import SigningKey

FOLDER = Path(__file__).parents[3] / "spec/vectors/receipts"
ROWS: list[dict[str, str]] = json.loads((FOLDER / "receipts.json").read_text())
LEAVES: list[dict[str, Any]] = json.loads((FOLDER / "leaves.json").read_text())
BY_NAME = {row["name"]: row for row in ROWS}
OPEN = BY_NAME["leaf 2 of 7"]
WITHHELD = BY_NAME["a content that is withheld, or was erased"]
UNICODE = BY_NAME["leaf 4 of 7"]
FORM = "audit.receipt_must_be_well_formed"
ROOT = "audit.proof_must_lead_to_root"


def outcome(receipt: Any, vkey: str = OPEN["vkey"]) -> str:
    try:
        strongroom.verify_receipt(receipt, vkey)
    except strongroom.ReceiptError as error:
        return error.code
    return "ok"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_receipt_has_its_outcome(row: dict[str, str]) -> None:
    assert outcome(row["receipt"], row["vkey"]) == row["outcome"]
    assert outcome(row["receipt"].encode("utf-8", "surrogatepass"), row["vkey"]) == row["outcome"]


@pytest.mark.parametrize("row", [row for row in ROWS if row["outcome"] != FORM], ids=lambda row: row["name"])
def test_a_receipt_that_was_read_already_has_its_outcome(row: dict[str, str]) -> None:
    assert outcome(json.loads(row["receipt"]), row["vkey"]) == row["outcome"]


@pytest.mark.parametrize("index", range(7))
def test_a_verified_receipt_says_what_was_logged(index: int) -> None:
    row, leaf = BY_NAME[f"leaf {index} of 7"], LEAVES[index]
    found = strongroom.verify_receipt(row["receipt"], row["vkey"])
    assert (found.stream, found.seq, found.kind) == (leaf["stream"], leaf["seq"], leaf["kind"])
    assert (found.recorded_at, found.written) == (leaf["recorded_at"], leaf["written"])
    content = leaf["content"]
    assert (found.at, found.actor, found.body) == (content["at"], content["actor"], content["body"])
    assert found.leaf_index == index
    root = b64decode(LEAVES[6]["root_so_far"])
    assert found.checkpoint == strongroom.Checkpoint("fund.example/log", 7, root)


def test_a_withheld_content_is_not_shown() -> None:
    found = strongroom.verify_receipt(WITHHELD["receipt"], WITHHELD["vkey"])
    assert (found.at, found.actor, found.body) == (None, None, None)


@pytest.mark.parametrize("row", [OPEN, WITHHELD, UNICODE], ids=lambda row: row["name"])
def test_no_bit_of_a_receipt_can_be_flipped(row: dict[str, str]) -> None:
    text = row["receipt"].encode()
    assert outcome(text) == "ok"
    for place in range(8 * len(text)):
        flipped = bytearray(text)
        flipped[place // 8] ^= 1 << place % 8
        assert outcome(bytes(flipped)) != "ok", (place, bytes(flipped))


def flips(text: str, *, is_base64: bool) -> Iterator[str]:
    """Each byte of a value changed in its last bit: still a value of its form."""
    content = b64decode(text) if is_base64 else text.encode()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1
        yield b64encode(flipped).decode() if is_base64 else flipped.decode()


FIELDS = (("stream",), ("recorded_at",), ("kind",), ("content", "at"), ("content", "actor"), ("content", "body"))
HASHES = (("content", "salt"), ("inclusion_proof", 0), ("inclusion_proof", 1), ("inclusion_proof", 2))


@pytest.mark.parametrize("path", FIELDS + HASHES, ids=lambda path: ".".join(map(str, path)))
def test_another_byte_in_a_well_formed_value_leads_to_another_root(path: tuple[Any, ...]) -> None:
    receipt = json.loads(OPEN["receipt"])
    *way, last = path
    inner = receipt
    for step in way:
        inner = inner[step]
    tried = list(flips(inner[last], is_base64=path in HASHES))
    assert len(tried) >= 6
    for value in tried:
        inner[last] = value
        assert outcome(json.dumps(receipt)) == ROOT, value


def test_another_number_leads_to_another_root() -> None:
    receipt = json.loads(OPEN["receipt"])
    for bit in range(53):
        assert outcome(receipt | {"seq": receipt["seq"] ^ 1 << bit}) == ROOT
    for index in set(range(6)) - {receipt["leaf_index"]}:
        assert outcome(receipt | {"leaf_index": index}) == ROOT


def test_what_a_lenient_reader_would_take_is_refused() -> None:
    text = OPEN["receipt"]
    assert '"seq":1,' in text
    assert text.endswith('\\n"}')
    for wrong in (
        text.replace('"seq":1,', '"seq":1,"seq":1,'),
        text.replace('"seq":1,', '"seq":1,"s\\u0065q":1,'),
        text.replace('"actor":', '"actor":"x","actor":'),
        text.replace('"seq":1,', '"seq":1.0,'),
        text.replace('"seq":1,', '"seq":1e0,'),
        text.replace('"seq":1,', '"seq":01,'),
        text.replace('"seq":1,', '"seq":-0,'),
        text.replace('"seq":1,', '"seq":true,'),
        text.replace('"seq":1,', '"seq":NaN,'),
        text.replace('"seq":1,', f'"seq":{"1" * 5_000},'),
        text.replace('"seq":1,', f'"seq":{"[" * 100_000},'),
        text.replace('"seq":1,', '"seq":1,"__proto__":{},'),
        "\ufeff" + text,
        text[:-1] + ",}",
        text.replace('"recorded_at":"', f'"recorded_at":"{"1" * 977}'),
        text.replace('\\n"}', '\\nx"}'),
        text + " " * (16 << 20),
    ):
        assert outcome(wrong) == FORM, wrong[:200]
    assert outcome(text.encode("utf-16")) == FORM
    assert outcome(b"\xff" + text.encode()) == FORM
    read = json.loads(text)
    for wrong_value in (True, 1.0, None, float("nan"), object()):
        assert outcome(read | {"seq": wrong_value}) == FORM


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "fund.example/log",
        OPEN["vkey"][:-1],
        OPEN["vkey"] + "\n",
        OPEN["vkey"].replace("+3657", "+4657"),
        "a+b+c+d",
        "\ud800" + OPEN["vkey"],
    ],
)
def test_a_key_that_is_none_is_refused(vkey: str) -> None:
    assert outcome(OPEN["receipt"], vkey) == "audit.key_must_be_verifier_key"


def vkey_of(kind: int, public: str) -> str:
    material = bytes([kind]) + bytes.fromhex(public)
    key_id = hashlib.sha256(b"fund.example/log\n" + material).hexdigest()[:8]
    return f"fund.example/log+{key_id}+{b64encode(material).decode()}"


def signed_by(seed: bytes, text: str) -> tuple[str, str]:
    """A receipt whose checkpoint has another text, and the key that signed it."""
    key = SigningKey.ed25519(seed)
    assert key.public is not None
    vkey = vkey_of(1, key.public.hex())
    signature = bytes.fromhex(vkey.split("+")[1]) + key.sign(text.encode())
    note = f"{text}\n\N{EM DASH} fund.example/log {b64encode(signature).decode()}\n"
    return json.dumps(json.loads(OPEN["receipt"]) | {"checkpoint": note}), vkey


def test_a_checkpoint_has_no_empty_line_and_no_size_past_64_bits() -> None:
    origin, _, root = json.loads(OPEN["receipt"])["checkpoint"].split("\n")[:3]
    form = "audit.checkpoint_must_be_well_formed"
    for text, wanted in (
        (f"{origin}\n7\n{root}\n", "ok"),
        (f"{origin}\n7\n{root}\nmore\n", "ok"),
        (f"{origin}\n7\n{root}\n\nmore\n", form),
        (f"{origin}\n7\n{root}\n\n", form),
        (f"\n7\n{root}\n", form),
        (f"{origin}\n{2**64 - 1}\n{root}\n", "audit.proof_must_fit_the_tree"),
        (f"{origin}\n{2**64}\n{root}\n", form),
    ):
        assert outcome(*signed_by(bytes(32), text)) == wanted, text


WEAK = (
    "00" * 32,
    "00" * 31 + "80",
    "01" + "00" * 31,
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 31,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
)


@pytest.mark.parametrize("public", WEAK)
def test_a_key_for_which_anybody_can_sign_is_refused(public: str) -> None:
    assert outcome(OPEN["receipt"], vkey_of(1, public)) == "audit.key_must_be_strong"


def test_a_key_of_a_witness_is_none_of_a_log() -> None:
    public = b64decode(OPEN["vkey"].split("+", 2)[2])[1:].hex()
    assert vkey_of(1, public) == OPEN["vkey"]
    assert outcome(OPEN["receipt"], vkey_of(4, public)) == "audit.key_must_be_of_kind"
