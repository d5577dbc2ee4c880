"""Keys, messages and signatures for profile_vectors.py: a second implementation of the signature base, in thirty lines,
with the `cryptography` package for the primitives, so that no code of the verifier under test is in its own vectors.
Nothing here is random.
"""


import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

NOW = 1_700_000_000
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RAW, RAW_PUBLIC = serialization.Encoding.Raw, serialization.PublicFormat.Raw


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- keys ------------------------------------------------------------------------------------------------------------

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ED25519_PUBLIC = ED25519.public_key().public_bytes(RAW, RAW_PUBLIC)
SERVER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
P256 = ec.derive_private_key(int.from_bytes(bytes(range(1, 33)), "big"), ec.SECP256R1())
P256_PUBLIC = P256.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
SECRET = bytes(range(96, 128))

KEYS = {
    "client.ed25519": {"algorithm": "ed25519", "public": b64(ED25519_PUBLIC), "private": b64(bytes(range(32)))},
    "client.p256": {
        "algorithm": "ecdsa-p256-sha256",
        "public": b64(P256_PUBLIC),
        "private": b64(bytes(range(1, 33))),
    },
    "client.hmac": {"algorithm": "hmac-sha256", "secret": b64(SECRET)},
    "server.ed25519": {
        "algorithm": "ed25519",
        "public": b64(SERVER.public_key().public_bytes(RAW, RAW_PUBLIC)),
        "private": b64(bytes(range(32, 64))),
    },
}


def sign_ecdsa(text: bytes, high: bool) -> bytes:
    """r || s, with s in the lower half of the order or in the upper one."""
    der = P256.sign(text, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    if (s > P256_ORDER // 2) != high:
        s = P256_ORDER - s
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


SIGN = {
    "client.ed25519": ED25519.sign,
    "client.p256": lambda text: sign_ecdsa(text, False),
    "client.p256, high s": lambda text: sign_ecdsa(text, True),
    "client.hmac": lambda text: hmac.digest(SECRET, text, "sha256"),
    "server.ed25519": SERVER.sign,
    "other": OTHER.sign,
    "hmac by public key": lambda text: hmac.digest(ED25519_PUBLIC, text, "sha256"),
}

# --- messages and the signature base ---------------------------------------------------------------------------------


class Msg(dict):
    """A request: method, scheme, authority, path, query (None where absent), headers (a list of pairs), content."""

    def values(self, name):
        return [value for own, value in self["headers"] if own.lower() == name]


def request(method="GET", path="/v1/nav", query=None, headers=(), content=b"", authority="fund.example", scheme="https"):
    return Msg(
        method=method,
        scheme=scheme,
        authority=authority,
        path=path,
        query=query,
        headers=[list(pair) for pair in headers],
        content=content,
    )


def sha_256(content: bytes) -> str:
    return f"sha-256=:{b64(hashlib.sha256(content).digest())}:"


def sha_512(content: bytes) -> str:
    return f"sha-512=:{b64(hashlib.sha512(content).digest())}:"


CONTENT = b'{"units": 40}'


def order(**changes):
    """A request with content, all of whose fields matter."""
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(CONTENT))),
        ("Content-Digest", sha_256(CONTENT)),
        ("Idempotency-Key", '"o-1"'),
    ]
    given = {"method": "POST", "path": "/v1/orders", "query": "dry=1", "headers": headers, "content": CONTENT}
    return request(**{**given, **changes})


def value_of(identifier: str, message, related=None) -> str:
    """The value of a component whose identifier is serialised."""
    name, *parameters = identifier.split(";")
    name = name.strip('"')
    if "req" in parameters:
        message = related or message
    key = next((parameter[5:-1] for parameter in parameters if parameter.startswith('key="')), None)
    if name.startswith("@"):
        authority = message.get("authority", "").lower()
        authority = authority.removesuffix(":443") if message.get("scheme") == "https" else authority
        path = message.get("path") or "/"
        query = message.get("query")
        return {
            "@method": message.get("method"),
            "@scheme": message.get("scheme"),
            "@authority": authority,
            "@path": path,
            "@query": "?" + (query or ""),
            "@target-uri": f"{message.get('scheme')}://{authority}{path}" + ("" if query is None else f"?{query}"),
            "@request-target": path + ("" if query is None else f"?{query}"),
            "@status": str(message.get("status")),
        }.get(name, "")
    lines = [line.strip(" \t") for line in message.values(name.lower())]
    if key is not None:
        members = dict(member.split("=", 1) for line in lines for member in line.split(", "))
        return members[key]
    if "bs" in parameters:
        return ", ".join(f":{b64(line.encode('latin-1'))}:" for line in lines)
    return ", ".join(lines)


def base_of(identifiers, parameters: str, message, related=None) -> str:
    lines = [f"{identifier}: {value_of(identifier, message, related)}" for identifier in identifiers]
    return "\n".join([*lines, f'"@signature-params": ({" ".join(identifiers)}){parameters}'])


TARGET = ['"@method"', '"@authority"', '"@path"', '"@query"']
FIELDS = ['"content-type"', '"content-digest"', '"idempotency-key"']
NONCE = bytes(range(200, 216))


def nonce_text(nonce: bytes) -> str:
    return base64.urlsafe_b64encode(nonce).decode().rstrip("=")


def parameters(key="client.ed25519", **changes) -> str:
    """`;created=..` and so on; a parameter of None is left out, one of another text is put in as it stands."""
    given = {
        "created": str(NOW),
        "expires": str(NOW + 60),
        "keyid": f'"{key}"',
        "alg": f'"{KEYS[key]["algorithm"]}"',
        "nonce": f'"{nonce_text(NONCE)}"',
        "tag": '"strongroom-request"',
        **changes,
    }
    return "".join(f";{name}={value}" for name, value in given.items() if value is not None)


def signed(message, covered=None, by=None, label="sig", key="client.ed25519", params=None, written=None, related=None):
    """The message with both fields of a signature. `written` replaces what Signature-Input says, not what is signed."""
    message = Msg(message)
    if covered is None:
        covered = TARGET + [field for field in FIELDS if message.values(field.strip('"'))]
    params = parameters(key) if params is None else params
    base = base_of(covered, params, message, related)
    signature = SIGN[by or key](base.encode("latin-1"))
    written = f"({' '.join(covered)}){params}" if written is None else written
    message["headers"] = [
        *message["headers"],
        ["Signature-Input", f"{label}={written}"],
        ["Signature", f"{label}=:{b64(signature)}:"],
    ]
    return message


def signature_of(message) -> bytes:
    """The bytes of a signature that was made under the label sig."""
    return base64.b64decode(message.values("signature")[0].removeprefix("sig=:").removesuffix(":"))


def changed(message, **changes):
    return Msg({**message, **changes})


def with_header(message, name, value):
    """The header's first line with another value; appended where there is none."""
    headers = [list(pair) for pair in message["headers"]]
    for pair in headers:
        if pair[0].lower() == name.lower():
            pair[1] = value
            return changed(message, headers=headers)
    return changed(message, headers=[*headers, [name, value]])


def adding(message, *pairs):
    return changed(message, headers=[*message["headers"], *[list(pair) for pair in pairs]])


def without(message, *names):
    names = [name.lower() for name in names]
    return changed(message, headers=[pair for pair in message["headers"] if pair[0].lower() not in names])
