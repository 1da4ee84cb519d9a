"""What every benchmark prints: what was measured against what, the machine, versions, a table, and its targets."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final

from trivium.base.values import Value

INDENT: Final = "      "


class Bound(StrEnum):
    """On which side of its target a figure should be."""

    LEAST = "≥"
    MOST = "≤"


class Target(Value, frozen=True, kw_only=True):
    """A figure, and what is wanted of it."""

    name: str
    measured: float
    bound: Bound
    wanted: float
    aim: float | None = None  # better than wanted; missing it is no failure
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the figure is what is wanted, as far as the printed digits tell."""
        measured = float(_digits(self.measured))
        return measured >= self.wanted if self.bound is Bound.LEAST else measured <= self.wanted


def print_head(title: str, lines: Sequence[str], *, packages: Sequence[str] = (), database: str | None = None) -> None:
    """The head: a title, how it is measured and against what, the machine, and the versions of all that takes part."""
    print(title)
    for line in lines:
        print(INDENT + line)
    print(INDENT + _machine())
    versions = [f"trivium {version('trivium')}", f"Python {platform.python_version()}"]
    versions += [] if database is None else [database]
    print(INDENT + ", ".join([*versions, *(f"{name} {version(name)}" for name in packages)]))


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; its first column is aligned on the left, the others on the right."""
    widths = [max(len(row[place]) for row in (titles, *rows)) for place in range(len(titles))]
    for row in (titles, *rows):
        first, *others = (
            f"{cell:<{width}}" if place == 0 else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print(INDENT + "  ".join([first, *others]))


def print_targets(targets: Sequence[Target]) -> None:
    """Each figure that has a target, beside it."""
    print_table(
        ("target", "measured", "wanted", "aim", ""),
        [
            (
                target.name,
                _digits(target.measured) + target.unit,
                f"{target.bound} {target.wanted:g}{target.unit}",
                "" if target.aim is None else f"{target.bound} {target.aim:g}{target.unit}",
                "met" if target.is_met else "MISSED",
            )
            for target in targets
        ],
    )
    print()


def span(values: Sequence[float], digits: int = 0) -> str:
    """The least and the most of several rounds."""
    return f"{min(values):.{digits}f}–{max(values):.{digits}f}"


def sqlite() -> str:
    """The version of the SQLite library."""
    return f"SQLite {sqlite3.sqlite_version}"


def _digits(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _machine() -> str:
    """The processor, how many of its cores this process may use, memory, and the kernel."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB; Linux {platform.release()}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Processor"}:
            return value.strip()
    return platform.machine()
