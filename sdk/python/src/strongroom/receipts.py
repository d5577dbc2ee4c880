"""Receipts of the audit log, verified without the server: `spec/receipts.md` says what is in one.

event = verify_receipt(Path("receipt.json").read_bytes(), "fund.example/log+365722e1+AYqI...")
print(event.stream, event.seq, event.body)
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast

from .errors import ReceiptError
from .signature import VerifyingKey

RECEIPT_BYTES_MAX = 16 << 20
_NOTE_BYTES_MAX = 1 << 20
_NOTE_SIGNATURES_MAX = 100
_SIGNATURE_BYTES_MAX = 1 << 14
_KEY_NAME_BYTES_MAX = 255
_PROOF_HASHES_MAX = 63
_INTEGER_MAX = (1 << 53) - 1
_SIZE_MAX = (1 << 64) - 1
_HASH_BYTES = 32
_SALT_BYTES = 16
_KEY_ID_BYTES = 4
_ED25519 = 0x01
_MEMBERS = frozenset(
    ("format", "stream", "seq", "recorded_at", "kind", "written", "leaf_index", "inclusion_proof", "checkpoint")
)
_VERSIONS = {"with_event": b"\x01", "later": b"\x02"}


@dataclass(frozen=True)
class Checkpoint:
    """What the log said of itself, under its signature: its name, its leaves, the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class VerifiedReceipt:
    """An event that is in the log. Times, actor and body are as they were stored."""

    stream: str
    seq: int
    kind: str
    recorded_at: str
    written: Literal["with_event", "later"]
    """Whether the leaf was made with the event, or afterwards for an event from before there was a log."""
    at: str | None
    """The business time; None, like actor and body, where the receipt withholds the content."""
    actor: str | None
    body: str | None
    leaf_index: int
    checkpoint: Checkpoint


def verify_receipt(receipt: str | bytes | Mapping[str, Any], vkey: str) -> VerifiedReceipt:
    """The event of a receipt, if it is in the log of a verifier key, `name+id+key`, which comes from a trusted place.

    Give the text of the receipt: in a mapping it is no longer seen whether a member stood there twice. Cosignatures of
    witnesses are not judged. Raises ReceiptError: its code says which rule of section 3 was broken, or
    `audit.key_must_be_verifier_key`, `audit.key_must_be_of_kind` or `audit.key_must_be_strong` that the key is none of
    a log.
    """
    key = _LogKey(vkey)
    read = _Receipt(_members_of(receipt))
    checkpoint = _checkpoint_of(read.note.signed_text(key), key)
    _must_include(read.leaf_hash(), read.leaf_index, read.proof, checkpoint)
    at, actor, body = read.content if read.content is not None else (None, None, None)
    return VerifiedReceipt(
        read.stream, read.seq, read.kind, read.recorded_at, read.written, at, actor, body, read.leaf_index, checkpoint
    )


def _malformed(text: str) -> NoReturn:
    raise ReceiptError("audit.receipt_must_be_well_formed", text)


