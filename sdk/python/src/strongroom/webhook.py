"""Webhooks in (Standard Webhooks 1.0.0): signature, time, and that each is acted on once.

    receiver = WebhookReceiver(["whsec_...", "whpk_..."])
    with receiver.receive(headers, body) as webhook:
        act(webhook.json())

An error inside the block releases the id, so that the sender's next attempt is taken.
"""

from __future__ import annotations

import binascii
import contextlib
import hashlib
import hmac
import json
import re
import threading
import time
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from .errors import StrongroomError, WebhookError
from .signature import VerifyingKey

TOLERANCE_SECONDS = 300
SIGNATURES_MAX = 16
_SECRET_BYTES = range(24, 65)
# No full stop: it would let the boundary between id, time and content be moved under one signature.
_ID = re.compile(r"[!-\-/-~]{1,256}")
_TIME = re.compile(r"[0-9]{1,15}")
_SIGNATURE_CHARACTERS_MAX = 4_096

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
Begun = Literal["new", "busy", "done"]


@dataclass(frozen=True)
class Webhook:
    """One that may be acted on: its id, the second since 1970 of this attempt, and its content."""

    id: str
    timestamp: int
    content: bytes

    def json(self) -> Any:
        """The content, read as JSON."""
        return json.loads(self.content)


class SeenIds(Protocol):
    """Which ids were acted on. A store of several processes must answer `begin` for all of them at once."""

    def begin(self, webhook_id: str, now: float) -> Begun:
        """Claims an id: `new` for exactly one caller, `busy` while that one acts, `done` afterwards."""

    def finish(self, webhook_id: str) -> None:
        """It was acted on."""

    def abandon(self, webhook_id: str) -> None:
        """It was not: the next attempt is to be taken."""


class MemoryOfIds:
    """Ids in memory, at most `ids_max`, each for `seconds` (three days and a half: longer than senders usually retry).

    None is forgotten while a captured attempt could still pass for fresh: where there is no room, new ones are refused.
    """

    def __init__(self, ids_max: int = 100_000, seconds: float = 302_400, tolerance: float = TOLERANCE_SECONDS) -> None:
        self._ids: OrderedDict[str, tuple[float, bool]] = OrderedDict()
        self._lock = threading.Lock()
        self._ids_max, self._seconds, self._needed = ids_max, seconds, 2 * tolerance

    def begin(self, webhook_id: str, now: float) -> Begun:
        """See SeenIds. Raises WebhookError where there is no room."""
        with self._lock:
            self._forget(now - self._seconds)
            known = self._ids.get(webhook_id)
            if known is not None:
                return "done" if known[1] else "busy"
            if len(self._ids) >= self._ids_max:
                self._forget(now - self._needed, at_most=1)
            if len(self._ids) >= self._ids_max:
                text = f"{self._ids_max} ids are remembered and none may be forgotten yet; answer 503"
                raise WebhookError("webhook.memory_must_have_room", text)
            self._ids[webhook_id] = (now, False)
            return "new"

    def _forget(self, until: float, at_most: int | None = None) -> None:
        while self._ids and at_most != 0:
            oldest, (begun, _) = next(iter(self._ids.items()))
            if begun >= until:
                return
            del self._ids[oldest]
            at_most = None if at_most is None else at_most - 1

    def finish(self, webhook_id: str) -> None:
        """See SeenIds."""
        with self._lock:
            if webhook_id in self._ids:
                self._ids[webhook_id] = (self._ids[webhook_id][0], True)

    def abandon(self, webhook_id: str) -> None:
        """See SeenIds."""
        with self._lock:
            self._ids.pop(webhook_id, None)


