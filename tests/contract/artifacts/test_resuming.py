"""Reading is resumed where it ended, after a kill too, and ends soon when nobody wants it any more."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contract.artifacts import world
from tests.waiting import until
from trivium.base.units import MIB
from trivium.drivers.artifacts import ArtifactReader
from trivium.drivers.artifacts.checksums import Stopped
from trivium.resources.models import Facts, Progress

MEASURED = Path(__file__).with_name("measured.py")
FILES = 6


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    directory.mkdir()
    for number in range(FILES):
        (directory / f"{number}.data").write_bytes(bytes([number]) * 100_000)
    return directory


def _read_to_the_end(model: Path, resume: Progress | None = None) -> tuple[Facts, Progress]:
    noted: list[Progress] = []
    facts = world.read(model, resume=resume, note=noted.append)
    return facts, noted[-1]


def _bytes_read(model: Path, kept: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, MEASURED, model, kept], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_progress_tells_files_and_bytes_and_survives_being_written_down(model: Path) -> None:
    _, progress = _read_to_the_end(model)
    assert (progress.bytes_done, progress.bytes_total, progress.files_total) == (600_000, 600_000, FILES)
    assert [done.path for done in progress.done] == [b"%d.data" % number for number in range(FILES)]
    assert msgspec.json.decode(msgspec.json.encode(progress), type=Progress) == progress


def test_what_is_finished_is_not_read_again(model: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = _bytes_read(model, kept)
    second = _bytes_read(model, kept)
    assert second["checksum"] == first["checksum"]
    assert first["read"] >= 600_000
    assert second["read"] < 100_000


@pytest.mark.parametrize("change", ["content", "time", "inode"])
def test_what_has_changed_since_is_read_again(model: Path, change: str) -> None:
    before, progress = _read_to_the_end(model)
    file = model / "3.data"
    was = file.stat()
    if change == "content":
        file.write_bytes(b"another")
    elif change == "time":
        with file.open("r+b") as opened:
            opened.write(b"!")
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns + 1))
    else:
        (model / "new").write_bytes(b"!" * 100_000)
        os.utime(model / "new", ns=(was.st_atime_ns, was.st_mtime_ns))
        (model / "new").replace(file)
    facts, _ = _read_to_the_end(model, progress)
    assert facts.checksum != before.checksum
    assert facts.checksum == world.read(model).checksum


def test_what_went_or_came_since_does_not_count_or_does(model: Path) -> None:
    _, progress = _read_to_the_end(model)
    (model / "2.data").unlink()
    (model / "new").write_bytes(b"new")
    facts, later = _read_to_the_end(model, progress)
    assert facts.checksum == world.read(model).checksum
    assert (later.bytes_done, later.files_total) == (500_003, FILES)


def test_a_reading_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed twice, as soon as it has noted more than before; what was noted is never read again."""
    model = tmp_path / "model"
    model.mkdir()
    for number in range(32):
        (model / f"{number:02}").touch()
        os.truncate(model / f"{number:02}", 64 * MIB)  # sparse, so that only reading them takes time
    kept = tmp_path / "kept"
    noted = 0
    for _ in range(2):
        with subprocess.Popen([sys.executable, MEASURED, model, kept], stderr=subprocess.PIPE, text=True) as reading:
            assert reading.stderr is not None
            next(line for line in reading.stderr if int(line.removeprefix("noted ")) > noted)
            reading.send_signal(signal.SIGKILL)
        noted = len(msgspec.json.decode(kept.read_bytes(), type=Progress).done)
    assert 0 < noted < 32
    said = _bytes_read(model, kept)
    assert said["read"] < (32 - noted) * 64 * MIB + MIB
    assert said["checksum"] == _bytes_read(model, tmp_path / "-")["checksum"]


def test_a_reading_that_is_stopped_ends_after_a_block(model: Path) -> None:
    with pytest.raises(Stopped):
        world.read(model, stopped=lambda: True)


async def test_a_wait_that_is_cancelled_ends_the_thread(model: Path) -> None:
    os.truncate(model / "0.data", 64 * 1024 * MIB)  # sparse, and a minute to read
    reader = ArtifactReader([model.parent])
    begun = threading.Event()
    waiting = asyncio.create_task(reader.read(model, note=lambda _progress: begun.set()))
    await asyncio.to_thread(begun.wait, 20)
    assert any(thread.name == "heavy" for thread in threading.enumerate())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    until(lambda: not any(thread.name == "heavy" for thread in threading.enumerate()), what="the thread's end")


@pytest.mark.parametrize("kind", [RuntimeError, OSError])
def test_what_a_note_raises_ends_the_reading_and_is_no_fault_of_the_model(model: Path, kind: type[Exception]) -> None:
    os.truncate(model / "5.data", 1100 * MIB)  # sparse; long enough for a note while it is read

    def refuse(_progress: Progress) -> None:
        raise kind("the lease is lost")

    with pytest.raises(kind, match="the lease is lost"):
        world.read(model, note=refuse)
