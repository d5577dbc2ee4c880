#!/usr/bin/env python3
"""Makes spec/vectors/http-signature-profile.json: signed requests and responses with the outcome a verifier must give.

    profile_vectors.py write      writes the file; the same file every time
    profile_vectors.py check      fails if the file is not what would be written, or if the PyPI package
                                  http-message-signatures refuses a request that must be accepted
"""

import base64
import json
import pathlib
import sys

from profile_messages import *  # noqa: F403

FILE = pathlib.Path(__file__).resolve().parents[2] / "spec/vectors/http-signature-profile.json"

REQUESTS = []
RESPONSES = []


def row(name, message, outcome="ok", key="client.ed25519", now=NOW, nonce=NONCE, content_seen=True):
    REQUESTS.append(
        {
            "name": name,
            "method": message["method"],
            "scheme": message["scheme"],
            "authority": message["authority"],
            "path": message["path"],
            "query": message["query"],
            "headers": message["headers"],
            "content": b64(message["content"]),
            "content_seen": content_seen,
            "key": key,
            "now": now,
            "outcome": outcome,
            **({"nonce": nonce.hex()} if outcome == "ok" else {}),
        }
    )


# --- accepted: what may differ without being another request ----------------------------------------------------------

GET = signed(request())
ORDER = signed(order())
row("a request without content", GET)
row("an order", ORDER)
row("an order by hmac-sha256", signed(order(), key="client.hmac"), key="client.hmac")
row("an order by ecdsa-p256-sha256", signed(order(), key="client.p256"), key="client.p256")
row(
    "ECDSA has two signatures for one text (s and n - s): the nonce is the same, so it is the same request",
    signed(order(), key="client.p256", by="client.p256, high s"),
    key="client.p256",
)
row("an empty query is no query: both are signed as ?", changed(GET, query=""))
row("@target-uri stands for authority, path and query", signed(order(), ['"@method"', '"@target-uri"', *FIELDS]))
row("the authority is compared in lower case and without the scheme's port", changed(GET, authority="Fund.Example:443"))
row("another port is another authority", signed(request(authority="fund.example:8443")))
row("percent-encoding is signed as sent", signed(request(path="/v1/a%2fb%2Fc", query="q=%20+&q=%2b")))
row("a digest by sha-512", signed(with_header(order(), "Content-Digest", sha_512(CONTENT))))
row("two digests, both right", signed(with_header(order(), "Content-Digest", f"{sha_256(CONTENT)}, {sha_512(CONTENT)}")))
row(
    "a digest that is not known counts for nothing beside one that is (not PyPI)",
    signed(with_header(order(), "Content-Digest", f"crc32c=:AAAAAA==:, {sha_256(CONTENT)}")),
)
row(
    "no content, and a digest that says so",
    signed(request("POST", "/v1/strikes", headers=[("Content-Length", "0"), ("Content-Digest", sha_256(b""))])),
)
row("content without Content-Length", signed(without(order(), "Content-Length")))
row(
    "chunked content",
    signed(adding(without(order(), "Content-Length"), ("Transfer-Encoding", "chunked"))),
)
row(
    "authorization, covered",
    signed(request(headers=[("Authorization", "Bearer x")]), [*TARGET, '"authorization"']),
)
NOTES = request(headers=[("X-Note", "a"), ("X-Note", "b, c")])
row("two lines of a covered field are one value", signed(NOTES, [*TARGET, '"x-note"']))
row("one line with that value is the same", changed(signed(NOTES, [*TARGET, '"x-note"']), headers=[
    ["X-Note", "a, b, c"], *signed(NOTES, [*TARGET, '"x-note"'])["headers"][2:]]))
row("space around a covered value is not signed", with_header(
    signed(request(headers=[("X-Note", "a")]), [*TARGET, '"x-note"']), "X-Note", " \ta \t"))
