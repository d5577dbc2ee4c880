"""A small transparency log for receipt_vectors.py: leaves, tree, notes, and a verifier, written from `spec/receipts.md`
and the documents it names, with hashlib and the `cryptography` package, so that no code under test is in its own vectors.
Nothing here is random.
"""

import base64
import hashlib
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

RAW, RAW_PUBLIC = serialization.Encoding.Raw, serialization.PublicFormat.Raw
FORMAT = "strongroom-receipt/v1"
NOTE, COSIGNATURE = 1, 4


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if b64(data) != text:
        raise Refused("not canonical base64")
    return data


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Refused(Exception):
    """What a verifier says to a bad receipt."""


# --- leaves -----------------------------------------------------------------------------------------------------------


def commitment(content: dict) -> bytes:
    parts = [content["salt"]]
    for name in ("at", "actor", "body"):
        text = content[name].encode()
        parts += [len(text).to_bytes(8, "big"), text]
    return sha256(*parts)


def entry(event: dict) -> bytes:
    def text(name):
        data = event[name].encode()
        return len(data).to_bytes(2, "big") + data

    version = {"with_event": b"\x01", "later": b"\x02"}[event["written"]]
    seq = event["seq"].to_bytes(8, "big")
    return version + text("stream") + seq + text("recorded_at") + text("kind") + event["commitment"]


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00", data)


# --- tree: RFC 6962 section 2.1, as it is written there ---------------------------------------------------------------


def split(leaves: list) -> int:
    width = 1
    while width * 2 < len(leaves):
        width *= 2
    return width


def root(leaves: list) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    at = split(leaves)
    return sha256(b"\x01", root(leaves[:at]), root(leaves[at:]))


def path(index: int, leaves: list) -> list:
    if len(leaves) < 2:
        return []
    at = split(leaves)
    if index < at:
        return [*path(index, leaves[:at]), root(leaves[at:])]
    return [*path(index - at, leaves[at:]), root(leaves[:at])]


def root_of_path(leaf: bytes, index: int, size: int, proof: list) -> bytes:
    """From above: where the tree divides says on which side the last hash is."""
    if not 0 <= index < size:
        raise Refused("the index is not in the tree")
    if size == 1:
        if proof:
            raise Refused("the proof is too long")
        return leaf
    if not proof:
        raise Refused("the proof is too short")
    at = split(range(size))
    if index < at:
        return sha256(b"\x01", root_of_path(leaf, index, at, proof[:-1]), proof[-1])
    return sha256(b"\x01", proof[-1], root_of_path(leaf, index - at, size - at, proof[:-1]))


# --- notes ------------------------------------------------------------------------------------------------------------


class Key:
    """A private key of Ed25519 with a name."""

    def __init__(self, name: str, seed: int, kind: int = NOTE):
        self.name, self.kind = name, kind
        self.private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))
        self.public = self.private.public_key().public_bytes(RAW, RAW_PUBLIC)
        self.id = sha256(name.encode(), b"\n", bytes([kind]), self.public)[:4]

    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64(bytes([self.kind]) + self.public)}"

    def line(self, text: str, time: int = 0) -> str:
        if self.kind == NOTE:
            signature = self.private.sign(text.encode())
        else:
            signed = self.private.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
            signature = time.to_bytes(8, "big") + signed
        return f"\u2014 {self.name} {b64(self.id + signature)}\n"


def checkpoint(origin: str, size: int, top: bytes, *extensions: str) -> str:
    return "".join(f"{line}\n" for line in (origin, size, b64(top), *extensions))


def open_note(note: str, vkey: str) -> str:
    name, key_id, key = vkey.split("+", 2)
    public = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
    if any(character < " " and character != "\n" for character in note) or not note.endswith("\n"):
        raise Refused("the note is not well formed")
    head, empty, lines = note.rpartition("\n\n")
    if not empty:
        raise Refused("no signatures")
    text, known = head + "\n", 0
    for line in lines.removesuffix("\n").split("\n"):
        form = re.fullmatch("\u2014 ([^ ]+) ([A-Za-z0-9+/]+=*)", line)
        if not form or len(data := unb64(form[2])) < 5:
            raise Refused("a line of signature is not well formed")
        if form[1] == name and data[:4].hex() == key_id:
            try:
                public.verify(data[4:], text.encode())
            except InvalidSignature as error:
                raise Refused("the signature does not verify") from error
            known += 1
    if not known:
        raise Refused("not signed by the log")
    return text


# --- receipts ---------------------------------------------------------------------------------------------------------

MEMBERS = {
    "format": str, "stream": str, "seq": int, "recorded_at": str, "kind": str, "written": str, "leaf_index": int,
    "inclusion_proof": list, "checkpoint": str,
}  # fmt: skip
CONTENT = {"at": str, "actor": str, "body": str, "salt": str}


def members(given, expected: dict) -> None:
    if not isinstance(given, dict) or given.keys() != expected.keys():
        raise Refused("a member too many or too few")
    for name, kind in expected.items():
        if type(given[name]) is not kind:
            raise Refused(f"{name} is of another type")
        if kind is int and not 0 <= given[name] < 1 << 53:
            raise Refused(f"{name} is out of range")


def verify(receipt: str, vkey: str) -> None:
    """Accepts a receipt, or says why not."""
    try:
        given = json.loads(receipt)
        opened = isinstance(given, dict) and "content" in given
        members(given, {**MEMBERS, **({"content": dict} if opened else {"commitment": str})})
        if given["format"] != FORMAT or given["written"] not in ("with_event", "later"):
            raise Refused("of another format")
        if not 1 <= len(given["stream"].encode()) <= 200:
            raise Refused("the stream is out of its bounds")
        if any(len(given[name].encode()) > 1000 for name in ("recorded_at", "kind")):
            raise Refused("a field is out of its bounds")
        if opened:
            members(given["content"], CONTENT)
            salt = unb64(given["content"]["salt"])
            if len(salt) != 16:
                raise Refused("the salt has another length")
            sealed = commitment({**given["content"], "salt": salt})
        else:
            sealed = unb64(given["commitment"])
        proof = [unb64(text) for text in given["inclusion_proof"]]
        if len(proof) > 63 or any(len(digest) != 32 for digest in [*proof, sealed]):
            raise Refused("a hash has another length")
        text = open_note(given["checkpoint"], vkey)
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused(str(error)) from error
    lines = text.split("\n")
    if len(lines) < 4 or "" in lines[:-1] or not re.fullmatch("0|[1-9][0-9]*", lines[1]):
        raise Refused("the checkpoint is not well formed")
    if lines[0] != vkey.split("+")[0]:
        raise Refused("of another log")
    leaf = leaf_hash(entry({**given, "commitment": sealed}))
    if root_of_path(leaf, given["leaf_index"], int(lines[1]), proof) != unb64(lines[2]):
        raise Refused("the proof leads to another root")
