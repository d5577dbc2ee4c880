"""The file that holds a client's key: JSON, readable by its owner only; the same file that the command line writes."""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import stat
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .errors import KeyFileError
from .signature import SigningKey, VerifyingKey

_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class ServerKey:
    """A server's signing key that is believed; `public_key` and `vouched` are base64."""

    key: str
    algorithm: str
    public_key: str
    vouched: str | None = None

    def verifying_key(self) -> VerifyingKey:
        """The key that verifies answers."""
        return VerifyingKey.ed25519(_decoded(self.public_key))

    def to_json(self) -> dict[str, str]:
        """As it stands in the file."""
        values = {"key": self.key, "algorithm": self.algorithm, "public_key": self.public_key}
        return values if self.vouched is None else {**values, "vouched": self.vouched}

    @classmethod
    def of_json(cls, value: Any) -> ServerKey:
        """From the file or an enrolment's answer. Raises KeyError or TypeError."""
        return cls(value["key"], value["algorithm"], value["public_key"], value.get("vouched"))


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


@dataclass(frozen=True)
class KeyFile:
    """A client's key and whom it talks to.

    `key` is the `keyid` of signatures, `algorithm` is `ed25519` or `hmac-sha256`, `secret` the seed or the secret in
    base64; `expires` is for people.
    """

    server: str
    key: str
    algorithm: str
    secret: str = field(repr=False)
    server_keys: tuple[ServerKey, ...]
    expires: str | None = None

    def signing_key(self) -> SigningKey:
        """The key that signs. Raises StrongroomError where it is none."""
        secret = _decoded(self.secret)
        if self.algorithm == "ed25519":
            return SigningKey.ed25519(secret)
        if self.algorithm == "hmac-sha256":
            return SigningKey.hmac_sha256(secret)
        raise KeyFileError(self.key, f"keys of {self.algorithm} are not kept in files; use ed25519 or hmac-sha256")

    @classmethod
    def of_seed(cls, server: str, key: str, seed: bytes, server_keys: tuple[ServerKey, ...]) -> KeyFile:
        """Of an Ed25519 seed."""
        return cls(server, key, "ed25519", b64encode(seed).decode(), server_keys)

    @classmethod
    def read(cls, path: Path | str) -> KeyFile:
        """Reads a file. One that others may read is refused. Raises KeyFileError."""
        try:
            with open(path, encoding="utf-8") as file:
                if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    hint = f"it can be read by others; run `chmod 600 {path}`"
                    raise KeyFileError(path, hint, is_open=True)
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFileError(path, f"it cannot be read ({error.__class__.__name__})") from error
        try:
            return cls.parse(text)
        except (ValueError, KeyError, TypeError, AttributeError):
            # The text of a parse error may repeat what is in the file.
            raise KeyFileError(path, "it is no key file") from None

    @classmethod
    def parse(cls, text: str) -> KeyFile:
        """From the text of a file. Raises ValueError, KeyError or TypeError."""
        value = json.loads(text)
        server, key, algorithm, secret = (value[name] for name in ("server", "key", "algorithm", "secret"))
        if not all(isinstance(each, str) for each in (server, key, algorithm, secret)):
            raise TypeError("text is wanted")
        server_keys = tuple(ServerKey.of_json(each) for each in value["server_keys"])
        return cls(server, key, algorithm, secret, server_keys, value.get("expires"))

    def text(self) -> str:
        """The text of the file. It holds the secret."""
        value = {
            "server": self.server,
            "key": self.key,
            "algorithm": self.algorithm,
            "secret": self.secret,
            "server_keys": [key.to_json() for key in self.server_keys],
            "expires": self.expires,
        }
        return json.dumps(value, indent=2) + "\n"

    def write_new(self, path: Path | str) -> None:
        """Writes a new file that only its owner can read; an existing one stays as it is. Raises KeyFileError."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            _write(descriptor, self.text())
        except OSError as error:
            raise KeyFileError(path, f"it cannot be written ({error.strerror})") from error

    def replace(self, path: Path | str) -> None:
        """Puts this file in the place of another, whole or not at all, readable by its owner only.

        After a crash at any moment the path holds the old file or the new one. Raises KeyFileError.
        """
        folder = Path(path).resolve().parent
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=".strongroom-", dir=folder)
            try:
                _write(descriptor, self.text())
                os.replace(temporary, Path(path).resolve())
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
            _sync_folder(folder)
        except OSError as error:
            raise KeyFileError(path, f"it cannot be replaced ({error.strerror})") from error


def _write(descriptor: int, text: str) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut, where the system can promise it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class KeyStore(Protocol):
    """Where a client's key is kept."""

    def load(self) -> KeyFile:
        """The key as it is kept now."""

    def save(self, keys: KeyFile) -> None:
        """Keeps another in its place; durable when this returns."""


class FileStore:
    """A key in a file."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def load(self) -> KeyFile:
        """Reads the file. Raises KeyFileError."""
        return KeyFile.read(self.path)

    def save(self, keys: KeyFile) -> None:
        """Replaces the file, atomically. Raises KeyFileError."""
        keys.replace(self.path)


class CallbackStore:
    """A key that somebody else keeps: a secrets manager, say."""

    def __init__(self, load: Callable[[], KeyFile], save: Callable[[KeyFile], None]) -> None:
        self._load = load
        self._save = save

    def load(self) -> KeyFile:
        """Asks for the key."""
        return self._load()

    def save(self, keys: KeyFile) -> None:
        """Hands a key over."""
        self._save(keys)
