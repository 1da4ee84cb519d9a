"""Manifests of every kind of sample."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.annotations.world import faults, jpeg, png, reader, samples, thing, voc, write, write_manifest
from trivium.resources.datasets.ports import Annotator, LabelType, Sample, SampleKind, SampleUsage, Wanted

CAT = {"type": "modelarts/image_classification", "name": "cat"}


def _one(root: Path, line: dict[str, Any], **wanted: Any) -> Sample:
    (found,) = samples(reader(root).manifest(write_manifest(root, line), wanted=Wanted(**wanted)))
    return found


def test_an_image_and_what_is_said_of_it(tmp_path: Path) -> None:
    write(tmp_path, {"images/1.jpg": jpeg(10, 20)})
    found = _one(
        tmp_path,
        {
            "source": "obs://here/images/1.jpg",
            "usage": "train",
            "hard": "true",
            "hard-coefficient": 0.8,
            "id": "0162",
            "annotation": [
                CAT | {"property": {"color": "white"}, "annotated-by": "human", "creation-time": "2019-01-23 11:30:30"},
                CAT | {"name": "animal", "annotated-by": "modelarts/active-learning", "confidence": 0.8, "hard": False},
            ],
            "inference-loc": "/path",
            "sha256": "A" * 64,
        },
    )
    cat, animal = found.labels
    assert (found.path, found.kind, found.size) == (b"images/1.jpg", SampleKind.IMAGE, len(jpeg()))
    assert (found.usage, found.id, found.inference, found.sha256) == (SampleUsage.TRAIN, "0162", "/path", "a" * 64)
    assert found.metadata == {
        "@modelarts:hard": True,
        "@modelarts:hard_coefficient": 0.8,
        "@modelarts:size": [10, 20, 3],
    }
    assert (cat.property, cat.created, cat.annotated_by) == ({"color": "white"}, "2019-01-23 11:30:30", Annotator.HUMAN)
    assert (animal.score, animal.annotated_by, animal.property) == (0.8, Annotator.AUTO, {"@modelarts:hard": False})


SOURCES = ("obs://here/in/1.jpg", "s3://here/in/1.jpg", "/here/in/1.jpg", "in/1.jpg", "./in//1.jpg")


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_may_be_written_in_many_ways(tmp_path: Path, source: str) -> None:
    write(tmp_path, {"in/1.jpg": jpeg()})
    assert _one(tmp_path, {"source": source}).path == b"in/1.jpg"
    assert _one(tmp_path, {"source": f"{tmp_path}/in/1.jpg"}).path == b"in/1.jpg"


def test_boxes_are_in_a_file_of_pascal_voc(tmp_path: Path) -> None:
    write(tmp_path, {"1.jpg": jpeg(), "1.xml": voc(thing("x"), thing("y"))})
    said = {
        "type": "modelarts/object_detection",
        "annotation-loc": "obs://here/1.xml",
        "annotation-format": "PASCAL VOC",
    }
    found = _one(
        tmp_path,
        {"source": "1.jpg", "annotation": [said | {"creation-time": "now"}]},
    )
    assert [(one.name, one.type, one.created) for one in found.labels] == [
        ("x", LabelType.OBJECT_DETECTION, "now"),
        ("y", LabelType.OBJECT_DETECTION, "now"),
    ]


@pytest.mark.parametrize(
    ("shape", "said", "feature"),
    [
        ("bndbox", [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ("circle", [10, 20, 5], [[10, 20], [5]]),
        ("circle", [[10, 20], [5]], [[10, 20], [5]]),
        ("point", [1, 2], [[1, 2]]),
    ],
)
def test_boxes_may_be_in_the_line(tmp_path: Path, shape: str, said: object, feature: object) -> None:
    write(tmp_path, {"1.jpg": jpeg()})
    property = {"@modelarts:shape": shape, "@modelarts:feature": said}
    line = {
        "source": "1.jpg",
        "annotation": [{"type": "modelarts/object_detection", "name": "x", "property": property}],
    }
    assert _one(tmp_path, line).labels[0].property["@modelarts:feature"] == feature


def test_a_segmentation_has_a_mask_as_large_as_the_image(tmp_path: Path) -> None:
    more = "<mask_source>obs://here/{}.png</mask_source>"
    polygon = {"x1": 1, "y1": 2, "x2": 3, "y2": 4, "x3": 5, "y3": 0}
    shape = thing("bike", "polygon", "<mask_color>1,2,3</mask_color>", **polygon)
    write(tmp_path, {"1.jpg": jpeg(), "good.png": png(), "bad.png": png(1, 1)})
    write(tmp_path, {f"{name}.xml": voc(shape, more=more.format(name)) for name in ("good", "bad", "gone")})
    said = {"type": "modelarts/image_segmentation"}
    lines = [
        {"source": "1.jpg", "sample-type": 0, "annotation": [said | {"annotation-loc": f"{name}.xml"}]}
        for name in ("good", "bad", "gone")
    ]
    found = list(reader(tmp_path).manifest(write_manifest(tmp_path, *lines)))
    assert faults(found) == {"a.manifest:2": "field", "a.manifest:3": "absent"}
    assert isinstance(found[0], Sample)
    assert found[0].metadata["mask_source"] == "obs://here/good.png"
    assert found[0].labels[0].type is LabelType.IMAGE_SEGMENTATION
    assert found[0].labels[0].property["mask_color"] == "1,2,3"


def test_a_mask_in_the_line_is_held_to_the_same_and_told_for_everywhere(tmp_path: Path) -> None:
    write(tmp_path, {"1.jpg": jpeg(), "good.png": png(), "bad.png": png(1, 1)})
    shape = {"@modelarts:shape": "polygon", "@modelarts:feature": [[1, 2], [3, 4], [5, 0]]}
    label = {"type": "modelarts/image_segmentation", "name": "bike", "property": shape}
    lines = [
        {"source": "1.jpg", "sample-type": 0, "property": {"mask_source": mask}, "annotation": annotation}
        for mask in ("good.png", "bad.png", "gone.png", "obs://here/good.png")
        for annotation in ([label], [])
    ]
    found = list(reader(tmp_path).manifest(write_manifest(tmp_path, *lines)))
    assert faults(found) == {"a.manifest:3": "field", "a.manifest:5": "absent"}
    masks = [one.metadata["mask_source"] for one in found if isinstance(one, Sample)]
    good = f"{tmp_path}/good.png"  # that directory is no bucket
    assert masks == [good, good, "bad.png", "gone.png", "obs://here/good.png", "obs://here/good.png"]


def test_texts_are_in_the_line(tmp_path: Path) -> None:
    said = {"type": "modelarts/ text_classification", "name": " positive"}
    found = _one(tmp_path, {"source": 'content://I "like": 这个', "annotation": [said]})
    assert (found.text, found.path, found.kind) == ('I "like": 这个', b"", SampleKind.TEXT)
    assert [(one.name, one.type) for one in found.labels] == [("positive", LabelType.TEXT_CLASSIFICATION)]
    assert found.size == len('I "like": 这个'.encode())


def test_entities_and_what_relates_them(tmp_path: Path) -> None:
    entity = {"type": "modelarts/text_entity", "name": "Person", "property": {"@modelarts:start_index": 0}}
    found = _one(tmp_path, {"source": "content://x", "annotation": [entity]})
    assert found.labels[0].type is LabelType.NAMED_ENTITY
    relation = {"type": "modelarts/text_triplet", "name": "Author", "id": "R1", "property": {"@modelarts:from": "E1"}}
    found = _one(tmp_path, {"source": "content://x", "annotation": [entity | {"id": "E1"}, relation]})
    assert [(one.type, one.id) for one in found.labels] == [
        (LabelType.TRIPLET_ENTITY, "E1"),
        (LabelType.TRIPLET_RELATION, "R1"),
    ]


def test_sounds_and_what_is_said_in_them(tmp_path: Path) -> None:
    write(tmp_path, {"1.wav": b"RIFF"})
    said = [
        {"type": "modelarts/audio_classification", "name": "cat"},
        {"type": "modelarts/audio_content", "property": {"@modelarts:content": "Good day."}},
        {"type": "modelarts/audio_segmentation", "property": {"@modelarts:start_time": "00:01:10.123"}},
    ]
    found = _one(tmp_path, {"source": "1.wav", "annotation": said})
    assert (found.kind, [one.type for one in found.labels]) == (
        SampleKind.AUDIO,
        [LabelType.SOUND_CLASSIFICATION, LabelType.SPEECH_CONTENT, LabelType.SPEECH_PARAGRAPH],
    )


def test_frames_of_videos_tables_and_what_is_free(tmp_path: Path) -> None:
    write(tmp_path, {"v_t1.jpg": jpeg(), "v.xml": voc(thing("x")), "t.csv": "a", "v.mp4": b"", "any.bin": b""})
    said = {"type": "modelarts/object_detection", "annotation-loc": "v.xml"}
    property = {"@modelarts:parent_source": "obs://here/v.mp4", "@modelarts:time_in_video": 1.47}
    frame = _one(tmp_path, {"source": "v_t1.jpg", "annotation": [said], "property": property, "sample-type": 0})
    assert (frame.sub_samples, frame.labels[0].type) == (1, LabelType.VIDEO)
    kinds = [_one(tmp_path, {"source": name}).kind for name in ("t.csv", "v.mp4", "any.bin")]
    assert kinds == [SampleKind.TABLE, SampleKind.VIDEO, SampleKind.FREE]
    assert _one(tmp_path, {"source": "any.bin", "sample-type": 6}).kind is SampleKind.VIDEO


def test_checksums_are_made_of_what_is_wanted(tmp_path: Path) -> None:
    write(tmp_path, {"1.jpg": jpeg(notes=30_000)})
    lines = write_manifest(tmp_path, {"source": "1.jpg"}, {"source": "content://text"})
    found = samples(reader(tmp_path, hasher=hashlib.sha256).manifest(lines, wanted=Wanted(digests=True)))
    assert [one.digest for one in found] == [
        hashlib.sha256(jpeg(notes=30_000)).digest(),
        hashlib.sha256(b"text").digest(),
    ]


ENTITY = b'{"source":"content://a","annotation":[{"type":"text_entity",%s}]}'
BOX = b'{"source":"content://a","annotation":[{"type":"object_detection","name":"x"%s}]}'
CORNERS = b',"property":{"@modelarts:shape":"bndbox","@modelarts:feature":[[5,5],[1,1]]}'
BROKEN: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "malformed"),
    "no object": (b"[]", "field"),
    "no UTF-8": (b'{"source":"content://\xff"}', "malformed"),
    "half a character": (rb'{"source":"content://\ud800"}', "malformed"),
    "no source": (b'{"id":"1"}', "field"),
    "a source that is a number": (b'{"source":1}', "field"),
    "a key twice": (b'{"source":"content://a","source":"content://b"}', "duplicate"),
    "a key twice behind spaces": (b'{"source" :"content://a","source" :"content://b"}', "duplicate"),
    "a key twice of what nobody knows": (b'{"source":"content://a","x":1,"x":2}', "duplicate"),
    "a key twice in a property": (b'{"source":"content://a","property":{"x":1,"x":1}}', "duplicate"),
    "a key twice and quotes as numbers": (
        rb'{"source":"content://\u0022\u0022\u0022\u0022\u0022\u0022","id":"1","id":"1"}',
        "duplicate",
    ),
    "too deep": (b'{"source":"content://a","property":{"x":' + b"[" * 100 + b"]" * 100 + b"}}", "nested"),
    "much too deep": (b'{"source":"content://a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "the character 0": (rb'{"source":"content://\u0000"}', "encoding"),
    "a number without end": (b'{"source":"content://a","property":{"x":1e999}}', "field"),
    "NaN": (b'{"source":"content://a","property":{"x":NaN}}', "malformed"),
    "a usage that is none": (b'{"source":"content://a","usage":"LATER"}', "field"),
    "a kind that is none": (b'{"source":"content://a","sample-type":3}', "field"),
    "a confidence of 2": (
        b'{"source":"content://a","annotation":[{"type":"text_entity","name":"x","confidence":2}]}',
        "number",
    ),
    "a checksum that is none": (b'{"source":"content://a","sha256":"x"}', "field"),
    "an unknown annotation": (b'{"source":"content://a","annotation":[{"type":"x","name":"x"}]}', "field"),
    "no name": (b'{"source":"content://a","annotation":[{"type":"text_entity"}]}', "label"),
    "a name that cannot be seen": (
        rb'{"source":"content://a","annotation":[{"type":"text_entity","name":"a\u0007"}]}',
        "label",
    ),
    "another's bucket": (b'{"source":"obs://there/1.jpg"}', "location"),
    "another's scheme": (b'{"source":"https://example.com/1.jpg"}', "location"),
    "a way out": (b'{"source":"../secret"}', "outside"),
    "a way out of a bucket": (b'{"source":"obs://here/../secret"}', "outside"),
    "a place outside": (b'{"source":"/etc/passwd"}', "location"),
    "a directory": (b'{"source":"obs://here/in"}', "folder"),
    "a directory's own name": (b'{"source":"in/.."}', "outside"),
    "nothing": (b'{"source":"gone.jpg"}', "absent"),
    "a name with the end of names": (rb'{"source":"a\u0000.jpg"}', "encoding"),
    "a box without a shape": (
        b'{"source":"content://a","annotation":[{"type":"object_detection","name":"x"}]}',
        "shape",
    ),
    "a box of less than nothing": (BOX % CORNERS, "shape"),
    "megabytes": (b'{"source":"content://' + b"x" * 3_000_000 + b'"}', "too_large"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_line_is_refused_alone(tmp_path: Path, case: str) -> None:
    root = tmp_path / "root"
    write(tmp_path, {"secret": "s", "root/in/1.jpg": jpeg()})
    raw, fault = BROKEN[case]
    good = {"source": "content://good"}
    found = list(reader(root).manifest(write_manifest(root, good, raw, good)))
    assert faults(found) == {"a.manifest:2": fault}
    assert [one.text for one in found if isinstance(one, Sample)] == ["good", "good"]


def test_what_is_said_oddly_but_once_is_read(tmp_path: Path) -> None:
    odd = b'{ "source" : "content://a\\"b\\":c", "usage":null, "unknown": {"source": [1, "\\u4f60"]} }'
    found = samples(reader(tmp_path).manifest(write_manifest(tmp_path, b"\xef\xbb\xbf" + odd, b"", b"  \r", odd)))
    assert [one.text for one in found] == ['a"b":c'] * 2


@pytest.mark.parametrize("number", [b"1e300", b"4e-320"])
@pytest.mark.parametrize(
    "line",
    [
        b'{"source":"content://a","property":{"x":[%b]}}',
        b'{"source":"content://a","annotation":[%b],"annotation":[]}',
    ],
)
def test_a_line_of_numbers_near_the_ends_of_their_range_costs_little_more(
    tmp_path: Path, line: bytes, number: bytes
) -> None:
    """`msgspec` alone takes 50 to 300 times as long over each of them, and no other thread runs meanwhile."""
    inner = b"%b" if b"property" in line else b'{"confidence":%b}'

    def seconds(of: bytes) -> float:
        file = write_manifest(tmp_path, line % b",".join([inner % of] * 5000))
        began = time.thread_time()
        list(reader(tmp_path).manifest(file))
        return time.thread_time() - began

    assert min(seconds(number) for _ in range(3)) < 15 * max(seconds(b"0.5") for _ in range(3))
