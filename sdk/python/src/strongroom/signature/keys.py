"""Keys that sign and keys that verify. Their `repr` shows no secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ..errors import StrongroomError

ALGORITHMS = ("ed25519", "ecdsa-p256-sha256", "hmac-sha256", "rsa-pss-sha512", "ml-dsa-65")
"""The names that a signature may have; this package signs and verifies by the first three."""

HMAC_BYTES_MIN = 32
_P256_BYTES = 32


def _unfit(error: Exception) -> StrongroomError:
    return StrongroomError("key.material_must_fit_algorithm", f"the key cannot be used: {error}")


class SigningKey:
    """Signs by one algorithm."""

    def __init__(self, algorithm: str, sign: Callable[[bytes], bytes], public: bytes | None) -> None:
        self.algorithm = algorithm
        self._sign = sign
        self.public = public
        """The public half, raw (an uncompressed point for ecdsa-p256-sha256); None for hmac-sha256."""

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm})"

    def sign(self, text: bytes) -> bytes:
        """The signature, raw: 64 bytes, or 32 for hmac-sha256."""
        return self._sign(text)

    @classmethod
    def ed25519(cls, seed: bytes) -> SigningKey:
        """From the 32 bytes of a seed."""
        try:
            key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        except ValueError as error:
            raise _unfit(error) from None
        return cls("ed25519", key.sign, key.public_key().public_bytes_raw())

    @classmethod
    def ecdsa_p256(cls, scalar: bytes) -> SigningKey:
        """From the 32 bytes of a private scalar, big-endian."""
        try:
            key = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
        except ValueError as error:
            raise _unfit(error) from None
        point = serialization.PublicFormat.UncompressedPoint
        public = key.public_key().public_bytes(serialization.Encoding.X962, point)

        def sign(text: bytes) -> bytes:
            r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")

        return cls("ecdsa-p256-sha256", sign, public)

    @classmethod
    def hmac_sha256(cls, secret: bytes) -> SigningKey:
        """From a secret of at least 32 bytes."""
        if len(secret) < HMAC_BYTES_MIN:
            raise _unfit(ValueError(f"an HMAC secret has at least {HMAC_BYTES_MIN} bytes"))
        return cls("hmac-sha256", lambda text: hmac.digest(secret, text, hashlib.sha256), None)


class VerifyingKey:
    """Verifies by one algorithm."""

    def __init__(self, algorithm: str, verify: Callable[[bytes, bytes], bool]) -> None:
        self.algorithm = algorithm
        self._verify = verify

    def __repr__(self) -> str:
        return f"VerifyingKey({self.algorithm})"

    def is_signed(self, text: bytes, signature: bytes) -> bool:
        """Whether the signature is one of this text."""
        return self._verify(text, signature)

    @classmethod
    def ed25519(cls, public: bytes) -> VerifyingKey:
        """From the 32 bytes of the public half."""
        try:
            key = ed25519.Ed25519PublicKey.from_public_bytes(public)
        except ValueError as error:
            raise _unfit(error) from None

        def verify(text: bytes, signature: bytes) -> bool:
            try:
                key.verify(signature, text)
            except InvalidSignature:
                return False
            return True

        return cls("ed25519", verify)

    @classmethod
    def ecdsa_p256(cls, point: bytes) -> VerifyingKey:
        """From the public point, uncompressed."""
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError as error:
            raise _unfit(error) from None

        def verify(text: bytes, signature: bytes) -> bool:
            if len(signature) != 2 * _P256_BYTES:
                return False
            r, s = (int.from_bytes(half, "big") for half in (signature[:_P256_BYTES], signature[_P256_BYTES:]))
            try:
                key.verify(encode_dss_signature(r, s), text, ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                return False
            return True

        return cls("ecdsa-p256-sha256", verify)

    @classmethod
    def hmac_sha256(cls, secret: bytes) -> VerifyingKey:
        """From the secret of at least 32 bytes."""
        signing = SigningKey.hmac_sha256(secret)
        return cls("hmac-sha256", lambda text, mac: hmac.compare_digest(signing.sign(text), mac))
