"""Reads a source in a process of its own and prints what came of it, and how much memory it took: run by tests.

Arguments: the way to read, and the source.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from trivium.drivers.annotations import SourceReader
from trivium.resources.datasets.ports import Columns, Layout, Sample


def main() -> None:
    way, source = sys.argv[1], Path(sys.argv[2])
    reader = SourceReader([source.parent])
    if way == "manifest":
        found = reader.manifest(source)
    elif way == "table":
        found = reader.table(source, Columns())
    else:
        found = reader.directory(source, Layout(way))
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _peak()
    counts = Counter("sample" if isinstance(one, Sample) else one.reason.code.split(".")[-1] for one in found)
    print(json.dumps({"extra": _peak() - before, "counts": counts}))


def _peak() -> int:
    """Bytes of memory that were resident at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
