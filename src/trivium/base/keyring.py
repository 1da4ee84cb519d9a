"""The root key: what secrets that must be read again are sealed under, and what other keys are derived from."""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trivium.base.errors import Internal, Unavailable

SIZE: Final = 32  # bytes
NONCE: Final = 12  # bytes, as AES-GCM has it
VERSION: Final = "v1."


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
        self._cipher = AESGCM(self.derive("seal"))
        self._decoy = self.seal(secrets.token_urlsafe(30), "decoy")

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
        """The 32-byte key for one purpose, the same each time (HKDF with SHA-256)."""
        return HKDF(algorithm=SHA256(), length=SIZE, salt=None, info=f"trivium:{purpose}".encode()).derive(self._root)

    def seal(self, text: str, context: str) -> str:
        """The text encrypted (AES-256-GCM) so that it opens under this key and in this context only."""
        nonce = secrets.token_bytes(NONCE)
        sealed = self._cipher.encrypt(nonce, text.encode(), context.encode())
        return VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str, context: str) -> str:
        """The text again; `SealBroken` when the key, the context or the sealed text is another one."""
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(VERSION))
            return self._cipher.decrypt(raw[:NONCE], raw[NONCE:], context.encode()).decode()
        except (InvalidTag, ValueError) as error:
            message = "a sealed secret does not open: the key file is another one than it was sealed under"
            raise SealBroken(message) from error

    def decoy(self) -> str:
        """A random text, opened as `open` does: what a secret that nobody has costs, and how it looks."""
        return self.open(self._decoy, "decoy")


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
