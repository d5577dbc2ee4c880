"""Covered components and the signature base (RFC 9421 sections 2 and 2.5)."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import http_sf

from .message import Fields, Request, Response
from .rules import BASE_BYTES_MAX, Broken, out_of_bounds
from .structured import InnerList, Parameters, member_text, strict_text

_FIELD_NAME = re.compile(r"[a-z0-9!#$%&'*+\-.^_`|~]+")
_DERIVED = frozenset(
    ("@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "@status")
)
Message = Request | Response


@dataclass(frozen=True)
class Component:
    """A component identifier.

    `form` is `plain`, `sf`, `bs`, `key` (with `key` the member's name), `query-param` (with `key` the parameter's
    name), or None where nothing is known by this identifier. `text` is the identifier, serialised; two components are
    the same whatever the order of their parameters.
    """

    name: str
    form: str | None
    key: str | None = None
    req: bool = False
    text: str = field(default="", compare=False)

    @classmethod
    def plain(cls, name: str) -> Component:
        """A component without parameters."""
        return cls(name, "plain", text=f'"{name}"')

    @classmethod
    def of_request(cls, name: str) -> Component:
        """A component of the request that a response answers."""
        return cls(name, "plain", req=True, text=f'"{name}";req')

    @classmethod
    def of_item(cls, name: str, parameters: Parameters) -> Component:
        """From an item of `Signature-Input`."""
        text = http_sf.ser((name, parameters))
        known = all(_is_known(key, value) for key, value in parameters.items())
        form, key = _form(name, parameters) if known else (None, None)
        return cls(name, form, key, parameters.get("req") is True, text)


def _is_known(key: str, value: Any) -> bool:
    if key in ("sf", "bs", "req"):
        return value is True
    # `tr` names a trailer, and trailers come after the decision has been made.
    return key in ("key", "name") and type(value) is str


def _form(name: str, parameters: Parameters) -> tuple[str | None, str | None]:
    sf, bs, key, query = (parameters.get(each) for each in ("sf", "bs", "key", "name"))
    if name.startswith("@"):
        if sf or bs or key is not None:
            return None, None
        if name == "@query-param":
            return ("query-param", query) if query is not None else (None, None)
        return ("plain", None) if query is None and name in _DERIVED else (None, None)
    if query is not None or not _FIELD_NAME.fullmatch(name):
        return None, None
    if key is not None:
        # A member is serialised strictly with or without `sf`, so the two identifiers are one.
        return (None, None) if bs else ("key", key)
    if sf and bs:
        return None, None
    return ("sf" if sf else "bs" if bs else "plain"), None


def components_of(member: InnerList) -> list[Component]:
    """The components of a member of `Signature-Input`. Raises TypeError where one is no string."""
    found = []
    for name, parameters in member.items:
        if type(name) is not str:
            raise TypeError
        found.append(Component.of_item(name, parameters))
    return found


def signature_base(message: Message, components: list[Component], parameters: str) -> bytes:
    """The text that is signed. Each component must be covered once, be present, and have a value in printable ASCII."""
    lines: list[str] = []
    size = 0
    for at, component in enumerate(components):
        if component in components[:at]:
            raise Broken("signature_must_cover_once", f"the component {component.text} must be covered only once")
        lines.append(f"{component.text}: {_value(message, component)}")
        size += len(lines[-1]) + 1
        if size > BASE_BYTES_MAX:
            raise out_of_bounds(f"a signature base has at most {BASE_BYTES_MAX} bytes")
    lines.append(f'"@signature-params": {parameters}')
    return "\n".join(lines).encode("latin-1")


def unknown(component: Component) -> Broken:
    """A component that this message cannot have."""
    text = f"the covered component {component.text} must be one that this message can have"
    return Broken("signature_must_cover_known_components", text)


def _value(message: Message, component: Component) -> str:
    absent = Broken(
        "signature_must_cover_what_is_present", f"the covered component {component.text} must be present, in ASCII"
    )
    if isinstance(message, Response):
        spoken: Message = message.request if component.req else message
    elif component.req:
        raise unknown(component)
    else:
        spoken = message
    if component.name.startswith("@"):
        value = _derived(spoken, component)
        if value is None:
            raise absent if component.form == "query-param" else unknown(component)
        empty = value == "" and component.form != "query-param"
        if empty or not all("!" <= character <= "~" for character in value):
            raise absent
        return value
    found = _field(spoken.fields, component)
    if found is None:
        raise absent
    return found


def _derived(message: Message, component: Component) -> str | None:
    if isinstance(message, Response):
        return str(message.status) if component.name == "@status" else None
    target = message.target
    match component.name:
        case "@method":
            return target.method
        case "@authority":
            return target.normal_authority()
        case "@scheme":
            return target.scheme.lower()
        case "@path":
            return target.normal_path()
        case "@query":
            return f"?{target.query or ''}"
        case "@request-target":
            return target.normal_authority() if target.method == "CONNECT" else target.path_and_query()
        case "@target-uri":
            return f"{target.scheme.lower()}://{target.normal_authority()}{target.path_and_query()}"
        case "@query-param":
            return _query_parameter(target.query or "", component.key or "")
        case _:
            return None


def _query_parameter(query: str, name: str) -> str | None:
    """Decoded as a form and encoded again (section 2.2.8); None where it is missing, comes twice, or is no UTF-8."""

    def decoded(text: str) -> bytes:
        return unquote_to_bytes(text.replace("+", " "))

    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    values = [decoded(value) for own, _, value in pairs if decoded(own) == decoded(name)]
    if len(values) != 1:
        return None
    try:
        values[0].decode()
    except UnicodeDecodeError:
        return None
    return quote_from_bytes(values[0], safe="*-._").replace("~", "%7E")


def _field(fields: Fields, component: Component) -> str | None:
    lines = [line.strip(" \t") for line in fields.lines(component.name)]
    if not lines:
        return None
    if component.form == "bs":
        return ", ".join(f":{b64encode(line.encode('latin-1')).decode()}:" for line in lines)
    joined = ", ".join(lines)
    if not all(character == "\t" or " " <= character <= "~" for character in joined):
        return None
    if component.form == "key":
        return member_text(joined, component.key or "")
    return strict_text(component.name, joined) if component.form == "sf" else joined