row("a fold that was replaced by one space", signed(request(headers=[("X-Note", "a b")]), [*TARGET, '"x-note"']))
row("an empty covered value", signed(request(headers=[("X-Note", "")]), [*TARGET, '"x-note"']))
row("a field as byte sequences", signed(NOTES, [*TARGET, '"x-note";bs']))
row("a member of a dictionary", signed(order(), [*TARGET, *FIELDS, '"content-digest";key="sha-256"']))
row("more is covered than need be", signed(order(), ['"@scheme"', '"@request-target"', *TARGET, *FIELDS, '"content-length"']))
row("a field that nobody demanded is not covered", adding(ORDER, ("X-Trace", "1")))
row("a label of the client's choosing", signed(request(), label="acme-7.x"))
row("a parameter that is not known is signed like the others (not PyPI)",
    signed(request(), params=parameters() + ";x-build=7"))
row("another order of the parameters", signed(request(), params="".join(
    ";" + text for text in reversed(parameters().strip(";").split(";")))))
row("Signature-Input with more space than need be", signed(
    request(), written=f"(  {'   '.join(TARGET)} ){parameters().replace(';', ';  ')}"))
row("Signature-Input over two lines, one for each label", adding(GET, (
    "Signature-Input", 'proxy=("@method");created=1;keyid="p"'), ("Signature", "proxy=:AAAA:")))
row("a signature under another tag helps nobody and hinders nobody, even with components that are not known", adding(
    GET, ("Signature-Input", 'proxy=("@later" "x";tr);created=1;tag="proxy"'), ("Signature", "proxy=:AAAA:")))
for nonce in (bytes(range(16)), bytes(range(64))):
    row(f"a nonce of {len(nonce)} bytes", signed(request(), params=parameters(nonce=f'"{nonce_text(nonce)}"')), nonce=nonce)
ODD = bytes([0xFB, 0xEF, 0xFF] * 6)
for name, text in (
    ("base64url", nonce_text(ODD)),
    ("base64url with padding", base64.urlsafe_b64encode(ODD).decode()),
    ("base64", b64(ODD)),
    ("base64 without padding", b64(ODD).rstrip("=")),
):
    row(f"one nonce in four texts: {name}", signed(request(), params=parameters(nonce=f'"{text}"')), nonce=ODD)
PAD = bytes(range(17))
for name, text in (("with", b64(PAD)), ("without", b64(PAD).rstrip("="))):
    row(f"one nonce {name} padding", signed(request(), params=parameters(nonce=f'"{text}"')), nonce=PAD)
row("at the last second, skew included", GET, now=NOW + 65)
row("at the first second, skew included", GET, now=NOW - 5)
row("a lifetime of one second", signed(request(), params=parameters(expires=str(NOW + 1))))
row("content that is not seen, where there is none", GET, content_seen=False)
row("content that is not seen and is said to be empty", signed(
    request("POST", "/v1/strikes", headers=[("Content-Length", "0")])), content_seen=False)

# --- refused: no signature, or not exactly one ------------------------------------------------------------------------

UNSIGNED = "request.must_be_signed"
row("no signature", order(), UNSIGNED)
row("Signature-Input alone", without(ORDER, "Signature"), UNSIGNED)
row("Signature alone", without(ORDER, "Signature-Input"), UNSIGNED)
row("the signature has another label than the input", with_header(
    GET, "Signature", GET["headers"][-1][1].replace("sig=", "gis=")), UNSIGNED)
row("no tag", signed(request(), params=parameters(tag=None)), UNSIGNED)
row("the tag of something else", signed(request(), params=parameters(tag='"strongroom-response"')), UNSIGNED)
row("a tag in other letters", signed(request(), params=parameters(tag='"Strongroom-Request"')), UNSIGNED)
row("an empty Signature-Input", with_header(GET, "Signature-Input", ""), UNSIGNED)
ONE = "request.must_have_one_signature"
SECOND = signed(request(), label="second")["headers"]
row("the same signature under a second label: a replay in one request", adding(GET, *SECOND), ONE)
row("two signatures by two keys", adding(GET, *signed(request(), label="second", key="client.hmac")["headers"]), ONE)
FORM = "request.must_be_well_formed"
row("a label twice in one line", with_header(
    GET, "Signature-Input", ", ".join([GET["headers"][0][1]] * 2)), FORM)
