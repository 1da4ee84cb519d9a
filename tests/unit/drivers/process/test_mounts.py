"""What the kernel's list of mounts is read as."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.small_disk import IS_ROOT, small_disk
from trivium.drivers.runtimes.process.keeper.system import mounts

NAMES = ("a b", "a\rb", "a\tb\nc", "a\\040b", "#a", " - proc x", "a\x0b\x0c\x1c\x1f\x85\xa0\u2028b", "a\udcffb")


@pytest.fixture
def below() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(place).resolve()


@pytest.mark.skipif(not IS_ROOT, reason="needs to be root")
@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_mount_is_read_as_it_is(below: Path, name: str) -> None:
    place = below / name
    with small_disk(place, "1m"):
        assert [mount.kind for mount in mounts.mounts() if mount.place == str(place)] == ["tmpfs"]
        assert mounts.is_memory(str(place / "own"))


def test_what_lies_nowhere_else_is_on_the_file_system_of_the_root() -> None:
    assert mounts.kind_at("/none/such") == mounts.kind_at("/") != ""
    assert "rw" in {word for mount in mounts.mounts() for word in mount.options.split(",")}
    assert mounts.kind_at(os.path.realpath("/proc/sys/kernel")) == "proc"
