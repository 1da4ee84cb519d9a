"""How fast the files of a model are read, beside what only reads the same files.

The baseline is the slower of `cat FILE... >/dev/null` and `sha256sum FILE...`: an import reads all bytes, and takes
their checksums. The files are written, not sparse, and cached by the first round, so that what is compared is work and
not the disk's mood. Trivium reads as its server does: in a thread of its own that gives way to others, here to nobody.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.plan import Plan
from benchmarks.processes import scratch
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, span
from benchmarks.rounds import interleaved, median
from trivium.base.units import MIB
from trivium.base.values import Value
from trivium.drivers.artifacts import ArtifactReader

FILES: Final = 8
PART: Final = 128 * MIB
CAT: Final = "cat"
SUMS: Final = "sha256sum"
OURS: Final = "trivium"


class _Read(Value, frozen=True, kw_only=True):
    """One time through all files."""

    rate: float  # MiB per second
    cpu: float  # milliseconds of processor for each hundred MiB


def run(plan: Plan) -> None:
    """Measure and print."""
    with scratch() as folder:
        model = folder / "model"
        files = _write(model)
        ways = {
            CAT: partial(_command, ["cat", *files]),
            SUMS: partial(_command, ["sha256sum", *files]),
            OURS: partial(_import, ArtifactReader([folder]), model),
        }
        _print(interleaved(ways, plan.rounds), plan)


def _write(model: Path) -> list[str]:
    """Files that no format is known of, so that all that is read are their bytes."""
    model.mkdir()
    files = [model / f"{number}.data" for number in range(FILES)]
    block = os.urandom(MIB)
    for file in files:
        with file.open("wb") as out:
            for _ in range(PART // MIB):
                out.write(block)
    return [str(file) for file in files]


def _command(command: list[str]) -> _Read:
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    seconds, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return _counted(seconds, cpu)


def _import(reader: ArtifactReader, model: Path) -> _Read:
    before, began = time.process_time(), time.perf_counter()
    facts = asyncio.run(reader.read(model))
    seconds = time.perf_counter() - began
    assert facts.size == FILES * PART
    return _counted(seconds, time.process_time() - before)


def _counted(seconds: float, cpu: float) -> _Read:
    size = FILES * PART / MIB
    return _Read(rate=size / seconds, cpu=cpu * 1000 / size * 100)


def _print(found: Mapping[str, list[_Read]], plan: Plan) -> None:
    print_head(
        f"import: reading a model of {FILES} files, {FILES * PART // MIB} MiB",
        (
            f"baseline: the slower of {CAT} >/dev/null and {SUMS} of the same files, which are in the page cache",
            f"medians of {plan.rounds} interleaved rounds",
        ),
    )
    rates = {name: median(reads, _rate) for name, reads in found.items()}
    slower = min((CAT, SUMS), key=lambda name: rates[name])
    print_table(
        ("", "MiB/s", "least–most", f"of {slower}", "CPU ms for 100 MiB"),
        [
            (
                name,
                f"{rates[name]:.0f}",
                span([_rate(one) for one in reads]),
                f"{rates[name] / rates[slower]:.2f}",
                f"{median(reads, lambda one: one.cpu):.0f}",
            )
            for name, reads in found.items()
        ],
    )
    target = Target(
        name=f"import rate, of {slower}", measured=rates[OURS] / rates[slower], bound=Bound.LEAST, wanted=0.8
    )
    print_targets([target])


def _rate(one: _Read) -> float:
    return one.rate
