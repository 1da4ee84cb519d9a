"""Where the files are that a manifest names: in a bucket that is a directory here, at a path, or beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from trivium.drivers.annotations.files import File, Files
from trivium.drivers.places import shown
from trivium.resources.datasets import SourceFault, SourceRefused, bucket_and_key
from trivium.resources.stores import EVERYTHING, Sight

BUCKET: Final = b"obs://"


class Places:
    """What places are called, and where they are: by their spelling, and by what the buckets are."""

    def __init__(self, roots: Sequence[Path], bucket: Callable[[str], str | None]) -> None:
        """`bucket` gives the directory that a bucket is; it is asked once for each."""
        self._roots = tuple(os.fsencode(root).rstrip(b"/") + b"/" for root in roots)
        self._bucket = cache(bucket)

    def path(self, said: str, base: bytes) -> bytes | None:
        """The path of what is called so; `base` is the directory that relative ones begin from. None: nowhere here.

        Bytes that are no text are said as `os.fsdecode` has them.
        """
        found = bucket_and_key(said)
        if found is not None:
            return self._in_bucket(*found)
        if "://" in said or not said:
            return None
        raw = os.fsencode(said)
        if not raw.startswith(b"/"):
            return base + raw
        bucket, _, key = said[1:].partition("/")
        return raw if raw.startswith(self._roots) else self._in_bucket(bucket, key)

    def has(self, path: bytes, called: str) -> bool:
        """Whether what is below a directory is found by what is below what that is called."""
        return bool(path) and self.path(f"{called}/x", b"") == path + b"/x"

    def called(self, path: bytes) -> bytes:
        """What an absolute path is called wherever it is told: in its bucket; as it is where it is in none."""
        for root in self._roots:
            bucket, slash, key = path.removeprefix(root).partition(b"/")
            if slash and path.startswith(root) and self._in_bucket(os.fsdecode(bucket), os.fsdecode(key)) == path:
                return BUCKET + path.removeprefix(root)
        return path

    def _in_bucket(self, bucket: str, key: str) -> bytes | None:
        directory = self._bucket(bucket)
        return b"%s/%s" % (os.fsencode(directory), os.fsencode(key)) if directory is not None and key else None


class Locations:
    """Finds files by what a manifest calls them."""

    def __init__(
        self,
        files: Files,
        base: bytes,
        *,
        roots: Sequence[Path],
        bucket: Callable[[str], str | None],
        sight: Sight = EVERYTHING,
    ) -> None:
        """`base` is the directory of the manifest, absolute; `bucket` gives the directory that a bucket is."""
        self._sight = sight
        self._shown = b"-"  # the directory that was in sight last: files of one come together
        self._files = files
        self._base = base + b"/"
        self._places = Places(roots, bucket)

    def file(self, said: str, name: str) -> File:
        """The file, which the caller closes; `name` is what names it. Raises `SourceRefused`.

        Bytes of its name that are no text are told as `os.fsdecode` has them.
        """
        path = self._places.path(said, self._base)
        told = shown(os.fsencode(said))
        if path is None:
            raise SourceRefused(SourceFault.LOCATION, name, part=told)
        if b"/." in path or b"//" in path:  # so that no file has two paths
            path = os.path.normpath(path)
        self._check_shown(path, told)
        try:
            file = self._files.file(path)
        except SourceRefused as error:
            raise error.about(told) from error
        file.name = told
        return file

    def path_of(self, file: File) -> bytes:
        """The path of a file that was found, as samples have it: from the base where it is below that."""
        return file.path.removeprefix(self._base)

    def lasting(self, said: str, file: File) -> str:
        """What to call a file that was found, wherever a manifest lies: what begins from its directory is none."""
        called = self._places.called(file.path)
        is_relative = not said.startswith("/") and "://" not in said
        return os.fsdecode(called) if is_relative and is_text(called) else said

    def _check_shown(self, path: bytes, said: str) -> None:
        directory = path.rpartition(b"/")[0]
        if directory != self._shown:
            if not self._sight.shows(directory):
                raise SourceRefused(SourceFault.CLOSED, said)
            self._shown = directory


def is_text(path: bytes) -> bool:
    """Whether a manifest can have the path as it is."""
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True


def nowhere(_bucket: str) -> None:
    """No bucket is known."""
