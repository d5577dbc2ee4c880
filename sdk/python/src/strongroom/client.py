"""The clients: one that blocks, one for asyncio. Both drive the flows of `exchange`."""

from __future__ import annotations

import json as jsons
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import anyio
import httpx

from .address import base_of
from .enrolment import enrol_flow, import_flow
from .errors import StrongroomError, TransportError
from .exchange import Answer, Exchange, Options, Sent
from .flow import Came, Flow, Pause, Wire
from .key_file import KeyFile
from .ring import ClientKey, KeyRing
from .signature import Fields

ANSWER_BYTES_MAX = 64 * 1024 * 1024
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

T = TypeVar("T")


def _settings(server: str, options: Options) -> dict[str, Any]:
    # A proxy of the environment would carry plaintext to another machine; over https it sees none.
    is_plain = server.startswith("http://")
    verify = ssl.create_default_context(cafile=options.ca) if options.ca else True
    return {
        "verify": False if is_plain else verify,
        "trust_env": not is_plain,
        "timeout": options.timeout_seconds,
        "follow_redirects": False,
    }


def _request(wire: Wire) -> httpx.Request:
    # Made whole here, so that no default field, cookie or content coding is added after signing.
    headers = [(name.encode(), value.encode("latin-1")) for name, value in wire.headers]
    content = wire.content if wire.content or wire.method == "POST" else None
    return httpx.Request(wire.method, wire.url, headers=headers, content=content)


def _came(response: httpx.Response, content: bytes, begun: float) -> Came:
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
    return Came(response.status_code, Fields(pairs), content, time.monotonic() - begun)


class _Gathering:
    """Content as it comes, within a bound and a time."""

    def __init__(self, options: Options) -> None:
        self.content = bytearray()
        self.begun = time.monotonic()
        self.until = self.begun + options.timeout_seconds

    def take(self, chunk: bytes) -> None:
        self.content += chunk
        if len(self.content) > ANSWER_BYTES_MAX:
            text = f"the answer has more than {ANSWER_BYTES_MAX} bytes"
            raise StrongroomError("client.answer_must_be_bounded", text)
        if time.monotonic() > self.until:
            raise TransportError("the answer did not arrive in time", was_sent=True)


def _failed(error: httpx.TransportError) -> NoReturn:
    raise TransportError(f"{error.__class__.__name__}: {error}", was_sent=not isinstance(error, _NEVER_SENT)) from error


def _sent(
    method: str,
    target: str,
    json: Any,
    content: bytes,
    headers: Mapping[str, str] | None,
    idempotency_key: str | None,
) -> Sent:
    given = dict(headers or {})
    if json is not None:
        content = jsons.dumps(json).encode()
        given.setdefault("Content-Type", "application/json")
    if idempotency_key is not None:
        given["Idempotency-Key"] = idempotency_key
    return Sent(method, target, given, content)


class _Base:
    def __init__(self, keys: KeyFile, options: Options | None) -> None:
        self.options = options or Options()
        ring = KeyRing(ClientKey(keys.key, keys.signing_key()))
        self.exchange = Exchange(self.options.server or keys.server, ring, keys.server_keys, self.options)

    @property
    def ring(self) -> KeyRing:
        """The key that signs, and the one that is to follow."""
        return self.exchange.ring

    @property
    def server(self) -> str:
        """Where the server is."""
        return self.exchange.server

    def assume_clock(self, ahead_seconds: int) -> None:
        """Assumes that the server's clock is so many seconds ahead of this machine's, as was learned before."""
        self.exchange.ahead_seconds = ahead_seconds

    @classmethod
    def open(cls, path: Path | str, options: Options | None = None) -> Self:
        """A client of a key file. Raises KeyFileError."""
        return cls(KeyFile.read(path), options)


