"""The cipher behind sealed secrets, in a module of its own: a server that opens none need not load it, some 7 MiB."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Cipher:
    """AES-256-GCM under one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, nonce: bytes, plain: bytes, context: bytes) -> bytes:
        """What is sealed, with its tag."""
        return self._cipher.encrypt(nonce, plain, context)

    def decrypt(self, nonce: bytes, sealed: bytes, context: bytes) -> bytes:
        """The plain bytes again. `ValueError` when the key, the nonce, the context or what is sealed is another one."""
        try:
            return self._cipher.decrypt(nonce, sealed, context)
        except InvalidTag as error:
            raise ValueError("the tag does not fit") from error
