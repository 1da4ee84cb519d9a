"""Reads a model in a process of its own and prints what became of it, and how much memory it took: run by tests.

Arguments: the model, and where progress is kept from run to run (a dash: nowhere).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import msgspec

from trivium.drivers.artifacts import ArtifactReader
from trivium.resources.models import ArtifactRefused, Progress


def main() -> None:
    model, kept = Path(sys.argv[1]), Path(sys.argv[2])
    resume = msgspec.json.decode(kept.read_bytes(), type=Progress) if kept.is_file() else None

    def note(progress: Progress) -> None:
        if str(kept) == "-":
            return
        part = kept.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(progress))
        part.replace(kept)
        print(f"noted {len(progress.done)}", file=sys.stderr, flush=True)

    reader = ArtifactReader([model.parent])
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, read, started = _peak(), _read_bytes(), time.monotonic()
    try:
        facts = reader.read_here(model, resume=resume, note=note, stopped=lambda: False)
        said = {"checksum": facts.checksum, "parameters": facts.parameters}
    except ArtifactRefused as error:
        said = {"code": error.reason.code}
    said |= {"extra": _peak() - before, "seconds": time.monotonic() - started, "read": _read_bytes() - read}
    print(json.dumps(said))


def _peak() -> int:
    """Bytes of memory that were resident at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _read_bytes() -> int:
    """Bytes that were read from files, cached or not."""
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])


if __name__ == "__main__":
    main()
