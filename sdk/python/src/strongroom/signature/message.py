"""The messages that a signature covers, and the values of their components (RFC 9421 section 2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import UnreadableMessage

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NEVER_IN_A_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_DEFAULT_PORT = {"https": ":443", "http": ":80"}

Pairs = Sequence[tuple[str, str]]


class Fields:
    """Header fields in their order, as text of Latin-1; names are compared in lower case."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: list[tuple[str, str]] = []
        for name, value in pairs:
            self.append(name, value)

    def append(self, name: str, value: str) -> None:
        """Adds a line. Raises UnreadableMessage where no HTTP message can have it."""
        if not _TOKEN.fullmatch(name):
            raise UnreadableMessage(f"the field name {name!r}")
        if _NEVER_IN_A_VALUE.search(value) or any(ord(character) > 255 for character in value):
            raise UnreadableMessage(f"the value of {name}")
        self.pairs.append((name.lower(), value))

    def lines(self, name: str) -> list[str]:
        """Every line of a field; the name in lower case."""
        return [value for own, value in self.pairs if own == name]

    def remove(self, *names: str) -> None:
        """Removes every line of some fields; the names in lower case."""
        self.pairs = [pair for pair in self.pairs if pair[0] not in names]

    def __contains__(self, name: object) -> bool:
        return any(own == name for own, _ in self.pairs)


@dataclass(frozen=True)
class Target:
    """What of a request is not in its header fields.

    `authority` is host and port as in `Host`; `path` and `query` stand as sent; `query` is None where there is no
    question mark.
    """

    method: str
    scheme: str
    authority: str
    path: str
    query: str | None

    @classmethod
    def of_url(cls, method: str, url: str) -> Target:
        """Of an absolute URL whose percent-encoding is final."""
        parts = urlsplit(url)
        query = parts.query if "?" in url.split("#", 1)[0] else None
        return cls(method, parts.scheme, parts.netloc, parts.path, query)

    def normal_authority(self) -> str:
        """In lower case, without the scheme's own port (section 2.2.3)."""
        port = _DEFAULT_PORT.get(self.scheme.lower(), "\0")
        return self.authority.removesuffix(port).lower()

    def normal_path(self) -> str:
        """An empty path is `/` (section 2.2.6)."""
        return self.path or "/"

    def path_and_query(self) -> str:
        """As in the request target: no query, no question mark."""
        return self.normal_path() + ("" if self.query is None else f"?{self.query}")


@dataclass(frozen=True)
class Request:
    """A request: its target and its header fields."""

    target: Target
    fields: Fields


@dataclass(frozen=True)
class Response:
    """A response and the request that it answers."""

    status: int
    fields: Fields
    request: Request
