"""Models as an operator adds them: by a server that reads in the background, and by a command where there is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from sqlalchemy import select

from tests.contract.artifacts import world
from tests.flows.operator import Operator, is_ready, site_in
from tests.waiting import until
from trivium.base.units import GIB, MIB
from trivium.resources import models
from trivium.resources.models.table import imports
from trivium.store import Read, Store

EXTRA = 64 * MIB
PART = 64 * MIB
SMALL = 8 * MIB
FILES = 8
LONG = 3600  # seconds: what takes long may run on a busy machine, as the last in the queue


class ModelOperator(Operator):
    """Somebody who adds models."""

    def noted(self, least: int = 1, *, within: float = 60) -> int:
        """Wait until so many files are read to their ends and that is written down; how many there are."""
        with self.store() as store:
            return until(lambda: _noted(store, least), within=within, what="finished files")

    def wait_for_models(self, *, within: float = 120) -> None:
        """Wait until no model is being read any more."""
        with self.store() as store:
            until(lambda: not store.read_now(_going), within=within, what="the end of the import")


def _going(tx: Read) -> list[str | None]:
    return [row.progress for row in tx.all(select(imports.c.progress).where(imports.c.finished_at.is_(None)))]


def _noted(store: Store, least: int) -> int:
    kept = [one for one in store.read_now(_going) if one is not None]
    done = sum(len(msgspec.json.decode(one, type=models.Progress).done) for one in kept)
    return done if done >= least else 0


@pytest.fixture
def operator(database_url: str, tmp_path: Path) -> Iterator[ModelOperator]:
    with site_in(tmp_path / "data", database_url, ModelOperator) as made:
        yield made


def write_endless(path: Path) -> None:
    """Some small files, and one that takes minutes to read: it is sparse."""
    path.mkdir()
    for number in range(FILES):
        (path / f"{number}.data").write_bytes(bytes([number]) * SMALL)
    (path / "last.data").touch()
    os.truncate(path / "last.data", 64 * GIB)


def write_weights(path: Path, size: int) -> None:
    """Weights of that size in files of 64 MiB, with true headers; they take no room on the disk."""
    path.mkdir()
    count = size // PART
    for number in range(count):
        file = path / f"model-{number + 1:05}-of-{count:05}.safetensors"
        file.write_bytes(world.raw_safetensors(world.safetensors_header({f"w{number}": ("U8", [PART], [0, PART])})))
        os.truncate(file, file.stat().st_size + PART)


def test_a_model_is_imported_without_a_server_and_listed(operator: ModelOperator) -> None:
    folder = operator.models / "tiny"
    folder.mkdir()
    world.write_gguf(folder / "tiny.gguf")
    done = operator.run("model", "import", str(folder), "--name", "Tiny", "--public", "-o", "json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["name"], made["status"], made["version"], made["visibility"]) == ("Tiny", "ready", "1.2.0", "public")
    assert made["checksum"] == world.read(folder).checksum
    assert done.stderr.splitlines()[-1] == "Tiny: 100 %"
    assert operator.tell("model", "list") == [made]
    center, other = operator.tell("center", "list")
    assert (center["path"], center["visibility"], center["used"]) == (str(operator.models), "public", made["size"])
    assert (other["path"], other["used"]) == (str(operator.datasets), 0)


def test_what_cannot_be_imported_is_said_and_leaves_nothing(operator: ModelOperator, tmp_path: Path) -> None:
    done = operator.run("model", "import", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "is in no model centre" in done.stderr
    assert "no model centre nowhere" in operator.run("model", "import", "x", "--center", "nowhere").stderr
    (operator.models / "bad").mkdir()
    (operator.models / "bad" / "m.safetensors").write_bytes(b"")
    done = operator.run("model", "import", str(operator.models / "bad"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "m.safetensors" in done.stderr.splitlines()[-1]
    assert operator.tell("model", "list") == []


def test_a_server_that_is_killed_amid_an_import_goes_on_with_it(operator: ModelOperator) -> None:
    path = operator.models / "model"
    write_endless(path)
    with operator.serving() as server:
        until(lambda: is_ready(server), within=120, what="a server that has read its environment")
        operator.tell("model", "import", str(path), "--no-wait")
        operator.noted(FILES)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    os.truncate(path / "last.data", 1)
    with operator.serving() as server:
        read = _read_bytes(server.process.pid)
        operator.wait_for_models()
        read = _read_bytes(server.process.pid) - read
    assert read < FILES * SMALL
    (made,) = operator.tell("model", "list")
    assert (made["status"], made["size"]) == ("ready", FILES * SMALL + 1)
    assert made["checksum"] == world.read(path).checksum


def test_a_command_that_is_killed_is_gone_on_with_by_a_server(operator: ModelOperator) -> None:
    path = operator.models / "model"
    write_endless(path)
    with subprocess.Popen(operator.command("model", "import", str(path)), stderr=subprocess.DEVNULL) as command:
        operator.noted(FILES)
        command.kill()
    os.truncate(path / "last.data", 1)
    with operator.serving():
        operator.wait_for_models()
        (made,) = operator.tell("model", "list")
        assert made["checksum"] == world.read(path).checksum
        until(lambda: operator.tell("center", "list")[0]["state"] == "connected", what="a look at the centre")


def test_a_command_waits_for_a_server_that_is_there(operator: ModelOperator) -> None:
    with operator.serving():
        world.write_gguf(operator.models / "tiny.gguf")
        made = operator.tell("model", "import", str(operator.models / "tiny.gguf"))
        assert (made["name"], made["status"]) == ("tiny.gguf", "ready")
        assert operator.run("server", "list").stdout.count("yes") == 1


def test_gigabytes_are_imported_in_little_memory_over_a_kill(
    operator: ModelOperator, request: pytest.FixtureRequest
) -> None:
    """`--model-size 5200` imports five gigabytes."""
    size = int(request.config.getoption("--model-size") or 0) * MIB // PART * PART
    if size < GIB:
        pytest.skip("takes long: --model-size 5200 has five gigabytes imported")
    write_weights(operator.models / "big", size)
    with operator.serving() as server:
        until(lambda: is_ready(server), within=LONG, what="a server that has read its environment")
        before = _measured_from_here(server.process.pid)
        operator.tell("model", "import", str(operator.models / "big"), "--no-wait")
        noted = operator.noted(within=LONG)
        first = _peak(server.process.pid) - before
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with operator.serving() as server:
        before, read = _measured_from_here(server.process.pid), _read_bytes(server.process.pid)
        began = time.monotonic()
        operator.wait_for_models(within=LONG)
        seconds = time.monotonic() - began
        second, read = _peak(server.process.pid) - before, _read_bytes(server.process.pid) - read
    print(f"{size // MIB} MiB, of {size // PART} files {noted} before the kill; then {seconds:.0f} s")
    print(f"{first / MIB:.1f} and {second / MIB:.1f} MiB of memory; {read / MIB:.0f} MiB read after the kill")
    (made,) = operator.tell("model", "list")
    assert made["parameters"].startswith(str(size))
    assert made["checksum"] == world.read(operator.models / "big").checksum
    assert read < size - (noted - 1) * PART
    assert max(first, second) < EXTRA


def _measured_from_here(pid: int) -> int:
    """Bytes of memory that a process has, from which on its peak is counted."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return psutil.Process(pid).memory_info().rss


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _read_bytes(pid: int) -> int:
    """Bytes that a process has read from files, cached or not."""
    return int(Path(f"/proc/{pid}/io").read_text().split("rchar: ")[1].split()[0])