row("a label twice in two lines", adding(GET, ("Signature-Input", GET["headers"][0][1])), FORM)
row("a label twice in Signature: which one is meant?", adding(GET, ("Signature", GET["headers"][1][1])), FORM)
row("a parameter twice: which one was signed?", signed(request(), params=parameters() + f";created={NOW}"), FORM)
row("the nonce twice", signed(request(), params=parameters() + f';nonce="{nonce_text(ODD)}"'), FORM)
row("Signature-Input that does not parse", with_header(GET, "Signature-Input", "sig=("), FORM)
row("Signature-Input with an item", with_header(GET, "Signature-Input", 'sig="@method";tag="strongroom-request"'), FORM)
row("components that are tokens", with_header(GET, "Signature-Input", 'sig=(method);tag="strongroom-request"'), FORM)
row("a signature that is text", with_header(GET, "Signature", 'sig="AAAA"'), FORM)
row("a signature that is not base64", with_header(GET, "Signature", "sig=:A*:"), FORM)

# --- refused: out of bounds -------------------------------------------------------------------------------------------

BOUNDS = "request.signature_must_be_within_bounds"
row("five labels in Signature-Input", adding(GET, *[("Signature-Input", f'p{at}=("@method")') for at in range(4)]), BOUNDS)
row("five labels in Signature", adding(GET, *[("Signature", f"p{at}=:AAAA:") for at in range(4)]), BOUNDS)
MANY = [f'"x-{at}"' for at in range(29)]
row("33 components", signed(request(headers=[(name.strip('"'), "1") for name in MANY]), [*TARGET, *MANY]), BOUNDS)
row("17 parameters", signed(request(), params=parameters() + "".join(f";x{at}" for at in range(11))), BOUNDS)
row("Signature-Input of more than 4,096 bytes", signed(request(), params=parameters() + f';x="{"y" * 4096}"'), BOUNDS)
row("Signature of more than 8,192 bytes", adding(GET, ("Signature", f"big=:{'AAAA' * 2048}:")), BOUNDS)

# --- refused: parameters ----------------------------------------------------------------------------------------------

for name in ("created", "expires", "nonce", "keyid", "alg"):
    row(f"no {name}", signed(request(), params=parameters(**{name: None})), "request.signature_must_have_parameter")
row("the nonce stands in a header, outside the signature", signed(
    request(headers=[("X-Nonce", nonce_text(NONCE))]), params=parameters(nonce=None)), "request.signature_must_have_parameter")
for name, text in (
    ("a nonce that is a token", nonce_text(NONCE)),
    ("a nonce that is a byte sequence", f":{b64(NONCE)}:"),
    ("a nonce that is a number", "1234567890123"),
):
    row(name, signed(request(), params=parameters(nonce=text)), FORM)
row("created as text", signed(request(), params=parameters(created=f'"{NOW}"')), FORM)
row("created as a decimal", signed(request(), params=parameters(created=f"{NOW}.5")), FORM)
row("created as a date", signed(request(), params=parameters(created=f"@{NOW}")), FORM)
row("keyid as a token", signed(request(), params=parameters(keyid="client")), FORM)
row("an empty keyid", signed(request(), params=parameters(keyid='""')), FORM)
LENGTH = "request.nonce_must_have_16_to_64_bytes"
row("an empty nonce", signed(request(), params=parameters(nonce='""')), LENGTH)
for length in (1, 15, 65, 66, 2000):
    row(f"a nonce of {length} bytes", signed(request(), params=parameters(nonce=f'"{nonce_text(bytes(length))}"')), LENGTH)
for name, text in (
    ("is no base64", "b3k2pp5k7z-50gnwp.yemd"),
    ("mixes both alphabets", nonce_text(ODD)[:12] + b64(ODD)[12:].replace("7", "/")),
    ("has bits that stand for nothing", nonce_text(NONCE)[:-1] + "3"),
    ("has a space", nonce_text(NONCE)[:-1] + " "),
    ("goes on after its padding", b64(NONCE) + "AAAA"),
):
    row(f"a nonce that {name}", signed(request(), params=parameters(nonce=f'"{text}"')), "request.nonce_must_be_base64")
LIFETIME = "request.lifetime_must_be_at_most_60_seconds"
for seconds in (61, 3600, 0, -1):
    row(f"a lifetime of {seconds} seconds", signed(request(), params=parameters(expires=str(NOW + seconds))), LIFETIME)
