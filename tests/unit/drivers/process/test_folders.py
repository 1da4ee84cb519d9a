"""Directories that somebody else filled, removed."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from trivium.drivers.runtimes.process.keeper.system.folders import remove_tree

DEPTH = 3000  # more than the stack, the descriptors of a process or a path could hold


def fill(place: Path, depth: int = DEPTH) -> None:
    place.mkdir()
    here = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir("d", 0o700, dir_fd=here)
        there = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)


def test_a_tree_deeper_than_the_stack_is_removed(tmp_path: Path) -> None:
    fill(tmp_path / "deep")
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before, 256), most))
    try:
        remove_tree(str(tmp_path / "deep"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "away").symlink_to(tmp_path / "kept")
    (tree / "a" / "b" / "file").symlink_to(tmp_path / "kept" / "file")
    os.mkfifo(tree / "a" / "pipe")
    remove_tree(str(tree))
    assert not tree.exists()
    assert (tmp_path / "kept" / "file").read_text() == "x"


def test_directories_that_nobody_may_enter_are_removed(tmp_path: Path) -> None:
    inner = tmp_path / "tree" / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    inner.chmod(0)
    inner.parent.chmod(0o500)
    remove_tree(str(tmp_path / "tree"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_needs_no_removal(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "none"))
