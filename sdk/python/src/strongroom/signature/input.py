"""The signatures of a message, read within bounds (RFC 9421 section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from .component import Component, components_of
from .keys import ALGORITHMS
from .message import Fields
from .rules import (
    COMPONENTS_MAX,
    KEY_ID_CHARACTERS_MAX,
    LABELS_MAX,
    PARAMETERS_MAX,
    SIGNATURE_BYTES_MAX,
    SIGNATURE_INPUT_BYTES_MAX,
    Broken,
    malformed,
    must_cover,
    out_of_bounds,
)
from .structured import InnerList, Member, Parameters, bounded_lines, byte_sequences, dictionary

_TYPES = {"created": int, "expires": int, "keyid": str, "alg": str, "nonce": str, "tag": str}


@dataclass(frozen=True)
class Input:
    """A member of `Signature-Input`: its components in order, its parameters, and both serialised in `text`."""

    label: str
    components: list[Component]
    parameters: Parameters
    text: str

    def integer(self, name: str) -> int:
        """A parameter that is an integer, and required."""
        value = self.parameters.get(name)
        if not isinstance(value, int):
            raise _must_have(name)
        return value

    def string(self, name: str) -> str:
        """A parameter that is a string, and required."""
        value = self.parameters.get(name)
        if not isinstance(value, str):
            raise _must_have(name)
        return value

    def key_id(self) -> str:
        """The key's name, of 1 to 256 characters."""
        name = self.string("keyid")
        if not 0 < len(name) <= KEY_ID_CHARACTERS_MAX:
            raise malformed("keyid")
        return name

    def algorithm(self) -> str:
        """The algorithm, one that the profile knows."""
        name = self.string("alg")
        if name not in ALGORITHMS:
            raise algorithm_must_be_the_keys(name)
        return name

    def covers_field(self, name: str) -> bool:
        """Whether a field is covered plainly: not one member of it, not in another form."""
        return Component.plain(name) in self.components

    def must_cover_target(self, req: bool) -> None:
        """Method, and authority, path and query, or the target URI; of the answered request in a response."""

        def made(name: str) -> Component:
            return Component.of_request(name) if req else Component.plain(name)

        whole = made("@target-uri") in self.components
        for name in ("@method",) if whole else ("@method", "@authority", "@path", "@query"):
            if made(name) not in self.components:
                raise must_cover(made(name).text)

    def must_cover_present(self, fields: Fields, names: tuple[str, ...]) -> None:
        """Each of some fields, where the message has it."""
        for name in names:
            if name in fields and not self.covers_field(name):
                raise must_cover(f'"{name}"')


def algorithm_must_be_the_keys(named: str) -> Broken:
    """A signature that names another algorithm than its key has."""
    return Broken("algorithm_must_be_the_keys", f"the algorithm must be the key's; the signature names {named!r}")


def _must_have(name: str) -> Broken:
    return Broken("signature_must_have_parameter", f"the signature must have the parameter {name!r}")


def read_inputs(fields: Fields) -> list[Input]:
    """The members of `Signature-Input`, in their order."""
    lines = bounded_lines("Signature-Input", fields.lines("signature-input"), SIGNATURE_INPUT_BYTES_MAX)
    inputs = [_input(label, member) for label, member in dictionary("signature-input", lines).items()]
    if len(inputs) > LABELS_MAX:
        raise out_of_bounds(f"a message has at most {LABELS_MAX} labels")
    return inputs


def _input(label: str, member: Member) -> Input:
    if not isinstance(member, InnerList):
        raise malformed("signature-input")
    if len(member.items) > COMPONENTS_MAX:
        raise out_of_bounds(f"a signature covers at most {COMPONENTS_MAX} components")
    if len(member.parameters) > PARAMETERS_MAX:
        raise out_of_bounds(f"a signature has at most {PARAMETERS_MAX} parameters")
    try:
        components = components_of(member)
    except TypeError as error:
        raise malformed("signature-input") from error
    for name, wanted in _TYPES.items():
        # A Boolean is an int in Python, and a token is no string.
        if name in member.parameters and type(member.parameters[name]) is not wanted:
            raise malformed(name)
    return Input(label, components, member.parameters, member.text())


def signature_bytes(fields: Fields, label: str) -> bytes | None:
    """The bytes that `Signature` has under a label."""
    lines = bounded_lines("Signature", fields.lines("signature"), SIGNATURE_BYTES_MAX)
    members = byte_sequences("signature", lines)
    if any(member is None for member in members.values()):
        raise malformed("signature")
    if len(members) > LABELS_MAX:
        raise out_of_bounds(f"a message has at most {LABELS_MAX} labels")
    return members.get(label)


def tagged(fields: Fields, tag: str) -> tuple[Input, bytes]:
    """The one signature that counts: its input and its bytes."""
    inputs = [each for each in read_inputs(fields) if each.parameters.get("tag") == tag]
    unsigned = Broken("must_be_signed", f"the message must be signed under the tag {tag!r}")
    if not inputs:
        raise unsigned
    if len(inputs) > 1:
        raise Broken("must_have_one_signature", f"exactly one signature must have the tag {tag!r}")
    found = signature_bytes(fields, inputs[0].label)
    if found is None:
        raise unsigned
    return inputs[0], found
