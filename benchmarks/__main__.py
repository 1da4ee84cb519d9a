"""Run the benchmarks that are named, or all. Each prints a table, and each of its targets beside what was measured."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks import (
    catalogue,
    growth,
    idling,
    importing,
    launching,
    listing,
    proxying,
    sample_lists,
    sampling,
    signed,
)
from benchmarks.plan import Plan

BENCHMARKS: Final[Mapping[str, Callable[[Plan], None]]] = {
    "list": listing.run,
    "signed": signed.run,
    "launch": launching.run,
    "growth": growth.run,
    "catalogue": catalogue.run,
    "proxy": proxying.run,
    "idle": idling.run,
    "import": importing.run,
    "sample-lists": sample_lists.run,
    "samples": sampling.run,
}


def main() -> None:
    """Parse the command line and run."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # servers start from compiled modules, as installed ones do
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count; medians are told (default: 5)")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long a round asks each server (default: 4)")
    parser.add_argument("--connections", type=int, default=16, help="kept alive by the client (default: 16)")
    parser.add_argument("--rows", type=int, default=1000, help="list, signed: rows in the table (default: 1000)")
    peers = ("jupyterhub", "mlflow")
    parser.add_argument("--peer", choices=peers, default=None, help="list, catalogue: whom to measure beside")
    parser.add_argument(
        "--sizes",
        type=lambda text: tuple(map(int, text.split(","))),
        default=(1000, 100_000, 1_000_000),
        help="growth, catalogue, signed, idle: rows of the data sets, smallest first (default: 1000,100000,1000000)",
    )
    parser.add_argument(
        "--keep", type=Path, default=None, help="growth, catalogue, signed, idle: a folder where the data sets stay"
    )
    parser.add_argument(
        "--database",
        default=None,
        help="growth, signed, idle: postgresql://… of an empty database, instead of SQLite; list measures both, the "
        "latter on a cluster of its own unless this says where",
    )
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    plan = Plan(
        rows=given.rows,
        rounds=given.rounds,
        seconds=given.seconds,
        connections=given.connections,
        database=given.database,
        peer=given.peer,
        sizes=given.sizes,
        keep=given.keep,
    )
    for name in given.names or BENCHMARKS:
        BENCHMARKS[name](plan)


if __name__ == "__main__":
    main()
