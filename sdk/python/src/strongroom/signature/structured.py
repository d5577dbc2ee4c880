"""Structured fields (RFC 9651) by `http_sf`, read so that nothing may be said twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import http_sf

from .rules import Broken, malformed, out_of_bounds

Parameters = dict[str, Any]
"""Parameters in their order; the values are those of `http_sf`."""


class InnerList:
    """An inner list: items with their parameters, and parameters of its own."""

    def __init__(self, items: list[tuple[Any, Parameters]], parameters: Parameters) -> None:
        self.items = items
        self.parameters = parameters

    def text(self) -> str:
        """Serialised strictly."""
        items: list[Any] = list(self.items)
        return http_sf.ser([(items, self.parameters)])


Member = InnerList | tuple[Any, Parameters]


def text_lines(field: str, lines: Iterable[str]) -> list[bytes]:
    """Lines that are printable ASCII, as bytes."""
    read = []
    for line in lines:
        if not all(character == "\t" or " " <= character <= "~" for character in line):
            raise malformed(field)
        read.append(line.encode("ascii"))
    return read


def dictionary(field: str, lines: Iterable[str]) -> dict[str, Member]:
    """A dictionary over its lines, each of which must be whole. Raises Broken where a name stands twice."""
    repeated: list[str] = []
    members: dict[str, Member] = {}
    for line in text_lines(field, lines):
        try:
            read = http_sf.parse(line, tltype="dictionary", on_duplicate_key=lambda key, _: repeated.append(key))
        except (ValueError, OverflowError) as error:
            raise malformed(field) from error
        for name, member in read.items() if isinstance(read, dict) else ():
            if name in members:
                repeated.append(name)
            members[name] = _member(member)
    if repeated:
        raise malformed(field)
    return members


def _member(member: Any) -> Member:
    value, parameters = member
    return InnerList(value, parameters) if isinstance(value, list) else (value, parameters)


def byte_sequences(field: str, lines: Iterable[str]) -> dict[str, bytes | None]:
    """A dictionary of byte sequences; None for members that are something else."""
    members = dictionary(field, lines)
    found: dict[str, bytes | None] = {}
    for name, member in members.items():
        value = None if isinstance(member, InnerList) else member[0]
        found[name] = value if isinstance(value, bytes) else None
    return found


def member_text(joined: str, key: str) -> str | None:
    """One member of a dictionary, serialised strictly (RFC 9421 section 2.1.2); None where there is none."""
    try:
        read = http_sf.parse(joined.encode("ascii"), tltype="dictionary")
    except (ValueError, OverflowError):
        return None
    if not isinstance(read, dict) or key not in read:
        return None
    return http_sf.ser([read[key]])


_KINDS = {
    **dict.fromkeys(
        (
            "accept-signature",
            "cdn-cache-control",
            "content-digest",
            "priority",
            "repr-digest",
            "signature",
            "signature-input",
            "want-content-digest",
            "want-repr-digest",
        ),
        "dictionary",
    ),
    **dict.fromkeys(("accept-ch", "cache-status", "client-cert-chain", "proxy-status"), "list"),
    **dict.fromkeys(("client-cert", "deprecation", "idempotency-key"), "item"),
}


def strict_text(name: str, joined: str) -> str | None:
    """A field serialised strictly (RFC 9421 section 2.1.1); None where it is not known to be a structured one."""
    kind = _KINDS.get(name)
    if kind is None:
        return None
    try:
        return http_sf.ser(http_sf.parse(joined.encode("ascii"), tltype=kind))
    except (ValueError, OverflowError):
        return None


def bounded_lines(field: str, lines: list[str], bytes_max: int) -> list[str]:
    """The lines, where all of them together are within the bound."""
    if sum(map(len, lines)) > bytes_max:
        raise out_of_bounds(f"{field} has at most {bytes_max} bytes")
    return lines


def string(text: str) -> str:
    """A structured string (RFC 9651 section 4.1.6)."""
    if not all(" " <= character <= "~" for character in text):
        raise Broken("must_be_signable", "parameters must be printable ASCII")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
