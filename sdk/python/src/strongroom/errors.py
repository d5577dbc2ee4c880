"""Why a request was not made, or its answer not believed. Every error has a stable code, which names the rule."""

from __future__ import annotations

from pathlib import Path


class StrongroomError(Exception):
    """What this package raises.

    `code` names the rule that was broken and never changes its meaning; the text is for people.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code

    def __str__(self) -> str:
        return f"{self.code}: {super().__str__()}"


class SignatureError(StrongroomError):
    """A message breaks a rule of the profile of HTTP signatures (its section 4 lists the codes)."""


class UnreadableMessage(StrongroomError):
    """A header field that no HTTP message can have: a name that is none, a line break in a value."""

    def __init__(self, what: str) -> None:
        super().__init__("client.message_must_be_readable", f"{what} fits into no HTTP message")


class KeyFileError(StrongroomError):
    """A key file that is missing, unreadable, open to others, or not one."""

    def __init__(self, path: Path | str, reason: str, *, is_open: bool = False) -> None:
        code = "client.key_file_must_be_private" if is_open else "client.key_file_must_be_readable"
        super().__init__(code, f"{path}: {reason}")


class TransportError(StrongroomError):
    """The server could not be reached, or went away.

    `was_sent` is False where the request certainly never arrived; otherwise nobody knows whether it was executed.
    """

    def __init__(self, text: str, *, was_sent: bool) -> None:
        hint = "whether the request was executed is not known" if was_sent else "the request was not sent"
        super().__init__("client.server_must_answer", f"{text}; {hint}")
        self.was_sent = was_sent


class UnbelievableAnswer(StrongroomError):
    """An answer that no pinned key signed, or that answers something else."""

    def __init__(self, reason: object) -> None:
        super().__init__("client.answer_must_be_signed", f"the answer cannot be believed: {reason}")


class Refused(StrongroomError):
    """The server refused; the code is its own."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.status = status


class WebhookError(StrongroomError):
    """A webhook that is not to be acted on."""


class ReceiptError(StrongroomError):
    """A receipt that proves nothing, or a key by which none can be verified (`spec/receipts.md`, section 3)."""
