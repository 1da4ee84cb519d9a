"""The root key: what secrets that must be read again are sealed under, and what other keys are derived from."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from binascii import a2b_base64
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trivium.base.errors import Internal, Unavailable

if TYPE_CHECKING:
    from trivium.base.sealing import Cipher

SIZE: Final = 32  # bytes
NONCE: Final = 12  # bytes, as AES-GCM has it
VERSION: Final = "v1."
PLAIN: Final = bytes.maketrans(b"-_", b"+/")
"""Of base64 for URLs. The standard library's own way takes longer than the decryption."""


class KeyFileUnusable(Unavailable):
    """The key file cannot be read or made, or holds no key."""

    code = "keyring.file_unusable"


class SealBroken(Internal):
    """A sealed text was made under another key or for another context, or was changed."""

    code = "keyring.seal_broken"


class Keyring:
    """A root key in use. What it derives and seals is the same wherever the same key file is."""

    def __init__(self, root: bytes) -> None:
        if len(root) != SIZE:
            message = f"a root key has {SIZE} bytes, not {len(root)}"
            raise ValueError(message)
        self._root = root

    @classmethod
    def at(cls, path: Path) -> Keyring:
        """The keyring of a key file, which is made with a new key where there is none.

        The file appears whole, readable by its owner only, and is never written again. Of several processes that make
        it at once, one wins and all use its key. Raises `KeyFileUnusable`.
        """
        try:
            if not path.exists():
                _create(path)
            text = path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            message = f"the key file {path} cannot be used: {error}"
            raise KeyFileUnusable(message, path=str(path)) from error
        try:
            return cls(bytes.fromhex(text))
        except ValueError as error:
            message = f"the key file {path} holds no key: {2 * SIZE} hex digits are expected"
            raise KeyFileUnusable(message, path=str(path)) from error

    def derive(self, purpose: str) -> bytes:
        """The 32-byte key for one purpose, the same each time (RFC 5869: HKDF with SHA-256, of one block)."""
        extracted = hmac.digest(bytes(SIZE), self._root, "sha256")
        return hmac.digest(extracted, f"trivium:{purpose}".encode() + b"\1", "sha256")

    def seal(self, text: str, context: str) -> str:
        """The text encrypted (AES-256-GCM) so that it opens under this key and in this context only."""
        nonce = secrets.token_bytes(NONCE)
        sealed = self._cipher.encrypt(nonce, text.encode(), context.encode())
        return VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str, context: str) -> str:
        """The text again; `SealBroken` when the key, the context or the sealed text is another one."""
        try:
            raw = a2b_base64(sealed.removeprefix(VERSION).encode().translate(PLAIN))
            return self._cipher.decrypt(raw[:NONCE], raw[NONCE:], context.encode()).decode()
        except ValueError as error:
            message = "a sealed secret does not open: the key file is another one than it was sealed under"
            raise SealBroken(message) from error

    def decoy(self) -> str:
        """A random text, opened as `open` does: what a secret that nobody has costs, and how it looks."""
        return self.open(self._decoy, "decoy")

    @cached_property
    def _cipher(self) -> Cipher:
        from trivium.base.sealing import Cipher  # noqa: PLC0415 - see there

        return Cipher(self.derive("seal"))

    @cached_property
    def _decoy(self) -> str:
        return self.seal(secrets.token_urlsafe(30), "decoy")


def _create(path: Path) -> None:
    """Make the file under another name and link it into place, which fails where one is already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SIZE) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
