"""Directories in the layouts that ModelArts documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.annotations.world import faults, jpeg, labels, png, reader, samples, thing, voc, write
from trivium.resources.datasets import SourceRefused
from trivium.resources.datasets.ports import (
    Annotator,
    Columns,
    LabelType,
    Layout,
    Sample,
    SampleKind,
    TextFormat,
    Wanted,
)

IMAGES = Layout.IMAGE_CLASSIFICATION
BOXES = Layout.OBJECT_DETECTION
SOUNDS = Layout.SOUND_CLASSIFICATION
TEXTS = Layout.TEXT_CLASSIFICATION


def test_an_image_is_called_what_its_directory_is(tmp_path: Path) -> None:
    write(tmp_path, {"a/猫/1.jpg": jpeg(notes=60_000), "a/dog/2.PNG": png(10, 20), "3.png": png(), "a/dog/README": "?"})
    found = samples(reader(tmp_path).directory(tmp_path, IMAGES))
    assert labels(found) == {"3.png": (), "a/dog/2.PNG": ("dog",), "a/猫/1.jpg": ("猫",)}
    assert [one.metadata["@modelarts:size"] for one in found] == [[640, 480, 3], [10, 20, 3], [640, 480, 3]]
    assert found[1].labels[0].type is LabelType.IMAGE_CLASSIFICATION
    assert (found[1].kind, found[1].size, found[1].is_confirmed) == (SampleKind.IMAGE, len(png()), True)


def test_texts_beside_images_come_before_the_name_of_the_directory(tmp_path: Path) -> None:
    write(tmp_path, {"in/1.jpg": jpeg(), "in/1.txt": "Cat\nDog\n\nCat\n", "in/2.jpg": jpeg(), "in/3.txt": "Cat"})
    write(tmp_path, {"gbk/1.jpg": jpeg(), "gbk/1.txt": "狗".encode("gbk")})
    found = list(reader(tmp_path).directory(tmp_path, IMAGES))
    assert labels(one for one in found if isinstance(one, Sample)) == {
        "gbk/1.jpg": ("狗",),
        "in/1.jpg": ("Cat", "Dog"),
        "in/2.jpg": (),
    }
    assert faults(found) == {"in/3.txt": "orphan"}


def test_a_sound_is_called_what_its_directory_is_or_what_the_text_says(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.wav": b"RIFF", "b/2.mp3": b"", "b/2.txt": "bird"})
    found = samples(reader(tmp_path).directory(tmp_path, SOUNDS))
    assert labels(found) == {"a/1.wav": ("a",), "b/2.mp3": ("bird",)}
    assert {(one.kind, one.labels[0].type) for one in found} == {(SampleKind.AUDIO, LabelType.SOUND_CLASSIFICATION)}


@pytest.mark.parametrize(
    ("shape", "said", "feature"),
    [
        ("bndbox", {"xmin": 1, "ymin": 2, "xmax": 30.5, "ymax": "4e1"}, [[1, 2], [30.5, 40]]),
        ("polygon", {"x1": 1, "y1": 2, "x2": 3, "y2": 4, "x3": 5, "y3": 0}, [[1, 2], [3, 4], [5, 0]]),
        ("polyline", {"x1": 1, "y1": 2, "x2": 3, "y2": 4, "x3": 5, "y3": 0}, [[1, 2], [3, 4], [5, 0]]),
        ("line", {"x1": 1, "y1": 2, "x2": 3, "y2": 4}, [[1, 2], [3, 4]]),
        ("dashed", {"x1": 1, "y1": 2, "x2": 3, "y2": 4}, [[1, 2], [3, 4]]),
        ("point", {"x": 1, "y": 2}, [[1, 2]]),
        ("point", {"x1": 1, "y1": 2}, [[1, 2]]),
        ("circle", {"cx": 10, "cy": 20, "r": 5}, [[10, 20], [5]]),
    ],
)
def test_each_shape_of_pascal_voc_is_read(tmp_path: Path, shape: str, said: dict[str, Any], feature: object) -> None:
    write(tmp_path, {"1.jpg": jpeg(), "1.xml": voc(thing("x", shape, **said))})
    (label,) = samples(reader(tmp_path).directory(tmp_path, BOXES))[0].labels
    assert (label.name, label.type) == ("x", LabelType.OBJECT_DETECTION)
    assert label.property == {"@modelarts:shape": shape, "@modelarts:feature": feature}


def test_what_an_object_says_besides_is_kept(tmp_path: Path) -> None:
    more = "<difficult>1</difficult><pose>Left</pose><confidence>0.75</confidence><part><name>y</name></part>"
    write(tmp_path, {"1.jpg": jpeg(), "1.xml": voc(thing("x", more=more)), "2.jpg": jpeg(), "2.xml": voc()})
    one, other = samples(reader(tmp_path).directory(tmp_path, BOXES))
    (label,) = one.labels
    assert (label.score, label.annotated_by, other.labels) == (0.75, Annotator.AUTO, ())
    assert label.property["@modelarts:hard"] is True
    assert (label.property["pose"], label.property["difficult"]) == ("Left", "1")


def test_samples_are_chosen_by_their_labels(tmp_path: Path) -> None:
    hard = "<difficult>1</difficult>"
    write(tmp_path, {f"{name}.jpg": jpeg() for name in "abc"})
    write(tmp_path, {"a.xml": voc(thing("cat"), thing("dog", more=hard)), "b.xml": voc(thing("cat"))})

    def chosen(**wanted: object) -> list[str]:
        found = reader(tmp_path).directory(tmp_path, BOXES, wanted=Wanted(**wanted))  # pyright: ignore[reportArgumentType]
        return [one.path.decode()[0] for one in samples(found)]

    assert chosen() == ["a", "b", "c"]
    assert chosen(difficult_only=True) == ["a"]
    assert chosen(included=frozenset({"cat"})) == ["a", "b"]
    assert chosen(included=frozenset({"cat"}), excluded=frozenset({"dog"})) == ["b"]
    assert chosen(excluded=frozenset({"cat"}), labels=False) == ["c"]


def test_labels_may_be_left_out_or_left_to_be_confirmed(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.jpg": jpeg(), "2.jpg": jpeg()})
    read = reader(tmp_path).directory
    assert [one.is_confirmed for one in samples(read(tmp_path, IMAGES, wanted=Wanted(confirmed=False)))] == [
        True,
        False,
    ]
    assert [one.labels for one in samples(read(tmp_path, IMAGES, wanted=Wanted(labels=False)))] == [(), ()]


def test_texts_have_their_labels_behind_a_separator(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "\ufeffgood\tpositive,short\n\nno label\n\tonly\n很好\tpositive\r\n"})
    found = list(reader(tmp_path).directory(tmp_path, TEXTS))
    assert faults(found) == {"a.txt:4": "field"}
    taken = [one for one in found if isinstance(one, Sample)]
    assert labels(taken) == {"good": ("positive", "short"), "no label": (), "很好": ("positive",)}
    assert [one.line for one in taken] == [1, 3, 5]
    other = TextFormat(text_end="|", between=";")
    write(tmp_path, {"a.txt": "a|b|x;y"})
    assert labels(reader(tmp_path).directory(tmp_path, TEXTS, texts=other)) == {"a|b": ("x", "y")}


def test_texts_may_have_their_labels_in_the_lines_of_a_file_beside(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "one\ntwo\nthree", "a_result.txt": "x\n\ny,z\n", "b.txt": "four\tfive"})
    write(tmp_path, {"c.txt": "six\nseven", "c_result.txt": "x", "d_result.txt": "x"})
    found = list(reader(tmp_path).directory(tmp_path, TEXTS, texts=TextFormat(separate=True)))
    taken = [one for one in found if isinstance(one, Sample)]
    assert labels(taken) == {"one": ("x",), "two": (), "three": ("y", "z"), "four\tfive": ()}
    assert faults(found) == {"c.txt": "field", "d_result.txt": "orphan"}


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, {"in/file": b""})
    read = reader(tmp_path / "in")
    for path, fault in (
        (tmp_path / "in" / "file", "file"),
        (tmp_path / "in" / "file" / "x", "absent"),
        (tmp_path / "in" / ("x" * 300), "absent"),
        (tmp_path / "in" / "gone", "absent"),
        (tmp_path, "outside"),
        (Path("in"), "outside"),
    ):
        with pytest.raises(SourceRefused) as caught:
            next(read.directory(path, IMAGES))
        assert caught.value.fault == fault
    for path in (tmp_path / "in", tmp_path / "in" / "gone", tmp_path / "m"):
        with pytest.raises(SourceRefused):
            next(read.manifest(path))
        if path != tmp_path / "in":
            with pytest.raises(SourceRefused):
                next(read.table(path, Columns()))
