"""What a flow says and is told: requests and pauses out, responses in. There is no socket in a flow."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import httpx

from .errors import TransportError
from .signature import Fields

T = TypeVar("T")


@dataclass(frozen=True)
class Wire:
    """What is to be sent."""

    method: str
    url: httpx.URL
    headers: list[tuple[str, str]]
    content: bytes


@dataclass(frozen=True)
class Came:
    """What came back, and how long that took."""

    status: int
    fields: Fields
    content: bytes
    took_seconds: float


@dataclass(frozen=True)
class Pause:
    """A wait before the next try."""

    seconds: float


Flow = Generator[Wire | Pause, Came | None, T]
"""Yields what to send or how long to wait; is sent what came back, or thrown a TransportError."""


def call(came: Came | None) -> Came:
    """What came back of a call, which a driver must give."""
    if came is None:
        raise TransportError("nothing came back", was_sent=True)
    return came
