"""How many samples and labels a dataset has, kept by whoever writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import bindparam, delete, func, insert, select, update

from trivium.base.errors import Invalid, Missing
from trivium.resources.datasets import datasets
from trivium.resources.datasets.ports import LONGEST_LABEL, LabelType, SampleLabel
from trivium.resources.samples.table import labelled, labels
from trivium.resources.samples.types import SampleState
from trivium.store import Write, add_rows

T = TypeVar("T")
COUNTS_AS_ANNOTATED: Final = frozenset({SampleState.ANNOTATED, SampleState.AUTOMATIC})
NAMELESS: Final = frozenset({LabelType.SPEECH_CONTENT, LabelType.SPEECH_PARAGRAPH})
"""What is said in a recording need not have a name."""

AT_ONCE: Final = 5000
"""Values that one statement takes."""

_ADDED: Final = (
    update(labels)
    .where(labels.c.id == bindparam("of"))
    .values(samples=labels.c.samples + bindparam("more"), number=labels.c.number + bindparam("times"))
)


Kind: TypeAlias = "tuple[int, bool]"
"""The state of a sample, and whether it is a part of another."""


class Named(NamedTuple):
    """What a label is told by, within a dataset."""

    type: LabelType
    name: str


def count(
    tx: Write,
    dataset: int,
    *,
    came: Mapping[Kind, int],
    went: Mapping[Kind, int],
    deleted: int = 0,
    size: int = 0,
) -> None:
    """Add samples to a dataset's numbers, and take others off: how many there are of each kind, and their bytes."""
    changes: Counter[str] = Counter()
    for sign, found in ((1, came), (-1, went)):
        for (state, is_part), number in found.items():
            changes["samples_total"] += sign * number
            changes["samples_annotated"] += sign * number * (state in COUNTS_AS_ANNOTATED)
            changes["samples_unconfirmed"] += sign * number * (state == SampleState.UNCONFIRMED)
            changes["samples_sub"] += sign * number * is_part
            changes["samples_sub_annotated"] += sign * number * (is_part and state in COUNTS_AS_ANNOTATED)
    changes["samples_deleted"] += deleted
    told: dict[str, Any] = {name: datasets.c[name] + number for name, number in changes.items() if number}
    if size:
        told["size"] = func.coalesce(datasets.c.size, 0) + size
    tx.run(update(datasets).where(datasets.c.id == dataset).values(samples_changed_at=tx.now, **told))


def take_labels(tx: Write, ids: Sequence[int]) -> Mapping[int, Mapping[int, int]]:
    """Take all labels from these samples; how often each had which, by their ids.

    `note_labels` takes them off the numbers.
    """
    found: dict[int, dict[int, int]] = {}
    for some in batches(ids):
        for row in tx.all(select(labelled).where(labelled.c.id.in_(some))):
            found.setdefault(row.id, {})[row.label_id] = row.number
        tx.run(delete(labelled).where(labelled.c.id.in_(some)))
    return found


def note_labels(
    tx: Write,
    *,
    came: Mapping[int, Mapping[int, int]],
    went: Mapping[int, Mapping[int, int]] | None = None,
) -> None:
    """Write down how often samples have which label, and count that; `went` is what was taken from samples.

    All by the ids of samples and of labels.
    """
    rows = [(label, sample, number) for sample, had in came.items() for label, number in had.items()]
    if rows:
        add_rows(tx, labelled, rows)
    more: Counter[int] = Counter()
    times: Counter[int] = Counter()
    for sign, found in ((1, came), (-1, went or {})):
        for had in found.values():
            for label, number in had.items():
                more[label] += sign
                times[label] += sign * number
    told = [{"of": id, "more": more[id], "times": times[id]} for id in sorted(more) if more[id] or times[id]]
    if told:
        tx.run(_ADDED, told)


def label_ids(tx: Write, dataset: int, wanted: Collection[Named]) -> Mapping[Named, int]:
    """The ids of labels of a dataset, which is locked; those that are not there are made. `Missing`, `Invalid`."""
    known: dict[Named, int] = {}
    for some in batches(sorted({named.name for named in wanted})):
        mine = (labels.c.dataset_id == dataset, labels.c.name.in_(some))
        for row in tx.all(select(labels.c.id, labels.c.type, labels.c.name).where(*mine)):
            known[Named(LabelType(row.type), row.name)] = row.id
    new = sorted({*wanted} - known.keys())
    if new:
        for named in new:
            check_name(named)
        ids = [tx.ids.next() for _ in new]
        made = [{"id": id, "type": named.type.value, "name": named.name} for id, named in zip(ids, new, strict=True)]
        same = {"dataset_id": dataset, "property": "{}", "attributes": "[]", "samples": 0, "number": 0}
        tx.run(insert(labels), [{**same, **one, "created_at": tx.now} for one in made])
        known |= dict(zip(new, ids, strict=True))
    return known


def check_name(named: Named, *, field: str = "name") -> None:
    """Raise what no label is called that an import could bring back: `Missing`, `Invalid`."""
    name = named.name
    if not name.strip():
        if name or named.type not in NAMELESS:
            raise Missing(field)
        return
    if len(name) > LONGEST_LABEL or not name.isprintable() or name != name.strip():
        message = f"must have at most {LONGEST_LABEL} characters, all printable, and no white space around them"
        raise Invalid(field, message, most=LONGEST_LABEL)


def names_of(said: Sequence[SampleLabel]) -> Mapping[Named, int]:
    """How often each label is among what is said of a sample."""
    if len(said) == 1:  # as most have
        return {Named(said[0].type, said[0].name): 1}
    return Counter(Named(label.type, label.name) for label in said)


def batches(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """The values, as many at a time as one statement takes."""
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))
