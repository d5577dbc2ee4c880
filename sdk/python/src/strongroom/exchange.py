"""One request, from signing to belief, without a socket: a generator says what to send, and is told what came back.

`Client` and `AsyncClient` drive the same generators, so every rule is here once.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from . import directory as directories
from .address import base_of, url_of
from .errors import Refused, SignatureError, StrongroomError, TransportError, UnbelievableAnswer
from .flow import Flow, Pause, Wire, call
from .healing import LIFETIME_SECONDS, may_send_again
from .key_file import ServerKey
from .ring import ClientKey, KeyRing
from .signature import Fields, Profile, Request, Response, SignedResponse, Target, VerifyingKey, sign_request
from .signature.nonce import decode as decode_nonce
from .signature.request import SIGNED_FIELDS
from .signature.rules import SIGNATURE_INPUT_BYTES_MAX, Broken
from .signature.structured import InnerList, bounded_lines, dictionary

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NO_CODE = "client.answer_must_be_a_success"
_SAID_CHARACTERS_MAX = 2_000
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
_COME_BACK = (429, 503)
_OF_A_PROXY = (502, 503, 504)
_IN_USE = "request.idempotency_key_must_not_be_in_use"
_KEY_HAS_ENDED = (
    "key.must_be_known",
    "key.must_not_be_expired",
    "key.must_not_be_retired",
    "key.must_not_be_revoked",
)
_OF_THE_TRANSPORT = ("host", "content-length", "transfer-encoding", "connection")


@dataclass(frozen=True)
class Options:
    """How to talk.

    `server` replaces the key file's. `ca` is a PEM file of certificates to trust instead of the public ones.
    `answers` is `signed`, or `any` to take also what an application behind the gate answers, which nobody signs: such
    answers move no clock, and no request is signed anew because of one. `retry_seconds` is for how long a request is
    tried again whose answer was lost, each time freshly signed under one idempotency key; 0 for never.
    `timeout_seconds` is for each try.
    """

    server: str | None = None
    ca: str | None = None
    answers: Literal["signed", "any"] = "signed"
    retry_seconds: float = 10.0
    timeout_seconds: float = 30.0


@dataclass(frozen=True)
class Sent:
    """A request as the caller wants it; `target` is a path with its query, or a whole URL of the server."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What came back in answer to this request; unless `any` was asked for, signed by a pinned key.

    `tries` is how often the request was signed.
    """

    status: int
    headers: httpx.Headers
    content: bytes
    tries: int
    is_signed: bool

    def json(self) -> Any:
        """The content, read as JSON."""
        return json.loads(self.content)

    def success(self) -> Any:
        """The content, read as JSON, where the server agreed; raises Refused where it did not."""
        if self.status < 400:
            return self.json() if self.content else None
        problem = self._problem()
        if not problem.get("code"):
            said = self.content.decode("utf-8", "replace")[:_SAID_CHARACTERS_MAX].rstrip()
            raise Refused(self.status, NO_CODE, f"HTTP {self.status} {said}")
        raise Refused(self.status, str(problem["code"]), str(problem.get("detail", "")))

    @property
    def code(self) -> str | None:
        """The stable code of a refusal."""
        code = self._problem().get("code") if self.status >= 400 else None
        return code if isinstance(code, str) else None

    def _problem(self) -> dict[str, Any]:
        try:
            problem = self.json()
        except ValueError:
            return {}
        return problem if isinstance(problem, dict) else {}


@dataclass(frozen=True)
class _Tried:
    answer: Answer
    fields: Fields
    key: ClientKey
    created: int
    took_seconds: float
    server_time: int | None


class Exchange:
    """A key, its server, and what is known of the server's clock. Safe under threads and tasks."""

    def __init__(self, server: str, ring: KeyRing, server_keys: tuple[ServerKey, ...], options: Options) -> None:
        self.server = base_of(server)
        self.ring = ring
        self.options = options
        self._profile = Profile().for_any_application() if options.answers == "any" else Profile()
        self._pinned: dict[str, VerifyingKey] = {key.key: key.verifying_key() for key in server_keys}
        self._lock = threading.Lock()
        self.ahead_seconds = 0
        """How far the server's clock is ahead of ours, as a signed answer said."""

    def send(self, sent: Sent, *, may_repeat: bool = True) -> Flow[Answer]:
        """Signs, sends and believes; tries again while an answer is lost, under one idempotency key."""
        sent, may_repeat = self._repeatable(sent, may_repeat)
        until = time.monotonic() + self.options.retry_seconds
        longest, tries = _FIRST_PAUSE_SECONDS, 0
        while True:
            pause = random.uniform(longest / 2, longest)  # noqa: S311 - spreads a fleet, guards nothing
            try:
                answer = yield from self._healed(sent)
                tries += answer.tries
                wait = self._come_back_after(answer, pause) if may_repeat else None
                if wait is None or time.monotonic() + wait > until:
                    return Answer(answer.status, answer.headers, answer.content, tries, answer.is_signed)
            except TransportError as error:
                tries += 1
                wait = pause
                if (error.was_sent and not may_repeat) or time.monotonic() + wait > until:
                    raise
            yield Pause(wait)
            longest = min(longest * 2, _LONGEST_PAUSE_SECONDS)

    def _repeatable(self, sent: Sent, may_repeat: bool) -> tuple[Sent, bool]:
        names = {name.lower() for name in sent.headers}
        for name in _OF_THE_TRANSPORT:
            if name in names:
                text = f"{name} is made from the request itself; leave it out"
                raise StrongroomError("client.header_must_be_the_callers", text)
        if sent.method in SAFE_METHODS or "idempotency-key" in names:
            is_known = sent.method in SAFE_METHODS or self.options.answers == "signed"
            return sent, may_repeat and is_known
        headers = {**sent.headers, "Idempotency-Key": f'"{uuid.uuid4()}"'}
        # Whether somebody else's application heeds the key, nobody knows.
        repeatable = may_repeat and self.options.answers == "signed"
        return Sent(sent.method, sent.target, headers, sent.content), repeatable

    def _come_back_after(self, answer: Answer, pause: float) -> float | None:
        """Seconds to wait where the server said that it did not execute this yet, and to ask again."""
        if not answer.is_signed or (answer.status not in _COME_BACK and answer.code != _IN_USE):
            return None
        said = answer.headers.get("retry-after", "")
        return max(pause, float(said)) if said.isascii() and said.isdigit() else pause

    def _healed(self, sent: Sent) -> Flow[Answer]:
        """One try, signed anew once where the refusal says that this heals it, or the key was swapped meanwhile."""
        first = yield from self._attempt(sent, None)
        challenge = self._challenge(first)
        has_new_key = first.answer.code in _KEY_HAS_ENDED and self.ring.current != first.key
        if challenge is None and not (first.server_time is not None and has_new_key):
            return first.answer
        second = (yield from self._attempt(sent, challenge or None)).answer
        return Answer(second.status, second.headers, second.content, 2, second.is_signed)

    def _challenge(self, tried: _Tried) -> bytes | None:
        """The nonce that the server wants (empty where any will do); None where signing anew does not heal."""
        code, server_time = tried.answer.code, tried.server_time
        # Only a signed answer to this very request tells the time; an old one would set the clock back.
        if tried.answer.status != 401 or code is None or server_time is None:
            return None
        took = tried.took_seconds
        if not may_send_again(code, created=tried.created, took_seconds=took, server_time=server_time):
            return None
        self.ahead_seconds = server_time - int(time.time())
        return _asked_nonce(tried.fields)

    def _attempt(self, sent: Sent, nonce: bytes | None) -> Flow[_Tried]:
        url = url_of(self.server, sent.target)
        key = self.ring.current
        path, _, query = url.raw_path.decode("ascii").partition("?")
        has_query = "?" in url.raw_path.decode("ascii")
        target = Target(sent.method, url.scheme, url.netloc.decode("ascii"), path, query if has_query else None)
        request = Request(target, Fields(sent.headers.items()))
        request.fields.remove(*SIGNED_FIELDS)
        created = int(time.time()) + self.ahead_seconds
        sign_request(
            request,
            key.key,
            key.key_id,
            created=created,
            expires=created + LIFETIME_SECONDS,
            nonce=nonce or secrets.token_bytes(24),
            content=sent.content,
            profile=self._profile,
        )
        came = call((yield Wire(sent.method, url, request.fields.pairs, sent.content)))
        server_time, is_signed = None, False
        try:
            server_time = yield from self._believe(Response(came.status, came.fields, request), came.content)
            is_signed = True
        except (UnbelievableAnswer, TransportError) as error:
            if self.options.answers == "signed":
                if came.status in _OF_A_PROXY and isinstance(error, UnbelievableAnswer):
                    raise TransportError(f"a proxy answered {came.status}", was_sent=True) from error
                raise
        headers = httpx.Headers([(name.encode(), value.encode("latin-1")) for name, value in came.fields.pairs])
        answer = Answer(came.status, headers, came.content, 1, is_signed)
        return _Tried(answer, came.fields, key, created, came.took_seconds, server_time)

    def _believe(self, response: Response, content: bytes) -> Flow[int | None]:
        """Checks an answer, and gives the server's time if it is bound to this request."""
        try:
            signed = SignedResponse.read(response)
            if signed.key_id not in self._pinned:
                yield from self._follow_rotation()
            key = self._pinned.get(signed.key_id)
            if key is None:
                raise UnbelievableAnswer(f"the key {signed.key_id} is not pinned")
            return signed.verify(key, content)
        except SignatureError as error:
            raise UnbelievableAnswer(error) from error

    def _follow_rotation(self) -> Flow[None]:
        """Believes each newer key that the one before it vouches for, and no other, whatever the directory says."""
        try:
            listed = yield from directories.look_up(self.server)
        except TransportError as error:
            # The request whose answer is being judged was sent, whatever became of this one.
            raise TransportError(f"the directory of the server's keys: {error}", was_sent=True) from error
        with self._lock:
            self._pinned = directories.vouched(listed, self._pinned)


def _asked_nonce(fields: Fields) -> bytes:
    """The challenge of `Accept-Signature`; empty where there is none."""
    try:
        lines = bounded_lines("Accept-Signature", fields.lines("accept-signature"), SIGNATURE_INPUT_BYTES_MAX)
        for member in dictionary("accept-signature", lines).values():
            nonce = member.parameters.get("nonce") if isinstance(member, InnerList) else None
            if type(nonce) is str:
                return decode_nonce(nonce)
    except Broken:
        return b""
    return b""
