"""Reading goes on after any position, and comes to the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.annotations.world import jpeg, reader, thing, voc, write, write_manifest
from trivium.drivers.annotations import Limits, SourceReader
from trivium.resources.datasets.ports import Columns, Layout, Refusal, Sample, TextFormat

Read = Callable[[SourceReader, Path, bytes], Iterator[Sample | Refusal]]
WAYS: dict[str, Read] = {
    "boxes": lambda reader, root, after: reader.directory(root, Layout.OBJECT_DETECTION, after=after),
    "images": lambda reader, root, after: reader.directory(root, Layout.IMAGE_CLASSIFICATION, after=after),
    "texts": lambda reader, root, after: reader.directory(root, Layout.TEXT_CLASSIFICATION, after=after),
    "separate texts": lambda reader, root, after: reader.directory(
        root, Layout.TEXT_CLASSIFICATION, texts=TextFormat(separate=True), after=after
    ),
    "manifest": lambda reader, root, after: reader.manifest(root / "a.manifest", after=after),
    "tables": lambda reader, root, after: reader.table(root, Columns(), after=after),
    "a table": lambda reader, root, after: reader.table(root / "a" / "t.csv", Columns(has_header=True), after=after),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bit of everything, good and bad, with names around which an order may fail."""
    root = tmp_path_factory.mktemp("source")
    for directory in ("", "a", "a.b", "a/b", "a-", "b/c/d"):
        files: dict[str, bytes | str] = {
            "1.jpg": jpeg(),
            "1.xml": voc(thing("x")),
            "2.jpg": b"no image",
            "10.png": jpeg(),
        }
        files |= {
            "t.csv": "a,b\n1,2\n3\n4,5\n",
            "x.txt": "a\tb\n\n\xff\nc",
            "y.txt": b"a\n\xff\nb",
            "y_result.txt": "1\n2\n3",
        }
        write(root / directory, files)
    write_manifest(
        root, {"source": "1.jpg"}, b"{", b"", {"source": "content://a"}, {"source": "gone"}, {"source": "1.jpg"}
    )
    return root


@pytest.mark.parametrize("way", WAYS)
def test_what_follows_a_position_is_what_followed_it_before(source: Path, way: str) -> None:
    read = WAYS[way]
    whole = list(read(reader(source), source, b""))
    assert len(whole) >= 3
    for number, one in enumerate(whole):
        assert list(read(reader(source), source, one.position)) == whole[number + 1 :]


def test_a_position_outlives_what_was_there(tmp_path: Path) -> None:
    write(tmp_path, {f"{name}.jpg": jpeg() for name in ("a/1", "b/1", "b/2", "c")})
    read = reader(tmp_path).directory
    found = list(read(tmp_path, Layout.IMAGE_CLASSIFICATION))
    for file in (tmp_path / "b").iterdir():
        file.unlink()
    (tmp_path / "b").rmdir()
    write(tmp_path, {"bb.jpg": jpeg(), "aa.jpg": jpeg()})
    left = read(tmp_path, Layout.IMAGE_CLASSIFICATION, after=found[1].position)
    assert [one.path for one in left] == [b"bb.jpg", b"c.jpg"]


def test_names_are_in_order_however_few_are_sorted_at_a_time(tmp_path: Path) -> None:
    write(tmp_path, {f"{number % 97:02}/{number}.jpg": jpeg() for number in range(400)})
    write(tmp_path, {f"{number}.jpg": jpeg() for number in range(200)})
    whole = [one.position for one in reader(tmp_path).directory(tmp_path, Layout.IMAGE_CLASSIFICATION)]
    assert len(whole) == 600
    for batch in (1, 2, 7, 100):
        small = reader(tmp_path, limits=Limits(batch=batch))
        assert [one.position for one in small.directory(tmp_path, Layout.IMAGE_CLASSIFICATION)] == whole
