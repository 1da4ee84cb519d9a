"""Samples of a version that are not the dataset's any more: its manifest has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from trivium.base.errors import Missing
from trivium.base.query import Listed, Offset
from trivium.base.values import Value
from trivium.dialects.modelarts.datasets.versions import form_of
from trivium.dialects.modelarts.errors import VersionOutdated
from trivium.dialects.operation import Read
from trivium.resources import transfers
from trivium.resources.datasets import Dataset
from trivium.resources.samples import KeptSample, NoSuchLabel, Sought, SoughtLabel
from trivium.resources.transfers import Sinks, Version, VersionUnreadable


class Elsewhere(Value, frozen=True):
    """A page of the samples that a manifest has."""

    version: Version
    page: Offset
    descending: bool
    sought: tuple[Sought, ...]

    def read(self, sinks: Callable[[], Sinks] | None, *, within: timedelta) -> Listed[KeptSample]:
        """It blocks, so it is for a thread. `VersionUnreadable`, `TooSlow`."""
        if sinks is None:
            raise VersionUnreadable("absent", self.version.manifest)
        return transfers.samples_of_version(
            sinks(), self.version, self.page, sought=self.sought, descending=self.descending, within=within
        )


def is_elsewhere(dataset: Dataset, version: Version, sought: Sequence[Sought]) -> bool:
    """Whether the samples of a version are to be had from its manifest: they are others by now, or said otherwise.

    Raises `VersionOutdated` where its manifest was written by an older program, or never.
    """
    changed = dataset.samples_changed_at
    is_outdated = changed is not None and changed > version.created_at
    if is_outdated and version.digest is None:
        message = f"samples have changed since the version {version.name}, whose manifest has those that it has"
        raise VersionOutdated("version_id", message)
    is_by_hard = any(one.hard is not None for one in sought) and not form_of(version).keeps_hard
    return is_outdated or (is_by_hard and version.digest is not None)


def label_of(tx: Read, version: Version, name: str, *, type: int | None) -> SoughtLabel:
    """The label of that name; its type need not be told where no other has the name. `NoSuchLabel`, `Missing`."""
    found = [
        one
        for one in transfers.labels_of_version(tx, version)
        if one.name == name and (type is None or one.type.value == type)
    ]
    if not found:
        raise NoSuchLabel(name=name)
    if len(found) > 1:
        raise Missing("label_type")
    return SoughtLabel(name=name, type=found[0].type)
