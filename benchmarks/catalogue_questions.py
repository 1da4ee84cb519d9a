"""What the catalogue benchmark asks: pages with three conditions, alone and across a relation, and each operator.

Each question has a number, and is another one with another number, so that no answer was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from benchmarks.catalogue_rows import SHARES, WIDE, Catalogue, name_of, service_name
from benchmarks.zstack import target
from trivium.base.values import Value

PAGE: Final = 20
SORTED: Final = "+size"
PER_NAME: Final = 20

Question: TypeAlias = "Callable[[Catalogue, int], str]"
"""The target of a question, for a data set and a number."""


class Mix(Value, frozen=True, kw_only=True):
    """Three conditions of a hundredth each, and a condition across a relation whose match is the last of these."""

    name: str
    conditions: Callable[[Catalogue, int], tuple[str, ...]]
    service: Callable[[int], int]  # the number of the service that has it

    def alone(self, catalogue: Catalogue, number: int) -> str:
        """The first page of what satisfies the conditions, by size."""
        return target(self.conditions(catalogue, number), sort=SORTED, limit=PAGE)

    def across(self, catalogue: Catalogue, number: int) -> str:
        """The same of what is bound to the service, too."""
        return self._with(catalogue, number, f"modelService.name={service_name(self.service(number))}")

    def wide(self, catalogue: Catalogue, number: int) -> str:
        """The same of what is bound to a service of a framework that a tenth of the services have."""
        return self._with(catalogue, number, f"modelService.framework=Framework {number % WIDE}")

    def _with(self, catalogue: Catalogue, number: int, condition: str) -> str:
        return target((*self.conditions(catalogue, number), condition), sort=SORTED, limit=PAGE)


def _together(_catalogue: Catalogue, number: int) -> tuple[str, ...]:
    return (f"vendor=Vendor {number}", f"architectureType=Architecture{number}", f"pipelineTag=tag-{number}")


def _apart(catalogue: Catalogue, number: int) -> tuple[str, ...]:
    pick = catalogue.picks[number]
    semver = "versionSemver is null" if pick.version_semver is None else f"versionSemver={pick.version_semver}"
    return (f"vendor={pick.vendor}", semver, f"frameworkVersion={pick.framework_version}")


def _unindexed(_catalogue: Catalogue, number: int) -> tuple[str, ...]:
    return (f"description=Description {number}", f"introduction=Introduction {number}", f"parameters={number}B")


MIXES: Final = (
    Mix(name="on indexed fields, of the same models", conditions=_together, service=lambda number: number),
    Mix(name="independent, two on indexed fields", conditions=_apart, service=lambda number: SHARES + number),
    Mix(name="on fields without an index, of the same models", conditions=_unindexed, service=lambda number: number),
)


def _asking(*conditions: Callable[[Catalogue, int], str]) -> Question:
    def asked(catalogue: Catalogue, number: int) -> str:
        # What has no literal is told apart by where the page begins.
        return target([condition(catalogue, number) for condition in conditions], limit=PAGE, start=number)

    return asked


def _near(catalogue: Catalogue, number: int) -> int:
    """A size near the largest."""
    return catalogue.models - 30 - PAGE - number


def _named(number: int) -> str:
    return name_of(number * PER_NAME)


def _start(number: int) -> str:
    return _named(number).rpartition("-")[0]


INDEXED: Final[Mapping[str, Question]] = MappingProxyType(
    {
        "name =": lambda _, number: target([f"name={_named(number)}"], limit=PAGE),
        "name !=": _asking(lambda _, number: f"name!={_named(number)}"),
        "size >": lambda catalogue, number: target([f"size>{_near(catalogue, number)}"], limit=PAGE),
        "size >=": lambda catalogue, number: target([f"size>={_near(catalogue, number)}"], limit=PAGE),
        "size <": lambda _, number: target([f"size<{30 + number}"], limit=PAGE),
        "size <=": lambda _, number: target([f"size<={30 + number}"], limit=PAGE),
        "name ?=": lambda _, number: target([f"name?={_named(number)},{_named(number + 1)}"], limit=PAGE),
        "name !?=": _asking(lambda _, number: f"name!?={_named(number)},{_named(number + 1)}"),
        "name ~=": lambda _, number: target([f"name~={_start(number)}%"], limit=PAGE),
        "name !~=": _asking(lambda _, number: f"name!~={_start(number)}%"),
        "versionSemver is null": _asking(lambda *_: "versionSemver is null"),
        "versionSemver not null": _asking(lambda *_: "versionSemver not null"),
    }
)
"""Each operator on a field that is indexed."""

UNINDEXED: Final[Mapping[str, Question]] = MappingProxyType(
    {
        "description =": _asking(lambda _, number: f"description=description {number}"),
        "description =, absent": _asking(lambda _, number: f"description=absent {number}"),
        "description !=": _asking(lambda _, number: f"description!=description {number}"),
        "artifactSizeBytes >": _asking(lambda _, number: f"artifactSizeBytes>{number}"),
        "description ?=": _asking(lambda _, number: f"description?=description {number},description {number + 1}"),
        "description !?=": _asking(lambda _, number: f"description!?=description {number},description {number + 1}"),
        "description ~=": _asking(lambda _, number: f"description~=%n {number}"),
        "description !~=": _asking(lambda _, number: f"description!~=%n {number}"),
        "description is null": _asking(lambda *_: "description is null"),
        "description not null": _asking(lambda *_: "description not null"),
    }
)
"""Operators on a field that is not, where a hundredth, all, or no models satisfy the condition."""
