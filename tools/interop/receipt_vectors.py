#!/usr/bin/env python3
"""Makes spec/vectors/receipts: leaves with their hashes, and receipts with the outcome a verifier must give.

    receipt_vectors.py write      writes the files; the same files every time
    receipt_vectors.py check      fails if a file is not what would be written, or if the verifier of receipt_log.py
                                  gives another outcome
"""

import copy
import json
import pathlib
import sys

from receipt_log import *  # noqa: F403

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "spec/vectors/receipts"

LOG = Key("fund.example/log", 1)
STRANGER = Key("fund.example/log", 2)
OTHER_LOG = Key("other.example/log", 1)
WITNESS = Key("witness.example/w1", 3, COSIGNATURE)

EVENTS = [
    ("fund/BTCX", 1, "FundLaunched", "program", '{"definition":"BTCX"}', "later"),
    ("fund/BTCX", 2, "OrderPlaced", "ap/acme.1", '{"units":40}', "later"),
    ("access", 1, "KeyRevoked", "operator/ada", '{"key":"acme.1"}', "with_event"),
    ("fund/BTCX", 3, "NavPublished", "", '{"nav":"1234567.89"}', "with_event"),
    ("fund/\u00dcBER", 1, "FundLaunched", "\u8463\u4e8b", '{"note":"\\u00e9 \u00e9 \\"\\n"}', "with_event"),
    ("fund/BTCX", 4, "OrderCancelled", "ap/acme.1", "", "with_event"),
    ("fund/BTCX", 9007199254740991, "Heartbeat", "program", "{}", "with_event"),
]


def event(number: int) -> dict:
    stream, seq, kind, actor, body, written = EVENTS[number]
    content = {
        "at": f"2026-01-02T21:00:0{number}Z",
        "actor": actor,
        "body": body,
        "salt": bytes(range(number * 16, number * 16 + 16)),
    }
    return {
        "stream": stream,
        "seq": seq,
        "recorded_at": f"2026-01-02T21:00:0{number}.125Z",
        "kind": kind,
        "written": written,
        "content": content,
        "commitment": commitment(content),
    }


LEAVES = [leaf_hash(entry(event(number))) for number in range(len(EVENTS))]


def note(size: int, *extensions: str, origin: str = LOG.name, by: Key = LOG) -> str:
    text = checkpoint(origin, size, root(LEAVES[:size]), *extensions)
    return f"{text}\n{by.line(text)}"


def receipt(number: int, size: int = len(EVENTS), **changes) -> dict:
    known = event(number)
    known["content"]["salt"] = b64(known["content"]["salt"])
    del known["commitment"]
    return {
        "format": FORMAT,
        **known,
        "leaf_index": number,
        "inclusion_proof": [b64(digest) for digest in path(number, LEAVES[:size])],
        "checkpoint": note(size),
        **changes,
    }


def withheld(number: int, **changes) -> dict:
    whole = receipt(number, **changes)
    del whole["content"]
    return {**whole, "commitment": b64(event(number)["commitment"])}


def content(number: int, **changes) -> dict:
    return {**receipt(number)["content"], **changes}


ROWS = []


def row(name, given, outcome="ok", vkey=LOG.vkey()):
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    ROWS.append({"name": name, "vkey": vkey, "receipt": text, "outcome": outcome})


# --- accepted ---------------------------------------------------------------------------------------------------------

for number in range(len(EVENTS)):
    row(f"leaf {number} of {len(EVENTS)}", receipt(number))
row("the only leaf: nothing stands beside it", receipt(0, 1))
row("the last leaf of a size that is no power of two", receipt(4, 5))
row("a smaller checkpoint of the same log", receipt(1, 4))
row("a content that is withheld, or was erased", withheld(4))
row("with spaces, and with its members in another order", json.dumps(dict(reversed(receipt(2).items())), indent=2))
row("with characters escaped that need not be", json.dumps(receipt(4), ensure_ascii=True))
TEXT = checkpoint(LOG.name, len(EVENTS), root(LEAVES))
row("with the cosignature of a witness", receipt(2, checkpoint=note(len(EVENTS)) + WITNESS.line(TEXT, 1767387600)))
row("with the signature of a key that is not known, before the log's", receipt(
    2, checkpoint=f"{TEXT}\n{STRANGER.line(TEXT)}{LOG.line(TEXT)}"))
row("a checkpoint with an extension line, which is signed", receipt(2, checkpoint=note(len(EVENTS), "extension")))

# --- refused: another event -------------------------------------------------------------------------------------------