row("the longest times there are", signed(
    request(), params=parameters(created="-999999999999999", expires="999999999999999")), LIFETIME)
row("one second too late", GET, "request.must_be_fresh", now=NOW + 66)
row("ten minutes too late", GET, "request.must_be_fresh", now=NOW + 600)
row("one second too early", GET, "request.must_not_be_from_the_future", now=NOW - 6)
ALG = "request.algorithm_must_be_the_keys"
row("hmac-sha256 keyed with the bytes of the public key", signed(
    request(), by="hmac by public key", params=parameters(alg='"hmac-sha256"')), ALG)
row("ed25519 where the key is another's", GET, ALG, key="client.p256")
row("alg none", signed(request(), params=parameters(alg='"none"')), ALG)
row("alg in capitals", signed(request(), params=parameters(alg='"ED25519"')), ALG)

# --- refused: coverage ------------------------------------------------------------------------------------------------

COVER = "request.signature_must_cover"
for component in TARGET:
    row(f"{component} is not covered", signed(
        request(), [other for other in TARGET if other != component]), COVER)
for component in FIELDS:
    row(f"{component} is not covered", signed(order(), [*TARGET, *[other for other in FIELDS if other != component]]), COVER)
for field, value in (
    ("Authorization", "Bearer x"),
    ("Content-Encoding", "gzip"),
    ("If-Match", '"1"'),
    ("If-None-Match", "*"),
):
    row(f"{field} is added after signing", adding(ORDER, (field, value)), COVER)
row("nothing is covered", signed(request(), []), COVER)
row("of the digest only one member is covered", signed(
    order(), [*TARGET, '"content-type"', '"idempotency-key"', '"content-digest";key="sha-256"']), COVER)
row("the type is covered in another form only", signed(
    order(), [*TARGET, '"content-type";bs', '"content-digest"', '"idempotency-key"']), COVER)
row("a parameter of the query is not the query", signed(
    request(query="a=1"), ['"@method"', '"@authority"', '"@path"', '"@query-param";name="a"']), COVER)
KNOWN = "request.signature_must_cover_known_components"
for component in ('"Content-Type"', '"@Path"', '"@later"', '"@signature-params"', '"x y"', '""', '"@method";sf',
                  '"content-type";tr', '"content-type";later', '"content-type";sf=?0', '"@path";req', '"@query-param"',
                  '"content-type";sf;bs'):
    row(f"{component} is nothing that is known in a request", signed(order(), [*TARGET, *FIELDS, component]), KNOWN)
row("@status is not a request's", signed(order(), [*TARGET, *FIELDS, '"@status"']), KNOWN)
ONCE = "request.signature_must_cover_once"
row("a component twice", signed(order(), [*TARGET, *FIELDS, '"@method"']), ONCE)
row("a component twice, its parameters in another order or left to be understood", signed(order(), [
    *TARGET, *FIELDS, '"content-digest";key="sha-256"', '"content-digest";key="sha-256";sf']), ONCE)
PRESENT = "request.signature_must_cover_what_is_present"
row("a covered field is gone", without(ORDER, "Idempotency-Key"), PRESENT)
row("a covered value is not ASCII", with_header(
    signed(request(headers=[("X-Note", "a")]), [*TARGET, '"x-note"']), "X-Note", "\u00e4"), PRESENT)
row("a covered member that the dictionary does not have", with_header(signed(request(headers=[
    ("X-Map", "a=1")]), [*TARGET, '"x-map";key="a"']), "X-Map", "b=1"), PRESENT)
row("a parameter of the query that comes twice", changed(signed(
    request(query="a=1"), [*TARGET, '"@query-param";name="a"']), query="a=1&a=2"), PRESENT)
row("a fold in a field: a message that no HTTP library may pass on", with_header(
    signed(request(headers=[("X-Note", "a b")]), [*TARGET, '"x-note"']), "X-Note", "a\r\n b"), "unreadable")

# --- refused: changed after signing -----------------------------------------------------------------------------------

