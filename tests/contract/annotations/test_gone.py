"""What is gone of a source is told from what only cannot be looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.contract.annotations import world
from trivium.resources.datasets import SourceFault, SourceRefused


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return world.write(tmp_path / "root", {"pets/cat.png": world.png(), "pets/more/dog.png": world.png(), "a": ""})


def gone(root: Path, *names: str, source: str = "pets") -> list[str]:
    paths = [os.fsencode(root / name) for name in names]
    found = world.reader(root).gone(root / source, paths)
    return [os.fsdecode(path).removeprefix(f"{root}/") for path in found]


def test_files_that_are_there_are_not_gone(root: Path) -> None:
    assert gone(root, "pets/cat.png", "pets/more/dog.png") == []
    assert gone(root) == []


def test_files_and_whole_directories_are_gone(root: Path) -> None:
    names = ("pets/none.png", "pets/none/deeper/cat.png", f"pets/{'x' * 300}", "pets/cat.png")
    assert gone(root, *names) == [*names[:3]]


def test_a_file_that_is_a_directory_now_is_gone_and_so_is_what_lay_where_a_file_is(root: Path) -> None:
    assert gone(root, "pets/more", "pets/cat.png/a.png", "pets/cat.png/deeper/a.png") == [
        "pets/more",
        "pets/cat.png/a.png",
        "pets/cat.png/deeper/a.png",
    ]


def test_what_a_link_leads_away_to_counts_as_there(root: Path, tmp_path: Path) -> None:
    (root / "pets" / "link.png").symlink_to(root / "away" / "cat.png")
    (root / "pets" / "linked").symlink_to(root / "away")
    (root / "pets" / "out").symlink_to(tmp_path)
    os.mkfifo(root / "pets" / "pipe.png")
    assert gone(root, "pets/link.png", "pets/linked/cat.png", "pets/out/none.png", "pets/pipe.png") == []


def test_what_lies_in_no_root_counts_as_there(root: Path, tmp_path: Path) -> None:
    assert world.reader(root).gone(root / "pets", [os.fsencode(tmp_path / "none.png")]) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("none", SourceFault.ABSENT),
        ("empty", SourceFault.EMPTY),
        ("hidden", SourceFault.EMPTY),
        ("a/b", SourceFault.ABSENT),
    ],
)
def test_a_source_that_is_away_is_refused_whatever_is_asked_for(root: Path, source: str, fault: SourceFault) -> None:
    (root / "empty").mkdir()
    world.write(root, {"hidden/.nothing": ""})
    for names in ((), ("pets/none.png",)):
        with pytest.raises(SourceRefused) as raised:
            gone(root, *names, source=source)
        assert raised.value.fault is fault


def test_a_source_may_be_a_file_or_the_root_itself(root: Path) -> None:
    assert gone(root, "pets/none.png", source="a") == ["pets/none.png"]
    assert gone(root, "pets/none.png", source=".") == ["pets/none.png"]


def test_a_root_that_is_away_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "none"
    with pytest.raises(SourceRefused) as raised:
        gone(root, "pets/cat.png")
    assert raised.value.fault is SourceFault.ABSENT