ROOT = "audit.proof_must_lead_to_root"
row("another stream", receipt(1, stream="fund/BTCY"), ROOT)
row("another number", receipt(1, seq=3), ROOT)
row("another time of writing", receipt(1, recorded_at="2026-01-02T21:00:02.125Z"), ROOT)
row("another kind", receipt(1, kind="OrderPlaceD"), ROOT)
row("a leaf that was made later, said to be made with the event", receipt(1, written="with_event"), ROOT)
row("another time of business", receipt(1, content=content(1, at="2026-01-02T21:00:02Z")), ROOT)
row("another actor", receipt(1, content=content(1, actor="ap/acme.2")), ROOT)
row("another body", receipt(1, content=content(1, body='{"units":41}')), ROOT)
row("the same body in other JSON: it is bytes that count", receipt(1, content=content(1, body='{"units": 40}')), ROOT)
row("another salt", receipt(1, content=content(1, salt=b64(bytes(16)))), ROOT)
MOVED = content(1, actor="ap/acme.1{", body='"units":40}')
row("characters moved from one field to the next", receipt(1, content=MOVED), ROOT)
row("another commitment", {**withheld(1), "commitment": b64(bytes(32))}, ROOT)
row("the content of another leaf", receipt(1, content=content(2)), ROOT)

# --- refused: another place in the tree -------------------------------------------------------------------------------

PROOF = receipt(1)["inclusion_proof"]
FIT = "audit.proof_must_fit_the_tree"
row("another index", receipt(1, leaf_index=0), ROOT)
row("an index behind the tree", receipt(1, leaf_index=7), "audit.index_must_be_in_tree")
FLIPPED = bytes([unb64(PROOF[2])[0] ^ 1]) + unb64(PROOF[2])[1:]
row("a flipped bit in the proof", receipt(1, inclusion_proof=[*PROOF[:2], b64(FLIPPED)]), ROOT)
row("a proof without its last hash", receipt(1, inclusion_proof=PROOF[:-1]), FIT)
row("a proof with a hash too many", receipt(1, inclusion_proof=[*PROOF, PROOF[0]]), FIT)
row("a proof in the other direction", receipt(1, inclusion_proof=PROOF[::-1]), ROOT)
row("no proof", receipt(1, inclusion_proof=[]), FIT)
row("the proof of another leaf", receipt(1, inclusion_proof=receipt(2)["inclusion_proof"]), ROOT)
row("a checkpoint of a larger tree than the proof", receipt(1, 4, checkpoint=note(7)), FIT)
row("a checkpoint of a tree of the same height", receipt(1, 7, checkpoint=note(6)), ROOT)
row("a checkpoint of before the leaf", receipt(5, 7, checkpoint=note(5)), "audit.index_must_be_in_tree")
row("an empty tree", receipt(0, 1, checkpoint=note(0)), "audit.index_must_be_in_tree")

# --- refused: the checkpoint ------------------------------------------------------------------------------------------

SIGNATURE, KNOWN = "audit.signature_must_verify", "audit.note_must_be_signed_by_known_key"
FORM, CHECKPOINT = "audit.receipt_must_be_well_formed", "audit.checkpoint_must_be_well_formed"
SIGNED = note(len(EVENTS))
row("another key of the same name", receipt(1), KNOWN, STRANGER.vkey())
row("the same key under another name", receipt(1), KNOWN, OTHER_LOG.vkey())
row("another key signed", receipt(1, checkpoint=note(7, by=STRANGER)), KNOWN)
row("only a witness signed", receipt(1, checkpoint=f"{TEXT}\n{WITNESS.line(TEXT, 1767387600)}"), KNOWN)
row("the checkpoint of another log, signed by this key", receipt(1, checkpoint=note(7, origin=OTHER_LOG.name)),
    "audit.checkpoint_must_be_of_this_log")
for name, before, after in (
    ("another size under the same signature", "\n7\n", "\n8\n"),
    ("another root under the same signature", b64(root(LEAVES)), b64(bytes(32))),
    ("another origin under the same signature", f"{LOG.name}\n", f"{OTHER_LOG.name}\n"),
    ("a line more in the checkpoint", "\n\n", "\nmore\n\n"),
    ("an empty line more in the checkpoint", "\n\n", "\n\n\n"),
):
    row(name, receipt(1, checkpoint=SIGNED.replace(before, after)), SIGNATURE)
LINE = LOG.line(TEXT)
LINE = f"{LINE[:40]}{'B' if LINE[40] == 'A' else 'A'}{LINE[41:]}"
row("a flipped bit in the signature", receipt(1, checkpoint=f"{TEXT}\n{LINE}"), SIGNATURE)
row("a good signature and a bad one by the same key", receipt(1, checkpoint=SIGNED + LOG.line("else\n")), SIGNATURE)
row("a line more behind the signatures", receipt(1, checkpoint=SIGNED + "more\n"), FORM)
row("an empty line more behind the signatures", receipt(1, checkpoint=SIGNED + "\n"), FORM)
row("no newline at the end", receipt(1, checkpoint=SIGNED[:-1]), FORM)
row("no signatures", receipt(1, checkpoint=TEXT), FORM)
row("lines that end as on Windows", receipt(1, checkpoint=SIGNED.replace("\n", "\r\n")), FORM)
row("a hyphen in place of the dash", receipt(1, checkpoint=SIGNED.replace("\u2014", "-")), FORM)
for name, lines in (
    ("a size with a leading zero, signed", [LOG.name, "07", b64(root(LEAVES))]),
    ("a size with a sign, signed", [LOG.name, "+7", b64(root(LEAVES))]),
    ("a root of 31 bytes, signed", [LOG.name, "7", b64(root(LEAVES)[:31])]),
    ("two lines, signed", [LOG.name, "7"]),
):
    text = "".join(f"{line}\n" for line in lines)
    row(name, receipt(1, checkpoint=f"{text}\n{LOG.line(text)}"), CHECKPOINT)