class Client(_Base):
    """Signs every request, believes only answers that a pinned key signed, and heals its clock. Safe under threads."""

    def __init__(
        self, keys: KeyFile, options: Options | None = None, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        super().__init__(keys, options)
        self._http = httpx.Client(transport=transport, **_settings(self.server, self.options))

    def request(
        self,
        method: str,
        target: str,
        *,
        json: Any = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """Sends a request, and gives what the server answered, a refusal too. Raises StrongroomError.

        A request that changes something goes under an idempotency key; give one to ask again later, after a crash say.
        """
        sent = _sent(method, target, json, content, headers, idempotency_key)
        return _run(self.exchange.send(sent), self._http, self.options)

    def get(self, target: str, **given: Any) -> Answer:
        """Reads. As `request`."""
        return self.request("GET", target, **given)

    def post(self, target: str, **given: Any) -> Answer:
        """Sends JSON, or content. As `request`."""
        return self.request("POST", target, **given)

    def delete(self, target: str, **given: Any) -> Answer:
        """Withdraws. As `request`."""
        return self.request("DELETE", target, **given)

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(_Base):
    """As `Client`, for asyncio."""

    def __init__(
        self, keys: KeyFile, options: Options | None = None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(keys, options)
        self._http = httpx.AsyncClient(transport=transport, **_settings(self.server, self.options))

    async def request(
        self,
        method: str,
        target: str,
        *,
        json: Any = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """As `Client.request`."""
        sent = _sent(method, target, json, content, headers, idempotency_key)
        return await _run_async(self.exchange.send(sent), self._http, self.options)

    async def get(self, target: str, **given: Any) -> Answer:
        """Reads. As `request`."""
        return await self.request("GET", target, **given)

    async def post(self, target: str, **given: Any) -> Answer:
        """Sends JSON, or content. As `request`."""
        return await self.request("POST", target, **given)

    async def delete(self, target: str, **given: Any) -> Answer:
        """Withdraws. As `request`."""
        return await self.request("DELETE", target, **given)

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _run(flow: Flow[T], http: httpx.Client, options: Options) -> T:
    came: Came | None = None
    error: TransportError | None = None
    while True:
        try:
            step = flow.throw(error) if error is not None else flow.send(came)
        except StopIteration as done:
            result: T = done.value
            return result
        came, error = None, None
        try:
            if isinstance(step, Pause):
                time.sleep(step.seconds)
            else:
                came = _carry(http, step, options)
        except TransportError as failure:
            error = failure


def _carry(http: httpx.Client, wire: Wire, options: Options) -> Came:
    gathering = _Gathering(options)
    try:
        response = http.send(_request(wire), stream=True, auth=None, follow_redirects=False)
        try:
            for chunk in response.iter_raw():
                gathering.take(chunk)
        finally:
            response.close()
    except httpx.TransportError as error:
        _failed(error)
    return _came(response, bytes(gathering.content), gathering.begun)


async def _run_async(flow: Flow[T], http: httpx.AsyncClient, options: Options) -> T:
    came: Came | None = None
    error: TransportError | None = None
    while True:
        try:
            step = flow.throw(error) if error is not None else flow.send(came)
        except StopIteration as done:
            result: T = done.value
            return result
        came, error = None, None
        try:
            if isinstance(step, Pause):
                await anyio.sleep(step.seconds)
            else:
                came = await _carry_async(http, step, options)
        except TransportError as failure:
            error = failure


async def _carry_async(http: httpx.AsyncClient, wire: Wire, options: Options) -> Came:
    gathering = _Gathering(options)
    try:
        response = await http.send(_request(wire), stream=True, auth=None, follow_redirects=False)
        try:
            async for chunk in response.aiter_raw():
                gathering.take(chunk)
        finally:
            await response.aclose()
    except httpx.TransportError as error:
        _failed(error)
    return _came(response, bytes(gathering.content), gathering.begun)


def enrol(server: str, code: str, options: Options | None = None) -> KeyFile:
    """Makes a key, enrols its public half with a one-time code, and gives what belongs into the key file."""
    options = options or Options()
    with httpx.Client(**_settings(base_of(server), options)) as http:
        return _run(enrol_flow(server, code, options), http, options)


async def enrol_async(server: str, code: str, options: Options | None = None) -> KeyFile:
    """As `enrol`."""
    options = options or Options()
    async with httpx.AsyncClient(**_settings(base_of(server), options)) as http:
        return await _run_async(enrol_flow(server, code, options), http, options)


def import_secret(server: str, key: str, secret: str, options: Options | None = None) -> KeyFile:
    """The key file of an HMAC secret, in base64, that the server made."""
    options = options or Options()
    with httpx.Client(**_settings(base_of(server), options)) as http:
        return _run(import_flow(server, key, secret), http, options)
