"""The keys of a running client: the one that signs now, and the one that is to follow it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .errors import StrongroomError
from .signature import SigningKey


@dataclass(frozen=True)
class ClientKey:
    """A key under its name, the `keyid` of its signatures."""

    key_id: str
    key: SigningKey


class KeyRing:
    """Current and next key. Safe under threads and tasks.

    Each signature takes the current key once, whole, so name and secret always fit each other. A request whose key was
    swapped while it was on its way, and which was refused for that, is signed anew with the key that is current then.
    Both keys are of one lineage: idempotency keys belong to it, so what is asked again has one effect.
    """

    def __init__(self, current: ClientKey) -> None:
        self._lock = threading.Lock()
        self._keys: tuple[ClientKey, ClientKey | None] = (current, None)

    @property
    def current(self) -> ClientKey:
        """The key that signs."""
        return self._keys[0]

    @property
    def next(self) -> ClientKey | None:
        """The key that is to follow, if there is one."""
        return self._keys[1]

    def stage(self, key: ClientKey) -> None:
        """Holds a key that is to follow. The current one goes on signing."""
        with self._lock:
            self._keys = (self._keys[0], key)

    def promote(self) -> ClientKey:
        """Signs with the next key from now on; gives the one that signed before. Raises StrongroomError."""
        with self._lock:
            before, following = self._keys
            if following is None:
                raise StrongroomError("client.next_key_must_be_staged", "no key was staged to follow this one")
            self._keys = (following, None)
        return before

    def drop_next(self) -> None:
        """Forgets the key that was to follow."""
        with self._lock:
            self._keys = (self._keys[0], None)
