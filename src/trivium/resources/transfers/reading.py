"""Samples of a version, from its manifest: what the dataset has now may be something else."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from trivium.base.query import Listed, Offset
from trivium.resources import samples
from trivium.resources.samples import KeptSample, Sought
from trivium.resources.transfers.errors import VersionUnreadable
from trivium.resources.transfers.ports import Kept, Sinks
from trivium.resources.transfers.types import Version
from trivium.store import TooSlow

AT_ONCE: Final = 256
"""Lines between two looks at the clock."""

Needles: TypeAlias = tuple[bytes, ...]
"""Bytes of which a line has some if its sample is sought."""


def samples_of_version(
    sinks: Sinks,
    version: Version,
    page: Offset,
    *,
    sought: Sequence[Sought] = (),
    descending: bool = False,
    within: timedelta,
) -> Listed[KeptSample]:
    """The samples of a version that are each of what is sought, in the order in which they came, or the other way.

    It blocks, so it is for a thread. Where nothing is sought it costs what a page costs. Raises `VersionUnreadable`,
    and `TooSlow` where it would take longer than that.
    """
    if version.digest is None:
        raise VersionUnreadable("absent", version.manifest)
    with closing(sinks.kept(Path(version.manifest), digest=version.digest)) as kept:
        if not sought:
            return _page(kept, version, page, descending=descending)
        lines = kept.lines(kept.number - 1 if descending else 0, descending=descending)
        rows: list[KeptSample] = []
        total = 0
        for line in _likely(_timed(lines, within), [needles for one in sought for needles in _needles(one)]):
            sample = kept.sample(line, dataset=version.dataset)
            if all(samples.fits(one, sample) for one in sought):
                if page.offset <= total < page.offset + page.limit:
                    rows.append(sample)
                total += 1
    return Listed(rows=tuple(rows), total=total, next=None)


def _page(kept: Kept, version: Version, page: Offset, *, descending: bool) -> Listed[KeptSample]:
    first = kept.number - 1 - page.offset if descending else page.offset
    lines = kept.lines(first, descending=descending)
    rows = [kept.sample(line, dataset=version.dataset) for line, _ in zip(lines, range(page.limit), strict=False)]
    return Listed(rows=tuple(rows), total=kept.number, next=None)


def _timed(lines: Iterable[tuple[int, bytes]], within: timedelta) -> Iterator[tuple[int, bytes]]:
    """The lines, as long as there is time."""
    deadline = time.monotonic() + within.total_seconds()
    for place, line in enumerate(lines):
        if place % AT_ONCE == 0 and time.monotonic() > deadline:
            raise TooSlow
        yield line


def _likely(lines: Iterable[tuple[int, bytes]], wanted: Sequence[Needles]) -> Iterator[tuple[int, bytes]]:
    """Those lines of which it is not sure already that their samples are not sought: these need not be decoded."""
    return (line for line in lines if all(any(one in line[1] for one in needles) for needles in wanted))


def _needles(one: Sought) -> list[Needles]:
    """What lines have that were written of samples which are sought: names of labels."""
    if one.labels is None:
        return []
    names = [msgspec.json.encode(label.name) for label in one.labels.labels]
    return [(name,) for name in names] if one.labels.every else [tuple(names)]
