"""What exports and versions say otherwise than the dataset: what is hard, and what samples are to be used for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import structs

from trivium.resources.datasets.ports import Json, SampleLabel, SampleUsage
from trivium.resources.samples import KeptSample
from trivium.resources.transfers.ports import Form

HARD: Final = frozenset({"@modelarts:hard", "@modelarts:hard_coefficient", "@modelarts:hard_reasons"})
DIFFICULT: Final = "difficult"
"""What Pascal VOC calls hard."""


def changed(sample: KeptSample, form: Form) -> KeptSample:
    """The sample as it is exported."""
    if not form.keeps_hard:
        labels = tuple(_not_hard(label) for label in sample.labels)
        sample = structs.replace(sample, hard=False, labels=labels, metadata=_without(sample.metadata))
    if form.train is not None:
        sample = structs.replace(sample, usage=_usage(sample, form.train))
    elif not form.keeps_usage:
        sample = structs.replace(sample, usage=None)
    return sample


def _not_hard(label: SampleLabel) -> SampleLabel:
    return structs.replace(label, property=_without(label.property))


def _without(said: Mapping[str, Json]) -> dict[str, Json]:
    found = {name: value for name, value in said.items() if name not in HARD}
    if DIFFICULT in found:
        found[DIFFICULT] = "0"
    return found


def _usage(sample: KeptSample, train: float) -> SampleUsage:
    """The ids of samples are as good as dice, and an export that goes on throws the same."""
    share = int.from_bytes(sample.uuid.bytes[:4]) / (1 << 32)
    return SampleUsage.TRAIN if share < train else SampleUsage.EVAL