class WebhookReceiver:
    """Judges webhooks by the secrets of one sender; several while the sender rotates its own."""

    def __init__(
        self, secrets: Iterable[str], *, tolerance_seconds: int = TOLERANCE_SECONDS, seen: SeenIds | None = None
    ) -> None:
        """Secrets are `whsec_` (HMAC) or `whpk_` (the public half of an Ed25519 key). Raises WebhookError."""
        self._macs: list[bytes] = []
        self._keys: list[VerifyingKey] = []
        for secret in secrets:
            self._take(secret)
        if not self._macs and not self._keys:
            raise WebhookError("webhook.secret_must_fit", "give at least one secret")
        self._tolerance = tolerance_seconds
        self._seen: SeenIds = seen if seen is not None else MemoryOfIds(tolerance=tolerance_seconds)

    def _take(self, secret: str) -> None:
        prefix, _, text = secret.partition("_")
        try:
            material = b64decode(text + "=" * (-len(text) % 4), validate=True)
            if prefix == "whsec" and len(material) in _SECRET_BYTES:
                self._macs.append(material)
                return
            if prefix == "whpk":
                self._keys.append(VerifyingKey.ed25519(material))
                return
        except (binascii.Error, StrongroomError):
            pass
        text = "a secret is whsec_ and base64 of 24 to 64 bytes, or whpk_ and base64 of an Ed25519 public key"
        raise WebhookError("webhook.secret_must_fit", text)

    def verify(self, headers: Headers, content: bytes, *, now: float | None = None) -> Webhook:
        """Judges signature and time, and not whether the id is new. Content is the body as it came.

        Raises WebhookError.
        """
        webhook_id = _one(headers, "webhook-id")
        stamp = _one(headers, "webhook-timestamp")
        signatures = _one(headers, "webhook-signature")
        if not _ID.fullmatch(webhook_id):
            raise WebhookError("webhook.must_be_well_formed", "webhook-id is 1 to 256 characters without a full stop")
        if not _TIME.fullmatch(stamp):
            raise WebhookError("webhook.must_be_well_formed", "webhook-timestamp is seconds since 1970")
        age = (time.time() if now is None else now) - int(stamp)
        if abs(age) > self._tolerance:
            text = f"it was signed {age:.0f} seconds ago, and at most {self._tolerance} are tolerated"
            raise WebhookError("webhook.must_be_fresh", text)
        if not self._is_signed(signatures, f"{webhook_id}.{stamp}.".encode() + content):
            raise WebhookError("webhook.signature_must_be_valid", "no signature fits this content and a known secret")
        return Webhook(webhook_id, int(stamp), content)

    def _is_signed(self, signatures: str, text: bytes) -> bool:
        given = signatures.split(" ")
        if len(signatures) > _SIGNATURE_CHARACTERS_MAX or len(given) > SIGNATURES_MAX:
            raise WebhookError("webhook.must_be_well_formed", f"at most {SIGNATURES_MAX} signatures are looked at")
        return any(self._is_one(each, text) for each in given)

    def _is_one(self, signature: str, text: bytes) -> bool:
        version, _, encoded = signature.partition(",")
        try:
            made = b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        if version == "v1":
            return any(hmac.compare_digest(hmac.digest(key, text, hashlib.sha256), made) for key in self._macs)
        return version == "v1a" and any(key.is_signed(text, made) for key in self._keys)

    @contextlib.contextmanager
    def receive(self, headers: Headers, content: bytes, *, now: float | None = None) -> Generator[Webhook]:
        """Judges a webhook, and lets one caller act on it. Raises WebhookError.

        `webhook.id_must_be_new` says that it was acted on before: answer 200, or the sender goes on. After
        `webhook.id_must_not_be_in_use` another caller is acting on it: answer 409, and the sender asks again.
        """
        webhook = self.verify(headers, content, now=now)
        begun = self._seen.begin(webhook.id, time.time() if now is None else now)
        if begun == "done":
            raise WebhookError("webhook.id_must_be_new", f"{webhook.id} was acted on before; answer 200")
        if begun == "busy":
            raise WebhookError("webhook.id_must_not_be_in_use", f"{webhook.id} is being acted on; answer 409")
        try:
            yield webhook
        except BaseException:
            self._seen.abandon(webhook.id)
            raise
        self._seen.finish(webhook.id)


def _one(headers: Headers, name: str) -> str:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    values = [value for own, value in pairs if own.lower() == name]
    if len(values) != 1:
        raise WebhookError("webhook.must_be_well_formed", f"one {name} field is wanted, and {len(values)} came")
    return values[0].strip(" \t")