# --- refused: the form ------------------------------------------------------------------------------------------------

WHOLE = json.dumps(receipt(1), ensure_ascii=False, separators=(",", ":"))
row("nothing", "", FORM)
row("cut off", WHOLE[:-1], FORM)
row("cut in the middle", WHOLE[: len(WHOLE) // 2], FORM)
row("something behind it", WHOLE + "{}", FORM)
row("a list", f"[{WHOLE}]", FORM)
row("another format", receipt(1, format="strongroom-receipt/v2"), FORM)
row("a member too many", receipt(1, more=1), FORM)
row("a member too many in the content", receipt(1, content=content(1, more=1)), FORM)
row("content and commitment", {**receipt(1), "commitment": withheld(1)["commitment"]}, FORM)
row("a commitment, and a content that is null", {**withheld(1), "content": None}, FORM)
row("another way of writing", receipt(1, written="before"), FORM)
for name in receipt(1):
    short = copy.deepcopy(receipt(1))
    del short[name]
    row(f"without {name}", short, FORM)
row("a number as text", receipt(1, seq="2"), FORM)
row("a negative number", receipt(1, seq=-2), FORM)
row("a number that not every reader reads exactly", receipt(6, seq=9007199254740992), FORM)
row("an index that not every reader reads exactly", receipt(1, leaf_index=9007199254740992), FORM)
row("a salt of 15 bytes", receipt(1, content=content(1, salt=b64(bytes(15)))), FORM)
row("a salt of 17 bytes", receipt(1, content=content(1, salt=b64(bytes(17)))), FORM)
row("a salt without padding", receipt(1, content=content(1, salt=content(1)["salt"].rstrip("="))), FORM)
row("a hash without padding", receipt(1, inclusion_proof=[PROOF[0].rstrip("="), *PROOF[1:]]), FORM)
row("a hash in base64url", receipt(1, inclusion_proof=["-" + PROOF[0][1:], *PROOF[1:]]), FORM)
LOOSE = PROOF[2][:-2] + chr(ord(PROOF[2][-2]) + 1) + "="
row("a hash with bits that stand for nothing", receipt(1, inclusion_proof=[*PROOF[:2], LOOSE]), FORM)
row("a hash of 31 bytes", receipt(1, inclusion_proof=[b64(bytes(31)), *PROOF[1:]]), FORM)
row("64 hashes", receipt(1, inclusion_proof=[PROOF[0]] * 64), FORM)
row("half a character", WHOLE.replace("fund/BTCX", "fund/\\ud800"), FORM)
row("an empty stream", receipt(1, stream=""), FORM)
row("a stream of 201 bytes", receipt(1, stream="s" * 201), FORM)
row("a kind of 1001 bytes", receipt(1, kind="k" * 1001), FORM)


def leaves() -> list:
    rows = []
    for number in range(len(EVENTS)):
        known = event(number)
        data = entry(known)
        rows.append({
            **known,
            "content": {**known["content"], "salt": b64(known["content"]["salt"])},
            "commitment": b64(known["commitment"]),
            "entry": b64(data),
            "leaf_hash": b64(leaf_hash(data)),
            "root_so_far": b64(root(LEAVES[: number + 1])),
        })  # fmt: skip
    return rows


def documents() -> dict:
    def text(rows):
        return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"

    return {"leaves.json": text(leaves()), "receipts.json": text(ROWS)}


def judge() -> int:
    for line in ROWS:
        try:
            verify(line["receipt"], line["vkey"])
            accepted = True
        except Refused:
            accepted = False
        if accepted != (line["outcome"] == "ok"):
            sys.exit(f"the verifier in Python gives another outcome of {line['name']!r}")
    return sum(line["outcome"] == "ok" for line in ROWS)


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        FOLDER.mkdir(exist_ok=True)
        for name, text in documents().items():
            (FOLDER / name).write_text(text)
    elif sys.argv[1:] == ["check"]:
        for name, text in documents().items():
            if (FOLDER / name).read_text() != text:
                sys.exit(f"{FOLDER / name} is not what this program writes")
        print(json.dumps({"receipts": len(ROWS), "accepted": judge(), "leaves": len(EVENTS)}))
    else:
        sys.exit(__doc__)
