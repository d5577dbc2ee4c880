"""A log that was exported as static files (C2SP tlog-tiles), verified with pymerkle and cryptography of PyPI.

Arguments: the folder, and the log's verifier key (C2SP signed-note). The tree is built by pymerkle from the entry
bundles alone and must have the root of the signed checkpoint; the tiles of level 0 must hold the hashes of the entries.
Standard output: {"size": 1, "root": base64, "streams": [name]}.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymerkle import InmemoryTree

WIDTH = 256


def checkpoint(folder: Path, vkey: str) -> tuple[int, bytes]:
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    text, signatures = (folder / "checkpoint").read_text().rsplit("\n\n", 1)
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    if origin != name or key[0] != 1:
        sys.exit("the checkpoint is of another log")
    if hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] != key_id:
        sys.exit("the id of the key is not its own")
    for line in signatures.splitlines():
        _, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if signer == name and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
            return int(size), base64.b64decode(root)
    sys.exit("the log did not sign its checkpoint")


def path(folder: Path, kind: str, index: int, width: int) -> Path:
    parts = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03}")
    if width < WIDTH:
        parts[-1] += ".p"
        parts.append(str(width))
    return folder.joinpath("tile", kind, *parts)


def entries(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found


def main() -> None:
    folder = Path(sys.argv[1])
    size, root = checkpoint(folder, sys.argv[2])
    tree = InmemoryTree(algorithm="sha256")
    streams = set()
    for index in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - index * WIDTH)
        bundle = entries(path(folder, "entries", index, width).read_bytes())
        if len(bundle) != width:
            sys.exit(f"bundle {index} has {len(bundle)} entries, not {width}")
        hashes = b"".join(hashlib.sha256(b"\x00" + entry).digest() for entry in bundle)
        if path(folder, "0", index, width).read_bytes() != hashes:
            sys.exit(f"tile {index} is not of its entries")
        for entry in bundle:
            tree.append_entry(entry)
            streams.add(entry[3 : 3 + int.from_bytes(entry[1:3], "big")].decode())
    if tree.get_root() != root:
        sys.exit("the entries do not lead to the root of the checkpoint")
    print(json.dumps({"size": size, "root": base64.b64encode(root).decode(), "streams": sorted(streams)}))


if __name__ == "__main__":
    main()
