"""Putting samples into a dataset, many at a time: each is there once, however often it is put."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, bindparam, select, type_coerce, update

from trivium.base.clock import microseconds
from trivium.base.text import readable
from trivium.resources.datasets.ports import Annotator, Json, Sample, SampleLabel
from trivium.resources.samples import bookkeeping, properties
from trivium.resources.samples.bookkeeping import Named, names_of
from trivium.resources.samples.reading import kept
from trivium.resources.samples.table import samples
from trivium.resources.samples.types import Put, SampleState
from trivium.store import Prepared, Row, Write, add_rows

HARD: Final = "@modelarts:hard"
ORIGINAL: Final = frozenset({False, None, "0", "false"})
"""What is said of what is not hard."""

_ENCODER: Final = msgspec.json.Encoder()
_COLUMNS: Final = tuple(column.key for column in samples.c)
_CHANGED: Final = update(samples).where(samples.c.id == bindparam("of"))
AT_ONCE: Final = 128
"""Samples that one statement looks for."""

_PLACES: Final = [bindparam(f"uuid_{place}", type_=LargeBinary()) for place in range(AT_ONCE)]
_STATED: Final = Prepared(
    select(
        samples.c.id,
        type_coerce(samples.c.uuid, LargeBinary()).label("uuid"),
        samples.c.state,
        samples.c.sub,
        samples.c.size,
        samples.c.digest,
        samples.c.said,
        samples.c.brought,
    ).where(type_coerce(samples.c.uuid, LargeBinary()).in_(_PLACES)),
    *(place.key for place in _PLACES),
)


def put(tx: Write, dataset: int, found: Sequence[Sample], *, base: bytes) -> Put:
    """Put the samples that a source has into a dataset, which is locked; `base` is where their paths begin.

    What is there already, of the same size and contents, and of which the source says the same, stays as it is, with
    what people have said of it meanwhile. Of the same sample twice the last counts.
    """
    placed = {one.uuid: one for one in (_placed(dataset, sample, base) for sample in found)}
    there = _there(tx, placed)
    new = [one for uuid, one in placed.items() if uuid not in there]
    changed = [(one, there[uuid]) for uuid, one in placed.items() if uuid in there and _differs(one, there[uuid])]
    wanted = [*new, *(one for one, _ in changed)]
    ids = bookkeeping.label_ids(tx, dataset, {named for one in wanted for named in names_of(one.sample.labels)})
    if new:
        _add(tx, dataset, new, ids=ids)
    if changed:
        _change(tx, dataset, changed, ids=ids)
    states = Counter(one.state for one in placed.values())
    return Put(
        added=len(new),
        changed=len(changed),
        same=len(placed) - len(wanted),
        annotated=states[SampleState.ANNOTATED] + states[SampleState.AUTOMATIC],
        unconfirmed=states[SampleState.UNCONFIRMED],
        sub=sum(one.sample.sub_samples for one in placed.values()),
    )


def state_of(labels: Sequence[SampleLabel], *, confirmed: bool) -> SampleState:
    """How far a sample with these labels is labelled."""
    if not labels:
        return SampleState.BARE
    if not confirmed:
        return SampleState.UNCONFIRMED
    by_hand = any(label.annotated_by is Annotator.HUMAN for label in labels)
    return SampleState.ANNOTATED if by_hand else SampleState.AUTOMATIC


def told(labels: Sequence[SampleLabel], metadata: Mapping[str, Json], ids: Mapping[Named, int]) -> dict[str, Any]:
    """The columns that follow from what is said of a sample, by the ids of its labels."""
    scores = [label.score for label in labels if label.score is not None]
    said = [metadata.get(HARD), *(label.property.get(HARD) for label in labels)]
    return {
        "labels": kept(labels, ids),
        "metadata": _ENCODER.encode(metadata).decode(),
        "score": min(scores, default=None),
        "hard": any(one not in ORIGINAL for one in said),
    }


def uuid_of(dataset: int, path: bytes, *, line: int | None, text: str | None) -> bytes:
    """The UUID of the sample that is at a place: a file, a line of it, or a text that is nowhere else."""
    place = path or b"\0" + (text or "").encode()
    of = b"%d\0%d\0%s" % (dataset, line or 0, place)
    return blake2b(of, digest_size=16).digest()


def path_of(sample: Sample, base: bytes) -> bytes:
    """The absolute path of a sample of a source whose paths begin from there; empty of a text that is no file."""
    return sample.path if not sample.path or sample.path.startswith(b"/") else b"%s/%s" % (base, sample.path)


class _Placed(NamedTuple):
    """A sample of a source, and which one of the dataset it is."""

    sample: Sample
    uuid: bytes
    path: bytes  # absolute
    said: bytes  # of what the source says of it
    state: SampleState


def _placed(dataset: int, sample: Sample, base: bytes) -> _Placed:
    path = path_of(sample, base)
    source = (sample.kind, sample.labels, sample.is_confirmed, sample.usage, sample.metadata, sample.text, sample.cells)
    return _Placed(
        sample=sample,
        uuid=uuid_of(dataset, path, line=sample.line, text=sample.text),
        path=path,
        said=blake2b(_ENCODER.encode(source), digest_size=16).digest(),
        state=state_of(sample.labels, confirmed=sample.is_confirmed),
    )


def _told(one: _Placed, ids: Mapping[Named, int]) -> dict[str, Any]:
    """The columns that a source decides."""
    sample = one.sample
    return {
        "path": one.path,
        "name": readable(one.path.rpartition(b"/")[2]),
        "line": sample.line,
        "size": sample.size,
        "kind": sample.kind.value,
        "state": one.state.value,
        "usage": None if sample.usage is None else sample.usage.value,
        "sub": sample.sub_samples > 0,
        **told(sample.labels, sample.metadata, ids),
        "text": sample.text,
        "cells": None if sample.cells is None else _ENCODER.encode(sample.cells).decode(),
        "digest": sample.digest,
        "said": one.said,
        "brought": False,  # `take_in` knows better
    }


def _there(tx: Write, uuids: Collection[bytes]) -> dict[bytes, Row]:
    found: dict[bytes, Row] = {}
    wanted = sorted(uuids)
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        some += some[-1:] * (AT_ONCE - len(some))
        found |= {bytes(row.uuid): row for row in _STATED.rows(tx, *some)}
    return found


def _differs(one: _Placed, before: Row) -> bool:
    if one.sample.size != before.size or one.said != before.said:
        return True
    return one.sample.digest is not None and one.sample.digest != before.digest


def _is_brought(one: _Placed, before: Row) -> bool:
    """Whether the file is still the one that came over an API."""
    is_same = one.sample.digest is not None and (one.sample.size, one.sample.digest) == (before.size, before.digest)
    return is_same and bool(before.brought)


def _add(tx: Write, dataset: int, new: Sequence[_Placed], *, ids: Mapping[Named, int]) -> None:
    made = [(tx.ids.next(), one) for one in new]
    now = microseconds(tx.now)
    add_rows(tx, samples, [_stored(id, dataset, one, now=now, ids=ids) for id, one in made])
    bookkeeping.count(tx, dataset, came=Counter(map(_kind, new)), went={}, size=sum(one.sample.size for one in new))
    bookkeeping.note_labels(tx, came={id: _numbers(one, ids) for id, one in made})
    properties.note(tx, dataset, came=(one.sample.metadata for one in new))


def _stored(id: int, dataset: int, one: _Placed, *, now: int, ids: Mapping[Named, int]) -> list[Any]:
    """The row of a new sample, as the database stores it."""
    row = {"id": id, "uuid": one.uuid, "dataset_id": dataset, **_told(one, ids), "created_at": now, "changed_at": now}
    return [row[name] for name in _COLUMNS]


def _change(tx: Write, dataset: int, changed: Sequence[tuple[_Placed, Row]], *, ids: Mapping[Named, int]) -> None:
    said = [row.metadata for row in _metadata(tx, [before.id for _, before in changed])]
    after = [{**_told(one, ids), "brought": _is_brought(one, before)} for one, before in changed]
    tx.run(
        _CHANGED,
        [{**row, "of": before.id, "changed_at": tx.now} for row, (_, before) in zip(after, changed, strict=True)],
    )
    went = Counter((before.state, bool(before.sub)) for _, before in changed)
    grown = sum(one.sample.size - before.size for one, before in changed)
    bookkeeping.count(tx, dataset, came=Counter(_kind(one) for one, _ in changed), went=went, size=grown)
    had = bookkeeping.take_labels(tx, [before.id for _, before in changed])
    bookkeeping.note_labels(tx, came={before.id: _numbers(one, ids) for one, before in changed}, went=had)
    properties.note(tx, dataset, came=(one.sample.metadata for one, _ in changed), went=properties.read(said))


def _metadata(tx: Write, ids: Sequence[int]) -> Iterator[Any]:
    for some in bookkeeping.batches(ids):
        yield from tx.all(select(samples.c.metadata).where(samples.c.id.in_(some)))


def _kind(one: _Placed) -> bookkeeping.Kind:
    return one.state.value, one.sample.sub_samples > 0


def _numbers(one: _Placed, ids: Mapping[Named, int]) -> Mapping[int, int]:
    """How often the sample has which label, by their ids."""
    return {ids[named]: number for named, number in names_of(one.sample.labels).items()}