VALID = "request.signature_must_be_valid"
row("another method", changed(ORDER, method="PUT"), VALID)
row("the method in small letters", changed(ORDER, method="post"), VALID)
row("another host", changed(ORDER, authority="fund.example.org"), VALID)
row("another port", changed(ORDER, authority="fund.example:8443"), VALID)
row("another path", changed(ORDER, path="/v1/order"), VALID)
row("a path that means the same", changed(ORDER, path="/v1//orders"), VALID)
row("a path with other percent-encoding", changed(ORDER, path="/v1/%6Frders"), VALID)
row("a path whose percent-encoding has other letters", changed(
    signed(request(path="/v1/a%2fb")), path="/v1/a%2Fb"), VALID)
row("another query", changed(ORDER, query="dry=0"), VALID)
row("no query", changed(ORDER, query=None), VALID)
row("a longer query", changed(ORDER, query="dry=1&"), VALID)
row("an empty query under @target-uri is another URI", changed(
    signed(request(), ['"@method"', '"@target-uri"']), query=""), VALID)
row("http instead of https under @target-uri", changed(
    signed(request(), ['"@method"', '"@target-uri"']), scheme="http"), VALID)
row("another type", with_header(ORDER, "Content-Type", "application/xml"), VALID)
row("a type in other letters", with_header(ORDER, "Content-Type", "application/JSON"), VALID)
row("a second line of a covered field", adding(ORDER, ("Idempotency-Key", '"o-2"')), VALID)
row("another content and digest", changed(
    with_header(ORDER, "Content-Digest", sha_256(b'{"units": 41}')), content=b'{"units": 41}'), VALID)
for name, old, new in (
    ("a later end", f"expires={NOW + 60}", f"expires={NOW + 59}"),
    ("a later time", f"created={NOW}", f"created={NOW + 1}"),
    ("another nonce", nonce_text(NONCE), nonce_text(bytes(16))),
    ("another key's name", "client.ed25519", "client.ed25518"),
    ("another order of components", '"@path" "@query"', '"@query" "@path"'),
):
    row(f"Signature-Input with {name}", with_header(
        ORDER, "Signature-Input", ORDER["headers"][4][1].replace(old, new)), VALID)
row("a signature by another key", signed(order(), by="other"), VALID)
row("another request's signature", with_header(ORDER, "Signature", GET["headers"][1][1]), VALID)
row("a signature cut short", with_header(ORDER, "Signature", "sig=:" + b64(signature_of(ORDER)[:-1]) + ":"), VALID)
row("an empty signature", with_header(ORDER, "Signature", "sig=::"), VALID)
row("a MAC cut to 16 bytes", with_header(signed(request(), key="client.hmac"), "Signature", "sig=:" + b64(
    signature_of(signed(request(), key="client.hmac"))[:16]) + ":"), VALID, key="client.hmac")

# --- refused: content -------------------------------------------------------------------------------------------------

DIGEST = "request.content_must_match_digest"
row("a byte of the content is another", changed(ORDER, content=b'{"units": 41}'), DIGEST)
row("the content is gone", changed(ORDER, content=b""), DIGEST)
row("content is added to a request that has none", changed(GET, content=b"x"), "request.content_must_have_digest")
row("the content's length is declared, and there is no digest", signed(
    without(order(), "Content-Digest")), "request.content_must_have_digest")
row("chunked content without a digest", signed(adding(
    without(order(), "Content-Digest", "Content-Length"), ("Transfer-Encoding", "chunked"))), "request.content_must_have_digest")
row("of two digests the second is wrong", signed(with_header(
    order(), "Content-Digest", f"{sha_256(CONTENT)}, {sha_512(b'')}")), DIGEST)
row("two Content-Digest fields", signed(adding(order(), ("Content-Digest", sha_512(CONTENT)))), FORM)
row("one algorithm twice", signed(with_header(
    order(), "Content-Digest", f"{sha_256(b'')}, {sha_256(CONTENT)}")), FORM)
row("a digest of the wrong length", signed(with_header(order(), "Content-Digest", "sha-256=:AAAA:")), FORM)
row("a digest that is text", signed(with_header(order(), "Content-Digest", 'sha-256="AAAA"')), FORM)
row("only a digest that is broken", signed(with_header(
    order(), "Content-Digest", "md5=:AAAAAAAAAAAAAAAAAAAAAA==:")), "request.digest_must_be_sha_256_or_sha_512")
