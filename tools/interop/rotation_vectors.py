#!/usr/bin/env python3
"""Makes spec/vectors/rotation.json: requests for a successor, signed by the old key and by the new one, with the outcome a
verifier must give.

    rotation_vectors.py write      writes the file; the same file every time
    rotation_vectors.py check      fails if the file is not what would be written
"""

import json
import pathlib
import sys

from profile_messages import *  # noqa: F403

FILE = pathlib.Path(__file__).resolve().parents[2] / "spec/vectors/rotation.json"
LINEAGE = "k0123456789ab"
OLD = f"{LINEAGE}.1"
BODY = json.dumps({"algorithm": "ed25519", "public_key": b64(OTHER.public_key().public_bytes(RAW, RAW_PUBLIC))}).encode()
NEW_KEYS = {
    "new.ed25519": {"algorithm": "ed25519", "public": b64(OTHER.public_key().public_bytes(RAW, RAW_PUBLIC))},
    "new.p256": {"algorithm": "ecdsa-p256-sha256", "public": b64(P256_PUBLIC)},
}
SIGNERS = {"new.ed25519": "other", "new.p256": "client.p256"}
ROWS = []


def asked():
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(BODY))),
        ("Content-Digest", sha_256(BODY)),
    ]
    return request("POST", f"/v1/keys/{LINEAGE}/rotate", headers=headers, content=BODY)


def by_old(message=None, **changes):
    return signed(message or asked(), label="old", params=parameters(keyid=f'"{OLD}"', **changes))


def of_old(label="old"):
    return [f'"signature";key="{label}"', f'"signature-input";key="{label}"']


COVERED = [*TARGET, '"content-type"', '"content-digest"']


def by_new(message, key="new.ed25519", covered=None, by=None, label="new", **changes):
    given = {"keyid": f'"{LINEAGE}"', "tag": '"strongroom-rotate"', "alg": f'"{NEW_KEYS[key]["algorithm"]}"', **changes}
    covered = [*COVERED, *of_old()] if covered is None else covered
    return signed(message, covered, by=by or SIGNERS[key], label=label, params=parameters(**given))


def row(name, message, outcome="ok", key="new.ed25519"):
    ROWS.append(
        {
            "name": name,
            "method": message["method"],
            "scheme": message["scheme"],
            "authority": message["authority"],
            "path": message["path"],
            "query": message["query"],
            "headers": message["headers"],
            "content": b64(message["content"]),
            "lineage": LINEAGE,
            "old": "client.ed25519",
            "new": key,
            "now": NOW,
            "outcome": outcome,
        }
    )


def lines_reversed(message):
    """The new key's lines before the old one's: the order of labels says nothing."""
    pairs = message["headers"]
    return changed(message, headers=[*pairs[:-4], *pairs[-2:], *pairs[-4:-2]])


INVALID = "request.signature_must_be_valid"
GOOD = by_new(by_old())
row("signed by the old key and by the new one", GOOD)
row("a new key of another algorithm", by_new(by_old(), "new.p256"), key="new.p256")
row("the new signature stands before the old one", lines_reversed(GOOD))
row("more is covered than need be", by_new(by_old(), covered=[*COVERED, '"content-length"', *of_old()]))
row("the new key has not signed", by_old(), "request.must_be_signed")
row("the new key signed under the tag of requests", by_new(by_old(), tag='"strongroom-request"'),
    "request.must_have_one_signature")
row("the old signature is not covered", by_new(by_old(), covered=[*COVERED, of_old()[1]]), "request.signature_must_cover")
row("the old signature's input is not covered", by_new(by_old(), covered=[*COVERED, of_old()[0]]),
    "request.signature_must_cover")
STRANGER = signed(by_old(), label="proxy", params=parameters(keyid='"p"', tag='"proxy"'))
row("another signature is covered in its place", by_new(STRANGER, covered=[*COVERED, *of_old("proxy")]),
    "request.signature_must_cover")
row("the whole fields are covered in place of the members",
    by_new(by_old(), covered=[*COVERED, '"signature"', '"signature-input"']), "request.signature_must_cover")
row("somebody else signed in place of the new key", by_new(by_old(), by="client.ed25519"), INVALID)
row("another lineage", by_new(by_old(), keyid='"k0123456789ac"'), INVALID)
row("the old key's name in place of the lineage's", by_new(by_old(), keyid=f'"{OLD}"'), INVALID)
row("another nonce", by_new(by_old(), nonce=f'"{nonce_text(bytes(range(16)))}"'), INVALID)
row("signed at another time", by_new(by_old(), created=str(NOW + 1)), INVALID)
row("another end", by_new(by_old(), expires=str(NOW + 30)), INVALID)
row("another algorithm than the new key's", by_new(by_old(), alg='"ecdsa-p256-sha256"'),
    "request.algorithm_must_be_the_keys")
row("the new signature of one request put beside the old one of another",
    changed(GOOD, headers=[*by_old(nonce=f'"{nonce_text(bytes(range(16)))}"')["headers"], *GOOD["headers"][-2:]]), INVALID)
row("the old signature is somebody else's", by_new(signed(
    asked(), label="old", by="other", params=parameters(keyid=f'"{OLD}"'))), INVALID)
row("other content", changed(GOOD, content=BODY.replace(b"ed25519", b"ed25518")), "request.content_must_match_digest")
row("another path", changed(GOOD, path="/v1/keys/k0123456789ac/rotate"), INVALID)


def document() -> str:
    about = (
        "See spec/rotation.md. Each row is a request, the key that signed first, the new key, the lineage, the verifier's "
        "time in seconds since 1970, and the outcome: ok, or the code of the rule that is broken. The old signature is "
        "judged first, by spec/http-signature-profile.md. Content and keys are base64."
    )
    keys = {"client.ed25519": KEYS["client.ed25519"], **NEW_KEYS}
    tables = {"about": about, "tag": "strongroom-rotate", "keys": keys, "requests": ROWS}
    return json.dumps(tables, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        FILE.write_text(document())
    elif sys.argv[1:] == ["check"]:
        if FILE.read_text() != document():
            sys.exit(f"{FILE} is not what this program writes")
        print(json.dumps({"requests": len(ROWS)}))
    else:
        sys.exit(__doc__)
