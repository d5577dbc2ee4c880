#!/usr/bin/env python3
"""Makes spec/vectors/webhooks.json: webhooks by Standard Webhooks 1.0.0 with the outcome a receiver must give.

    webhook_vectors.py write      writes the file; the same file every time
    webhook_vectors.py check      fails if the file is not what would be written
"""

import base64
import hashlib
import hmac
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric import ed25519

FILE = pathlib.Path(__file__).resolve().parents[2] / "spec/vectors/webhooks.json"
NOW = 1_700_000_000
BODY = b'{"type":"nav.published","data":{"fund":"BTCX"}}'


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


MAC, OLD_MAC, OTHER_MAC = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
KEY, OTHER = (ed25519.Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32) for at in (7, 8))
SECRET, OLD_SECRET, OTHER_SECRET = (f"whsec_{b64(mac)}" for mac in (MAC, OLD_MAC, OTHER_MAC))
PUBLIC = f"whpk_{b64(KEY.public_key().public_bytes_raw())}"


def text_of(name: str, at, body: bytes) -> bytes:
    return f"{name}.{at}.".encode() + body


def v1(mac=MAC, name="msg_1", at=NOW, body=BODY) -> str:
    return "v1," + b64(hmac.digest(mac, text_of(name, at, body), hashlib.sha256))


def v1a(key=KEY, name="msg_1", at=NOW, body=BODY) -> str:
    return "v1a," + b64(key.sign(text_of(name, at, body)))


ROWS = []


def row(label, signature, outcome="ok", secrets=(SECRET,), name="msg_1", at=NOW, body=BODY, now=NOW, headers=None):
    given = [["webhook-id", name], ["webhook-timestamp", str(at)], ["webhook-signature", signature]]
    ROWS.append(
        {
            "name": label,
            "secrets": list(secrets),
            "headers": given if headers is None else headers(given),
            "content": b64(body),
            "now": now,
            "outcome": outcome,
        }
    )


FORM, VALID, FRESH = "webhook.must_be_well_formed", "webhook.signature_must_be_valid", "webhook.must_be_fresh"
row("v1", v1())
row("v1a", v1a(), secrets=[PUBLIC])
row("both, by a receiver that knows the secret only", f"{v1a()} {v1()}")
row("both, by a receiver that knows the key only", f"{v1()} {v1a()}", secrets=[PUBLIC])
row("a sender that rotates signs with both secrets", f"{v1()} {v1(OLD_MAC)}", secrets=[OLD_SECRET])
row("a receiver that rotates knows both secrets", v1(), secrets=[OLD_SECRET, SECRET])
row("a signature of a version that is not known beside one that is", f"v9,AAAA {v1()}")
row("no content", v1(body=b""), body=b"")
row("content that is no text", v1(body=bytes(range(256))), body=bytes(range(256)))
row("header names in other letters", v1(), headers=lambda h: [[name.title(), value] for name, value in h])
row("a secret without padding", v1(), secrets=[SECRET.rstrip("=")])
row("a secret of 24 bytes", v1(bytes(24)), secrets=[f"whsec_{b64(bytes(24))}"])
row("a secret of 64 bytes", v1(bytes(64)), secrets=[f"whsec_{b64(bytes(64))}"])
row("at the last tolerated second", v1(), now=NOW + 300)
row("at the first tolerated second", v1(), now=NOW - 300)
row("sixteen signatures", " ".join(["v1,AAAA"] * 15 + [v1()]))

row("too old", v1(), FRESH, now=NOW + 301)
row("too early", v1(), FRESH, now=NOW - 301)
row("another secret", v1(OTHER_MAC), VALID)
row("another key", v1a(OTHER), VALID, secrets=[PUBLIC])
row("another content", v1(), VALID, body=BODY + b" ")
row("another id", v1(), VALID, name="msg_2")
row("another time", v1(), VALID, at=NOW + 1)
row("a MAC cut short", v1()[:-24], VALID)
row("a MAC under the name of a signature", v1().replace("v1,", "v1a,"), VALID, secrets=[SECRET, PUBLIC])
row("a signature under the name of a MAC", v1a().replace("v1a,", "v1,"), VALID, secrets=[SECRET, PUBLIC])
row("a MAC keyed with the public key", v1(KEY.public_key().public_bytes_raw()), VALID, secrets=[PUBLIC])
row("an empty signature", "v1,", VALID)
row("a signature that is no base64", "v1,*" + v1()[4:], VALID)
row("no version", v1()[3:], VALID)
row("no signature at all", "", VALID)
row("seventeen signatures", " ".join(["v1,AAAA"] * 16 + [v1()]), FORM)
row("the boundary between id and time moved", v1(name="msg_1", at=f"{NOW}.{NOW}"), FORM, name=f"msg_1.{NOW}")
row("an empty id", v1(name=""), FORM, name="")
row("an id with a space", v1(name="msg 1"), FORM, name="msg 1")
row("an id of 257 characters", v1(name="m" * 257), FORM, name="m" * 257)
row("a time that is no number", v1(at="soon"), FORM, at="soon")
row("a time with a sign", v1(at=f"+{NOW}"), FORM, at=f"+{NOW}")
row("a time with a fraction", v1(at=f"{NOW}.5"), FORM, at=f"{NOW}.5")
row("a time in other digits", v1(), FORM, at="\u0661\u0662")
for at, missing in enumerate(("webhook-id", "webhook-timestamp", "webhook-signature")):
    row(f"no {missing}", v1(), FORM, headers=lambda h, at=at: h[:at] + h[at + 1 :])
    row(f"{missing} twice", v1(), FORM, headers=lambda h, at=at: [*h, h[at]])
SECRETS = "webhook.secret_must_fit"
row("no secret", v1(), SECRETS, secrets=[])
row("a secret of 23 bytes", v1(bytes(23)), SECRETS, secrets=[f"whsec_{b64(bytes(23))}"])
row("a secret of 65 bytes", v1(bytes(65)), SECRETS, secrets=[f"whsec_{b64(bytes(65))}"])
row("a secret without its prefix", v1(), SECRETS, secrets=[b64(MAC)])
row("a secret that is no base64", v1(), SECRETS, secrets=["whsec_" + "*" * 44])
row("a private key where the public one is wanted", v1a(), SECRETS, secrets=[f"whsk_{b64(bytes([7]) * 32)}"])
row("a public key of 31 bytes", v1a(), SECRETS, secrets=[f"whpk_{b64(bytes(31))}"])


def document() -> str:
    about = (
        "Webhooks by Standard Webhooks 1.0.0, for a receiver that tolerates 300 seconds. Each row is what came, the"
        " secrets that the receiver knows, its time in seconds since 1970, and the outcome: ok, or the code of the rule"
        " that is broken. Content is base64. Whether an id is new is no part of it."
    )
    return json.dumps({"about": about, "webhooks": ROWS}, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        FILE.write_text(document())
    elif sys.argv[1:] == ["check"]:
        if FILE.read_text() != document():
            sys.exit(f"{FILE} is not what this program writes")
        print(json.dumps({"webhooks": len(ROWS)}))
    else:
        sys.exit(__doc__)