row("two lengths", adding(ORDER, ("Content-Length", "14")), FORM)
row("a length and a transfer coding", adding(ORDER, ("Transfer-Encoding", "chunked")), FORM)
row("a length that is no number", with_header(ORDER, "Content-Length", "+13"), FORM)
UNSEEN = "request.content_must_be_checked"
row("content that nobody checks", ORDER, UNSEEN, content_seen=False)
row("a POST that may have content, which nobody sees", signed(
    request("POST", "/v1/strikes")), UNSEEN, content_seen=False)
row("a GET with a digest, whose content nobody sees", signed(request(
    headers=[("Content-Digest", sha_256(b"x"))], content=b"x"), [*TARGET, '"content-digest"']), UNSEEN, content_seen=False)

# --- responses --------------------------------------------------------------------------------------------------------

PROBLEM = b'{"code":"request.must_be_fresh"}'
OF_TARGET = ['"@method";req', '"@authority";req', '"@path";req', '"@query";req']
OF_SIGNATURE = '"signature";req;key="sig"'
ANSWERED = ['"@status"', '"content-type"', '"content-digest"', *OF_TARGET, OF_SIGNATURE]


def response_parameters(**changes):
    return parameters(
        "server.ed25519", **{"expires": None, "created": str(NOW + 600), "tag": '"strongroom-response"', **changes}
    )


def response(status=401, headers=(), content=PROBLEM):
    given = [("Content-Type", "application/problem+json"), ("Content-Digest", sha_256(content))] if content else []
    return Msg(status=status, headers=[list(pair) for pair in [*given, *headers]], content=content)


def answer(message=None, to=GET, covered=ANSWERED, params=None, **given):
    message = response() if message is None else message
    params = response_parameters() if params is None else params
    return signed(message, covered, key="server.ed25519", params=params, related=to, **given)


def answer_row(name, message, outcome="ok", to=GET, bound=True):
    RESPONSES.append(
        {
            "name": name,
            "request": {key: to[key] for key in ("method", "scheme", "authority", "path", "query", "headers")},
            "status": message["status"],
            "headers": message["headers"],
            "content": b64(message["content"]),
            "key": "server.ed25519",
            "outcome": outcome,
            **({"server_time": NOW + 600 if bound else None} if outcome == "ok" else {}),
        }
    )


PLAIN = request()
ANSWER = answer()
answer_row("a refusal of a signed request", ANSWER)
answer_row("@target-uri of the request", answer(
    covered=['"@status"', '"content-type"', '"content-digest"', '"@method";req', '"@target-uri";req', OF_SIGNATURE]))
answer_row("a response without content", answer(response(204, content=b""), covered=['"@status"', *OF_TARGET, OF_SIGNATURE]))
answer_row("an answer to an unsigned request, whose time is not to be believed", answer(
    to=PLAIN, covered=ANSWERED[:-1], params=response_parameters(nonce=None)), to=PLAIN, bound=False)
BAD = with_header(GET, "Signature", "sig=:AAAA:")
answer_row("an answer to a badly signed request", answer(to=BAD), to=BAD)
NO_NONCE = signed(request(), params=parameters(nonce=None))
answer_row("an answer to a request without a nonce", answer(
    to=NO_NONCE, params=response_parameters(nonce=None)), to=NO_NONCE)
LATER = signed(request(), params=parameters(nonce=f'"{nonce_text(ODD)}"'))
NOT_MINE = "response.must_answer_the_request"
answer_row("an old answer to the same question", ANSWER, NOT_MINE, to=LATER)
answer_row("an answer that repeats another nonce", answer(params=response_parameters(nonce=f'"{nonce_text(ODD)}"')), NOT_MINE)
answer_row("an answer that repeats no nonce", answer(params=response_parameters(nonce=None)), NOT_MINE)
answer_row("an answer that does not cover the request's signature", answer(covered=ANSWERED[:-1]), NOT_MINE)
answer_row("an answer to the unsigned request, sent to the signed one", answer(
    to=PLAIN, covered=ANSWERED[:-1], params=response_parameters(nonce=None)), NOT_MINE)
