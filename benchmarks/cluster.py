"""A PostgreSQL of a benchmark's own, with the settings that matter to speed as they come."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

from benchmarks.peers import Absent
from tests.postgresql import REMEDY, binaries, shared_cluster

DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "128MB"}


@contextlib.contextmanager
def database(folder: Path) -> Generator[str]:
    """The URL of an empty database; the cluster is gone in the end. Raises `Absent`."""
    if binaries() is None:
        raise Absent(f"PostgreSQL is left out: {REMEDY}")
    cluster = shared_cluster(folder / "postgresql", os.getpid())
    cluster.stop("fast")
    cluster.start(**DURABLE)
    try:
        with cluster.database() as url:
            yield url
    finally:
        cluster.stop()