def _members_of(receipt: str | bytes | Mapping[str, Any]) -> dict[str, Any]:
    """The members of the JSON object, none twice."""
    try:
        if isinstance(receipt, Mapping):
            receipt = json.dumps(dict(receipt), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text = receipt.encode() if isinstance(receipt, str) else bytes(receipt)
        if len(text) > RECEIPT_BYTES_MAX:
            _malformed("a receipt has at most 16 MiB")
        read = json.loads(
            text.decode(),
            object_pairs_hook=_each_once,
            parse_int=_integer_of,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except (ValueError, TypeError, RecursionError) as error:
        _malformed(f"it is not JSON: {error}")
    if not isinstance(read, dict):
        _malformed("it is not an object")
    return read


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _malformed("a member stands in it twice")
    return members


def _integer_of(text: str) -> int:
    # Sixteen digits have the largest one; a longer text is not converted at all.
    if text.startswith("-") or len(text) > 16 or int(text) > _INTEGER_MAX:
        _malformed("a number is an integer from 0 to 2^53 - 1")
    return int(text)


def _no_number(_: str) -> NoReturn:
    _malformed("a number is an integer from 0 to 2^53 - 1")


def _bytes_of(text: str) -> bytes:
    """Text as UTF-8; half of a surrogate pair is none."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        _malformed("a text has half a character")


def _decoded(text: str, bytes_max: int) -> bytes | None:
    """From base64 exactly as it is written: with padding, and with zeros in the bits that stand for nothing."""
    if len(text) > 4 * (bytes_max // 3 + 1):
        return None
    try:
        made = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return made if len(made) <= bytes_max and b64encode(made).decode() == text else None


def _text_in(members: Mapping[str, Any], name: str, bytes_max: int = RECEIPT_BYTES_MAX) -> str:
    text = members[name]
    if not isinstance(text, str):
        _malformed(f"{name} is a string")
    if len(_bytes_of(text)) > bytes_max:
        _malformed(f"{name} has at most {bytes_max} bytes")
    return text


def _integer_in(members: Mapping[str, Any], name: str) -> int:
    number = members[name]
    if type(number) is not int:
        _malformed(f"{name} is an integer")
    return number


def _binary(text: object, size: int, what: str) -> bytes:
    made = _decoded(text, size) if isinstance(text, str) else None
    if made is None or len(made) != size:
        _malformed(f"{what} is {size} bytes in base64 with padding")
    return made


def _framed(size_bytes: int, text: str) -> bytes:
    content = text.encode()
    return len(content).to_bytes(size_bytes, "big") + content


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class _Receipt:
    """A receipt of the form of section 2, of which nothing was verified."""

    def __init__(self, members: dict[str, Any]) -> None:
        shown = {"content", "commitment"} & members.keys()
        if len(shown) != 1 or members.keys() - shown != _MEMBERS:
            _malformed(f"its members are {', '.join(sorted(_MEMBERS))}, and either content or commitment")
        if members["format"] != "strongroom-receipt/v1":
            _malformed("its format is strongroom-receipt/v1")
        self.stream = _text_in(members, "stream", 200)
        if not self.stream:
            _malformed("stream has at least one byte")
        self.seq = _integer_in(members, "seq")
        self.recorded_at = _text_in(members, "recorded_at", 1_000)
        self.kind = _text_in(members, "kind", 1_000)
        written = _text_in(members, "written")
        if written not in _VERSIONS:
            _malformed("written is with_event or later")
        self.written = cast(Literal["with_event", "later"], written)
        self.leaf_index = _integer_in(members, "leaf_index")
        self.content: tuple[str, str, str] | None = None
        self._disclose(members)
        proof = members["inclusion_proof"]
        if not isinstance(proof, list) or len(proof) > _PROOF_HASHES_MAX:
            _malformed(f"inclusion_proof is an array of at most {_PROOF_HASHES_MAX} hashes")
        self.proof = [_binary(each, _HASH_BYTES, "a hash of inclusion_proof") for each in proof]
        self.note = _Note(_text_in(members, "checkpoint", _NOTE_BYTES_MAX))

    def _disclose(self, members: dict[str, Any]) -> None:
        if "commitment" in members:
            self.commitment = _binary(members["commitment"], _HASH_BYTES, "commitment")
            return
        content = members["content"]
        if not isinstance(content, dict) or content.keys() != {"at", "actor", "body", "salt"}:
            _malformed("the members of content are at, actor, body and salt")
        salt = _binary(content["salt"], _SALT_BYTES, "salt")
        self.content = (_text_in(content, "at"), _text_in(content, "actor"), _text_in(content, "body"))
        self.commitment = _sha256(salt, *(_framed(8, each) for each in self.content))

    def leaf_hash(self) -> bytes:
        """Section 1: what of the event is published, under the prefix of a leaf."""
        stream, recorded_at, kind = (_framed(2, each) for each in (self.stream, self.recorded_at, self.kind))
        seq = self.seq.to_bytes(8, "big")
        return _sha256(b"\0", _VERSIONS[self.written], stream, seq, recorded_at, kind, self.commitment)


def _is_key_name(name: str) -> bool:
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return False
    is_plain = not any(each.isspace() or each == "+" or each < " " or each == "\x7f" for each in name)
    return is_plain and 1 <= size <= _KEY_NAME_BYTES_MAX


def _is_weak(public: bytes) -> bool:
    """Whether the order of a point is at most 8 (RFC 8032 section 5.1; y is without the sign of x).

    Orders 1, 2 and 4 have y = 1, -1 and 0. Doubled to order 4, a point of order 8 has x^2 = -y^2, and so on the curve
    d y^4 + 2 y^2 = 1, where d = -121665/121666.
    """
    field = (1 << 255) - 19
    square = pow(int.from_bytes(public, "little") & ((1 << 255) - 1), 2, field)
    return square in (0, 1) or (121_665 * square * square - 121_666 * (2 * square - 1)) % field == 0


class _LogKey:
    """A verifier key of a log (C2SP signed-note): a name, the id of four bytes, and an Ed25519 key."""

    def __init__(self, vkey: str) -> None:
        parts = vkey.split("+", 2)
        material = _decoded(parts[2], 1 + _HASH_BYTES) if len(parts) == 3 else None
        if material is None or len(material) != 1 + _HASH_BYTES or not _is_key_name(parts[0]):
            raise ReceiptError("audit.key_must_be_verifier_key", "a verifier key is name+id+key, as it was published")
        self.name = parts[0]
        self.id = _sha256(self.name.encode(), b"\n", material)[:_KEY_ID_BYTES]
        if parts[1] != self.id.hex():
            raise ReceiptError("audit.key_must_be_verifier_key", "the id in the verifier key is that of another key")
        if material[0] != _ED25519:
            raise ReceiptError("audit.key_must_be_of_kind", "the key of a log is wanted, Ed25519 of type 0x01")
        if _is_weak(material[1:]):
            text = "the verifier key is a point of small order: anybody can sign for it"
            raise ReceiptError("audit.key_must_be_strong", text)
        self._key = VerifyingKey.ed25519(material[1:])

    def is_signed(self, text: str, signature: bytes) -> bool:
        return len(signature) == 64 and self._key.is_signed(text.encode(), signature)


class _Note:
    """A signed note (C2SP signed-note): a text, and the lines of signature behind its last empty line."""

    def __init__(self, note: str) -> None:
        head, empty, tail = note.rpartition("\n\n")
        if not empty or any(each < " " and each != "\n" for each in head):
            _malformed("in a note an empty line stands before the signatures, and no control character in its text")
        self._text = head + "\n"
        *lines, rest = tail.split("\n")
        if rest or not 1 <= len(lines) <= _NOTE_SIGNATURES_MAX:
            _malformed(f"a note has 1 to {_NOTE_SIGNATURES_MAX} signatures, each a line with its newline")
        self._signatures = [self._signature_of(line) for line in lines]

    @staticmethod
    def _signature_of(line: str) -> tuple[str, bytes]:
        parts = line.split(" ")
        if len(parts) == 3 and parts[0] == "\N{EM DASH}" and _is_key_name(parts[1]):
            made = _decoded(parts[2], _SIGNATURE_BYTES_MAX)
            if made is not None and len(made) > _KEY_ID_BYTES:
                return parts[1], made
        _malformed("a signature in a note is an em dash, the name of a key, and base64")

    def signed_text(self, key: _LogKey) -> str:
        """The text, if the key signed it and no signature by the key is wrong."""
        made = [
            signature[_KEY_ID_BYTES:]
            for name, signature in self._signatures
            if name == key.name and signature[:_KEY_ID_BYTES] == key.id
        ]
        if not made:
            text = f"the checkpoint is not signed by {key.name}+{key.id.hex()}"
            raise ReceiptError("audit.note_must_be_signed_by_known_key", text)
        if not all(key.is_signed(self._text, each) for each in made):
            raise ReceiptError("audit.signature_must_verify", f"a signature by {key.name} is not of this checkpoint")
        return self._text


def _checkpoint_of(text: str, key: _LogKey) -> Checkpoint:
    """C2SP tlog-checkpoint: origin, size, root, and lines of extension that mean nothing here."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise ReceiptError("audit.checkpoint_must_be_well_formed", "it has three lines or more, and none is empty")
    origin, size, root_text = lines[:3]
    is_decimal = size.isascii() and size.isdigit() and len(size) <= 20 and (size == "0" or size[0] != "0")
    if not is_decimal or int(size) > _SIZE_MAX:
        raise ReceiptError("audit.checkpoint_must_be_well_formed", "its size is a number without leading zeros")
    root = _decoded(root_text, _HASH_BYTES)
    if root is None or len(root) != _HASH_BYTES:
        raise ReceiptError("audit.checkpoint_must_be_well_formed", "its root is 32 bytes in base64 with padding")
    if origin != key.name:
        text = f"it is of the log {origin}, and the key of {key.name}"
        raise ReceiptError("audit.checkpoint_must_be_of_this_log", text)
    return Checkpoint(origin, int(size), root)


def _must_include(leaf: bytes, index: int, proof: list[bytes], checkpoint: Checkpoint) -> None:
    """RFC 9162 section 2.1.3.2: climbs from the leaf to the root."""
    if index >= checkpoint.size:
        text = f"leaf {index} is not in a tree of {checkpoint.size}"
        raise ReceiptError("audit.index_must_be_in_tree", text)
    node, last, found = index, checkpoint.size - 1, leaf
    for beside in proof:
        if last == 0:
            raise ReceiptError("audit.proof_must_fit_the_tree", "the proof has more hashes than the tree is high")
        if node % 2 == 1 or node == last:
            found = _sha256(b"\1", beside, found)
            # The last node of a level without a sibling goes up as it is.
            while node % 2 == 0 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            found = _sha256(b"\1", found, beside)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ReceiptError("audit.proof_must_fit_the_tree", "the proof has fewer hashes than the tree is high")
    if found != checkpoint.root:
        text = "event, index or proof is not what was logged: it leads to another root"
        raise ReceiptError("audit.proof_must_lead_to_root", text)
