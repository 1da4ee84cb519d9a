"""Places of datasets: buckets are the directories in the roots that the operator allows.

This is the one rule, for what callers name and for what manifests do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Final

from trivium.base.caller import Caller
from trivium.resources.datasets.errors import BadPlace, NoSuchBucket

LONGEST: Final = 1024
NO_BUCKETS: Final = ("", ".", "..")
_BUCKET: Final = re.compile(r"(?:obs|s3)://(?P<bucket>[^/]+)/?(?P<key>.*)", re.IGNORECASE | re.DOTALL)
_HOST: Final = re.compile(r"https?://(?P<bucket>[^./]+)\.obs[^/]*/(?P<key>.*)", re.IGNORECASE | re.DOTALL)


class Buckets:
    """Finds the paths of places. `has` says whether a directory is there, in a root; of several the first has it."""

    def __init__(self, roots: Sequence[str], *, has: Callable[[str], bool]) -> None:
        self._roots = tuple(root.rstrip("/") for root in roots)
        self._has = has

    def path(self, caller: Caller, place: str, *, field: str) -> str:
        """The absolute path of a place: `obs://bucket/key`, `s3://bucket/key`, `/bucket/key`, the address of an object.

        Administrators may name paths inside the roots as well. Raises `BadPlace` and `NoSuchBucket`; whether anything
        is there is not looked at, save for buckets.
        """
        if not place.strip() or len(place) > LONGEST or not place.isprintable():
            raise BadPlace(field, f"must have 1 to {LONGEST} printable characters", place=place[:LONGEST])
        found = bucket_and_key(place)
        if found is not None:
            return self._in_bucket(*found, place, field=field)
        if not place.startswith("/"):
            raise BadPlace(field, "must be obs://bucket/path or /bucket/path", place=place)
        path = _plain(place, place, field=field)
        if caller.is_admin and any(path == root or path.startswith(f"{root}/") for root in self._roots):
            return path
        bucket, _, key = path[1:].partition("/")
        return self._in_bucket(bucket, key, place, field=field)

    def place(self, path: str) -> str | None:
        """What the place of an absolute path is called: `/bucket/key`. None for one that is in no root."""
        root = next((root for root in self._roots if path.startswith(f"{root}/")), None)
        return None if root is None else path.removeprefix(root)

    def directory(self, bucket: str) -> str | None:
        """The directory that a bucket is, in the first root that has one of that name; None where there is none."""
        if bucket in NO_BUCKETS or "/" in bucket:
            return None
        return next((path for root in self._roots if self._has(path := f"{root}/{bucket}")), None)

    def _in_bucket(self, bucket: str, key: str, place: str, *, field: str) -> str:
        directory = self.directory(bucket)
        if directory is None:
            raise NoSuchBucket(field, "is in no bucket that is here", place=place)
        return _plain(f"{directory}/{key}", place, field=field)


def bucket_and_key(place: str) -> tuple[str, str] | None:
    """The bucket and the key of an address: `obs://bucket/key`, `s3://bucket/key`, `https://bucket.obs.…/key`.

    None for anything else.
    """
    found = _BUCKET.fullmatch(place) or _HOST.fullmatch(place)
    return None if found is None else (found["bucket"], found["key"])


def _plain(path: str, place: str, *, field: str) -> str:
    """The path of a place without `.` and doubled slashes. `BadPlace` for one with `..`."""
    parts = PurePosixPath(path).parts
    if ".." in parts:
        raise BadPlace(field, "must be a path without ..", place=place)
    return "/" + "/".join(parts[1:])
