"""Buckets are the directories in the roots, as they are when somebody asks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.contract.annotations import world
from trivium.drivers.annotations import SourceReader
from trivium.resources.datasets import Buckets


def buckets(*roots: Path) -> Buckets:
    return Buckets([*map(str, roots)], has=os.path.isdir)


def test_a_manifest_finds_files_in_the_directories_of_the_roots(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    reader = SourceReader([one, other], bucket=buckets(one, other).directory)
    world.write(one, {"pets/cat.png": world.png()})
    world.write(other, {"pets/dog.png": world.png(), "more/dog.png": world.png()})
    places = ("obs://pets/cat.png", "S3://more/dog.png", "https://pets.obs.example.com/cat.png", "obs://pets/dog.png")
    lines = ({"source": place} for place in (*places, "obs://none/a.png", "https://pets.example.com/cat.png"))
    found = list(reader.manifest(world.write_manifest(one, *lines)))
    assert world.faults(found) == {"a.manifest:4": "absent", "a.manifest:5": "location", "a.manifest:6": "location"}
    assert [one.path for one in found[:3]] == [b"pets/cat.png", bytes(other / "more/dog.png"), b"pets/cat.png"]


def test_a_reader_is_made_where_there_is_no_bucket_yet(tmp_path: Path) -> None:
    there = buckets(tmp_path / "root", tmp_path / "none")
    reader = SourceReader([tmp_path / "root"], bucket=there.directory)
    assert there.directory("pets") is None
    world.write(tmp_path / "root", {"pets/cat.png": world.png(), "file": ""})
    assert there.directory("pets") == str(tmp_path / "root" / "pets")
    assert (
        len(world.samples(reader.manifest(world.write_manifest(tmp_path / "root", {"source": "/pets/cat.png"})))) == 1
    )


@pytest.mark.parametrize("name", ["", ".", "..", "pets/..", "pets/", "file", "pets\0"])
def test_nothing_but_the_name_of_a_directory_is_a_bucket(tmp_path: Path, name: str) -> None:
    world.write(tmp_path, {"pets/cat.png": world.png(), "file": ""})
    assert buckets(tmp_path).directory(name) is None
