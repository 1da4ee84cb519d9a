"""Where the files are that a manifest names: in a bucket that is a directory here, at a path, or beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from trivium.drivers.annotations.files import File, Files
from trivium.drivers.artifacts.places import shown
from trivium.resources.datasets import SourceFault, SourceRefused, bucket_and_key
from trivium.resources.stores import EVERYTHING, Sight


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
        self._roots = tuple(os.fsencode(root) + b"/" for root in roots)
        self._bucket = bucket

    def file(self, said: str, name: str) -> File:
        """The file, which the caller closes; `name` is what names it. Raises `SourceRefused`.

        Bytes of its name that are no text are told as `os.fsdecode` has them.
        """
        path = self._absolute(said, name)
        told = shown(os.fsencode(said))
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

    def _check_shown(self, path: bytes, said: str) -> None:
        directory = path.rpartition(b"/")[0]
        if directory != self._shown:
            if not self._sight.shows(directory):
                raise SourceRefused(SourceFault.CLOSED, said)
            self._shown = directory

    def _absolute(self, said: str, name: str) -> bytes:
        found = bucket_and_key(said)
        if found is not None:
            return self._in_bucket(found, said, name)
        if "://" in said or not said:
            raise SourceRefused(SourceFault.LOCATION, name, part=shown(os.fsencode(said)))
        raw = os.fsencode(said)
        if not raw.startswith(b"/"):
            return self._base + raw
        bucket, _, key = said[1:].partition("/")
        return raw if raw.startswith(self._roots) else self._in_bucket((bucket, key), said, name)

    def _in_bucket(self, found: tuple[str, str], said: str, name: str) -> bytes:
        bucket, key = found
        directory = self._bucket(bucket)
        if directory is None or not key:
            raise SourceRefused(SourceFault.LOCATION, name, part=shown(os.fsencode(said)))
        return b"%s/%s" % (os.fsencode(directory), os.fsencode(key))