MUST = "response.signature_must_cover"
for component in ANSWERED[:-1]:
    answer_row(f"{component} is not covered", answer(covered=[other for other in ANSWERED if other != component]), MUST)
answer_row("a challenge is added", adding(ANSWER, ("Accept-Signature", 'a=();nonce="x"')), MUST)
answer_row("no signature", response(), "response.must_be_signed")
answer_row("no keyid", answer(params=response_parameters(keyid=None)), "response.signature_must_have_parameter")
answer_row("no created", answer(params=response_parameters(created=None)), "response.signature_must_have_parameter")
INVALID = "response.signature_must_be_valid"
answer_row("another status", changed(ANSWER, status=200), INVALID)
answer_row("another type", with_header(ANSWER, "Content-Type", "text/html"), INVALID)
answer_row("another key", answer(by="other"), INVALID)
answer_row("another content", changed(ANSWER, content=b"{}"), "response.content_must_match_digest")
answer_row("content without a digest", answer(
    without(response(), "Content-Digest"), covered=['"@status"', '"content-type"', *OF_TARGET, OF_SIGNATURE]),
    "response.content_must_have_digest")


def document() -> str:
    profile = {
        "tag": "strongroom-request",
        "response_tag": "strongroom-response",
        "window_seconds": 60,
        "skew_seconds": 5,
        "covered_when_present": [
            "authorization",
            "content-encoding",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
        ],
        "content_elsewhere": "refused",
    }
    about = (
        "See spec/http-signature-profile.md. Each row is a message, the key that its keyid stands for, the verifier's"
        " time in seconds since 1970, and the outcome: ok, the code of the rule that is broken, or unreadable, where no"
        " HTTP message can be made of it. Header values are Latin-1; content, keys are base64, nonces are hex."
    )
    tables = {"about": about, "profile": profile, "keys": KEYS, "requests": REQUESTS, "responses": RESPONSES}
    return json.dumps(tables, indent=1, ensure_ascii=True) + "\n"


# --- the other judge -------------------------------------------------------------------------------------------------


def check_by_pypi() -> int:
    import types

    from http_message_signatures import HTTPMessageVerifier, algorithms
    from http_message_signatures.resolvers import MappingKeyResolver

    class AtAnyTime(HTTPMessageVerifier):
        def validate_created_and_expires(self, sig_input, max_age=None):
            """The vectors have their own clock."""

    public = {
        "client.ed25519": ED25519.public_key(),
        "client.p256": P256.public_key(),
        "client.hmac": SECRET,
    }
    by_name = {
        "ed25519": algorithms.ED25519,
        "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
        "hmac-sha256": algorithms.HMAC_SHA256,
    }
    judged = 0
    for line in REQUESTS:
        if line["outcome"] != "ok" or "(not PyPI)" in line["name"]:
            continue
        query = "" if line["query"] is None else f"?{line['query']}"
        message = types.SimpleNamespace(
            method=line["method"],
            url=f"{line['scheme']}://{line['authority']}{line['path']}{query}",
            headers=types.SimpleNamespace(items=lambda pairs=line["headers"]: [tuple(pair) for pair in pairs]),
        )
        verifier = AtAnyTime(
            signature_algorithm=by_name[KEYS[line["key"]]["algorithm"]],
            key_resolver=MappingKeyResolver(public_keys=public, private_keys={}),
        )
        content = base64.b64decode(line["content"]) if line["content_seen"] else None
        try:
            verifier.verify(message, expect_tag="strongroom-request", max_age=None, body=content)
        except Exception as error:
            sys.exit(f"PyPI refuses {line['name']!r}: {error!r}")
        judged += 1
    return judged


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        FILE.write_text(document())
    elif sys.argv[1:] == ["check"]:
        if FILE.read_text() != document():
            sys.exit(f"{FILE} is not what this program writes")
        print(json.dumps({"requests": len(REQUESTS), "responses": len(RESPONSES), "accepted_by_pypi": check_by_pypi()}))
    else:
        sys.exit(__doc__)
