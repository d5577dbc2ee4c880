"""What stands between client and server, or beside the key file, gets nothing out of it."""

from __future__ import annotations

import base64
import dataclasses
import os
import stat
from pathlib import Path

import httpx
import pytest
from conftest import Between, Served

import strongroom
from strongroom import directory
from strongroom.healing import may_send_again
from strongroom.signature import SigningKey, VerifyingKey


@pytest.fixture(scope="module")
def keys(served: Served) -> strongroom.KeyFile:
    return strongroom.enrol(served.url, served.code())


class Changing(Between):
    """Hands on every answer, changed."""

    def __init__(self, change: object) -> None:
        super().__init__()
        self.change = change

    def carry(self, request: httpx.Request) -> httpx.Response:
        answer = super().carry(request)
        assert callable(self.change)
        changed = self.change(answer.status_code, list(answer.headers.raw), answer.read())
        status, headers, content = changed
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


def without(headers: list[tuple[bytes, bytes]], name: bytes) -> list[tuple[bytes, bytes]]:
    return [pair for pair in headers if pair[0].lower() != name]


def with_line(headers: list[tuple[bytes, bytes]], name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    return [*headers, (name, value)]


CHANGES = {
    "another status": lambda s, h, c: (201, h, c),
    "another content": lambda s, h, c: (s, h, c.replace(b"ap-one", b"ap-two")),
    "content cut short": lambda s, h, c: (s, without(h, b"content-length"), c[:-1]),
    "another type": lambda s, h, c: (s, [*without(h, b"content-type"), (b"content-type", b"text/html")], c),
    "no signature": lambda s, h, c: (s, without(h, b"signature"), c),
    "the signature twice": lambda s, h, c: (s, with_line(h, b"signature", dict(h)[b"signature"]), c),
    "the input twice": lambda s, h, c: (s, with_line(h, b"signature-input", dict(h)[b"signature-input"]), c),
    "a digest beside the digest": lambda s, h, c: (s, with_line(h, b"content-digest", b"sha-256=:AAAA:"), c),
    "a place to go to": lambda s, h, c: (s, with_line(h, b"location", b"/elsewhere"), c),
    "a coding that was not signed": lambda s, h, c: (s, with_line(h, b"content-encoding", b"gzip"), c),
    "a redirect": lambda s, h, c: (307, with_line(h, b"location", b"http://127.0.0.1:1/"), c),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_answer_that_was_changed_is_not_believed(keys: strongroom.KeyFile, name: str) -> None:
    between = Changing(CHANGES[name])
    client = strongroom.Client(keys, transport=between)
    with client, pytest.raises(strongroom.UnbelievableAnswer) as unbelieved:
        client.get("/v1/whoami")
    assert unbelieved.value.code == "client.answer_must_be_signed"
    assert len(between.requests) == 1, "it is not asked again either"


def test_an_answer_to_another_request_is_not_believed(keys: strongroom.KeyFile) -> None:
    class Replaying(Between):
        def carry(self, request: httpx.Request) -> httpx.Response:
            return self.answers[0] if self.answers else super().carry(request)

    class Kept(Replaying):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            return httpx.Response(
                answer.status_code,
                headers=answer.headers.raw,
                stream=httpx.ByteStream(b"".join(answer.stream if isinstance(answer.stream, httpx.ByteStream) else [])),
            )

    with strongroom.Client(keys, transport=Kept()) as client:
        client.get("/v1/whoami").success()
        with pytest.raises(strongroom.UnbelievableAnswer, match="must_answer_the_request"):
            client.get("/v1/whoami")


def test_a_made_up_refusal_has_nothing_executed_twice(keys: strongroom.KeyFile) -> None:
    """The request is executed; then its own refusal as stale is hoped to have it signed anew."""
    refusal = b'{"code":"request.must_be_fresh"}'
    between = Changing(lambda s, h, c: (401, [(b"content-type", b"application/problem+json")], refusal))
    options = strongroom.Options(answers="any")
    with strongroom.Client(keys, options, transport=between) as client:
        answer = client.post("/v1/funds/BTCX/orders", json={"id": "twice", "side": "creation", "baskets": 1})
    assert (answer.is_signed, answer.code, len(between.requests)) == (False, "request.must_be_fresh", 1)


def test_a_request_that_was_held_back_is_not_signed_anew(served: Served, keys: strongroom.KeyFile) -> None:
    """A genuine refusal as stale, of a request whose `created` somebody changed on the way."""

    class Ageing(Between):
        def carry(self, request: httpx.Request) -> httpx.Response:
            stale = request.headers["signature-input"]
            created = int(stale.split("created=")[1].split(";")[0])
            for seconds in (created + 30, created):
                stale = stale.replace(str(seconds), str(seconds - 3_600))
            return super().carry(
                httpx.Request(
                    request.method,
                    request.url,
                    headers={
                        "Signature-Input": stale,
                        **{name: value for name, value in request.headers.items() if name != "signature-input"},
                    },
                    content=request.content,
                )
            )

    between = Ageing()
    with strongroom.Client(keys, transport=between) as client:
        # The answer covers the signature that the server saw, which is the client's own, and the nonce is too.
        answer = client.get("/v1/whoami")
    assert (answer.code, answer.tries, len(between.requests)) == ("request.must_be_fresh", 1, 1)


@pytest.mark.parametrize(
    ("code", "ahead", "took", "expected"),
    [
        ("request.must_be_fresh", 600, 0.02, True),
        ("request.must_be_fresh", 600, 29.999, True),
        ("request.must_be_fresh", 37, 1.0, True),
        ("request.must_not_be_from_the_future", -600, 0.02, True),
        ("request.must_not_be_from_the_future", -6, 0.02, True),
        ("request.must_answer_a_challenge", 0, 0.02, True),
        ("request.challenge_must_be_answered_in_time", 0, 0.02, True),
        ("request.must_be_fresh", 0, 0.02, False),
        ("request.must_be_fresh", 35, 0.02, False),
        ("request.must_be_fresh", -600, 0.02, False),
        ("request.must_not_be_from_the_future", 0, 0.02, False),
        ("request.must_not_be_from_the_future", -5, 0.02, False),
        ("request.must_not_be_from_the_future", 600, 0.02, False),
        ("request.must_be_fresh", 36, 26.0, False),
        ("request.must_be_fresh", 36, 0.001, False),
        ("request.must_be_fresh", 60, 24.001, False),
        ("request.nonce_was_used", 600, 0.02, False),
        ("request.signature_must_be_valid", 600, 0.02, False),
        ("", 600, 0.02, False),
    ],
)
def test_only_a_plausible_refusal_is_healed(code: str, ahead: int, took: float, expected: bool) -> None:
    """The rows are those of the Rust client's own test."""
    assert may_send_again(code, created=1_000, took_seconds=took, server_time=1_000 + ahead) is expected


def test_a_request_goes_to_its_own_server_only(served: Served, keys: strongroom.KeyFile) -> None:
    port = served.url.rpartition(":")[2]
    with strongroom.Client(keys) as client:
        for target in (
            "http://127.0.0.1:1/v1/whoami",
            f"{served.url}0/v1/whoami",
            f"{served.url}@example.org/v1/whoami",
            f"http://user@127.0.0.1:{port}/v1/whoami",
            "v1/whoami",
            "/v1/whoami#part",
        ):
            with pytest.raises(strongroom.StrongroomError) as refused:
                client.get(target)
            assert refused.value.code == "client.url_must_be_valid", target
        for name in ("Host", "content-length", "Transfer-Encoding"):
            with pytest.raises(strongroom.StrongroomError) as refused:
                client.get("/v1/whoami", headers={name: "other.example"})
            assert refused.value.code == "client.header_must_be_the_callers"
        with pytest.raises(strongroom.UnreadableMessage):
            client.get("/v1/whoami", headers={"X-Note": "a\r\nHost: other.example"})


@pytest.mark.parametrize(
    "server", ["http://fund.example", "http://10.0.0.1:8080", "ftp://127.0.0.1", "127.0.0.1:80", ""]
)
def test_plaintext_stays_on_this_machine(keys: strongroom.KeyFile, server: str) -> None:
    with pytest.raises(strongroom.StrongroomError) as refused:
        strongroom.Client(keys, strongroom.Options(server=server or "http://"))
    assert refused.value.code in ("client.plaintext_must_stay_on_loopback", "client.url_must_be_valid")


def test_a_captured_request_to_another_authority_is_refused(served: Served, keys: strongroom.KeyFile) -> None:
    class Elsewhere(Between):
        def carry(self, request: httpx.Request) -> httpx.Response:
            request.headers["host"] = "other.example"
            return super().carry(request)

    with strongroom.Client(keys, transport=Elsewhere()) as client, pytest.raises(strongroom.UnbelievableAnswer):
        # The server signs for the authority that it was asked under, so the answer is not one to our request.
        client.get("/v1/whoami")


def test_who_cannot_look_up_a_new_server_key_is_not_told_that_nothing_was_sent(keys: strongroom.KeyFile) -> None:
    """The answer is by a key that was not pinned, and the directory cannot be reached."""

    class Hiding(Between):
        def carry(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.startswith("/.well-known"):
                raise httpx.ConnectError("refused")
            return super().carry(request)

    unpinned, between = dataclasses.replace(keys, server_keys=()), Hiding()
    client = strongroom.Client(unpinned, strongroom.Options(retry_seconds=0), transport=between)
    with client, pytest.raises(strongroom.TransportError) as lost:
        client.post("/v1/funds/BTCX/orders", json={"id": "hidden", "side": "creation", "baskets": 1})
    assert lost.value.was_sent


def encoded(data: bytes | None) -> str:
    return base64.b64encode(data or b"").decode()


def test_a_directory_cannot_make_a_key_believed() -> None:
    old, new, stranger = (SigningKey.ed25519(bytes([at]) * 32) for at in (1, 2, 3))
    first = strongroom.ServerKey("server.1", "ed25519", encoded(old.public))
    second = strongroom.ServerKey("server.2", "ed25519", encoded(new.public))
    pinned = {"server.1": VerifyingKey.ed25519(old.public or b"")}
    for signer, believed in ((old, True), (stranger, False)):
        text = directory.vouch_text(second)
        vouched = dataclasses.replace(second, vouched=encoded(signer.sign(text)))
        assert ("server.2" in directory.vouched([first, vouched], pinned)) is believed
    assert "server.2" not in directory.vouched([first, second], pinned)
    for text in (b"", b"{", b"[]", b'{"keys":[{}]}', b'{"keys":1}', b'{"keys":[{"kid":"a","x":1}]}'):
        assert directory.read(text) == []


class TestKeyFiles:
    def made(self, folder: Path) -> tuple[strongroom.KeyFile, Path]:
        keys = strongroom.KeyFile.of_seed("http://127.0.0.1:1", "k.1", bytes(32), ())
        return keys, folder / "a.key"

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o601])
    def test_a_file_that_others_may_open_is_refused(self, tmp_path: Path, mode: int) -> None:
        keys, path = self.made(tmp_path)
        keys.write_new(path)
        path.chmod(mode)
        with pytest.raises(strongroom.KeyFileError) as refused:
            strongroom.Client.open(path)
        assert refused.value.code == "client.key_file_must_be_private"

    def test_a_new_file_takes_no_others_place(self, tmp_path: Path) -> None:
        keys, path = self.made(tmp_path)
        path.write_text("mine")
        with pytest.raises(strongroom.KeyFileError):
            keys.write_new(path)
        assert path.read_text() == "mine"

    def test_a_file_is_replaced_whole_or_not_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        keys, path = self.made(tmp_path)
        keys.write_new(path)
        path.chmod(0o644)
        following = strongroom.KeyFile.of_seed(keys.server, "k.2", bytes(32), ())

        def broken(*_: object) -> None:
            raise OSError(28, "no space left")

        with monkeypatch.context() as broke:
            broke.setattr(os, "fsync", broken)
            with pytest.raises(strongroom.KeyFileError):
                strongroom.FileStore(path).save(following)
        assert [each.name for each in tmp_path.iterdir()] == ["a.key"], "nothing is left behind"
        assert strongroom.KeyFile.parse(path.read_text()) == keys
        strongroom.FileStore(path).save(following)
        assert strongroom.FileStore(path).load() == following
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "{}", '{"server":1,"key":"","algorithm":"","secret":"","server_keys":[]}']
    )
    def test_what_is_no_key_file_is_not_repeated(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "a.key"
        path.touch(0o600)
        path.write_text(text)
        with pytest.raises(strongroom.KeyFileError) as refused:
            strongroom.KeyFile.read(path)
        assert refused.value.code == "client.key_file_must_be_readable"

    def test_no_secret_is_in_a_repr(self, tmp_path: Path) -> None:
        keys, _ = self.made(tmp_path)
        shown = f"{keys!r} {keys.signing_key()!r} {strongroom.ClientKey(keys.key, keys.signing_key())!r}"
        assert keys.secret not in shown

    def test_a_callback_keeps_keys_as_a_file_does(self, tmp_path: Path) -> None:
        keys, _ = self.made(tmp_path)
        kept: list[strongroom.KeyFile] = []
        store: strongroom.KeyStore = strongroom.CallbackStore(lambda: kept[-1], kept.append)
        store.save(keys)
        assert store.load() is keys
