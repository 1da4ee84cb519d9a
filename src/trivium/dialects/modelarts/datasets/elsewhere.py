"""Samples of a version that are not the dataset's any more: its manifest has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from trivium.base.errors import Missing
from trivium.base.query import Listed, Offset
from trivium.base.values import Value
from trivium.dialects.modelarts.datasets.finding import version_named
from trivium.dialects.modelarts.errors import VersionOutdated
from trivium.dialects.modelarts.spelling import Text
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


def outdated_version(tx: Read, dataset: Dataset, named: Text) -> Version | None:
    """The version that is named, where the dataset's samples are others by now.

    Raises `NoSuchVersion`, and `VersionOutdated` where its manifest was written by an older program, or never.
    """
    version = version_named(tx, dataset, named)
    changed = dataset.samples_changed_at
    if version is None or changed is None or changed <= version.created_at:
        return None
    if version.digest is None:
        message = f"samples have changed since the version {version.name}, whose manifest has those that it has"
        raise VersionOutdated("version_id", message)
    return version


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
