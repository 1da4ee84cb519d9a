"""What nobody should have in a source: each ends as the refusal of that file, and the rest is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.contract.annotations.world import faults, jpeg, labels, png, reader, thing, voc, write
from trivium.base.text import Language
from trivium.drivers.annotations import Limits
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import Layout, Refusal, Sample, TextFormat

BOXES = Layout.OBJECT_DETECTION
IMAGES = Layout.IMAGE_CLASSIFICATION
BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
XML: dict[str, tuple[bytes | str, str]] = {
    "a bomb": (BOMB + "<annotation>&b;</annotation>", "entities"),
    "another's file": ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "entities"),
    "an entity that is not declared": ("<annotation>&a;</annotation>", "malformed"),
    "depth": ("<annotation>" + "<a>" * 100_000, "nested"),
    "a huge attribute": (f'<annotation a="{"x" * 2_000_000}"/>', "too_large"),
    "a long attribute": (f'<annotation a="{"x" * 900_000}"/>', ""),
    "many attributes": ("<annotation " + " ".join(f'a{n}="x"' for n in range(80_000)) + "/>", ""),
    "many elements": ("<annotation>" + "<a/>" * 100_000 + "</annotation>", "too_large"),
    "a long text": (f"<annotation><object><name>{'x' * 500_000}</name></object></annotation>", "too_large"),
    "nothing": ("", "malformed"),
    "no end": ("<annotation>", "malformed"),
    "another root": ("<html/>", "field"),
    "UTF-16": (voc(thing("x")).encode("utf-16"), "encoding"),
    "a bomb in UTF-16": ((BOMB + "<annotation>&b;</annotation>").encode("utf-16"), "encoding"),
    "invalid UTF-8": (voc(thing("x")).encode().replace(b">x<", b">\xff<"), "malformed"),
    "NaN": (voc(thing("x", xmin="NaN", ymin=1, xmax=2, ymax=3)), "number"),
    "infinity": (voc(thing("x", xmin="1e99", ymin=1, xmax=2, ymax=3)), "number"),
    "a word": (voc(thing("x", xmin="one", ymin=1, xmax=2, ymax=3)), "number"),
    "digits of another script": (voc(thing("x", xmin="١", ymin=1, xmax=2, ymax=3)), "number"),
    "a negative place": (voc(thing("x", xmin=-1, ymin=1, xmax=2, ymax=3)), "shape"),
    "a box the wrong way round": (voc(thing("x", xmin=5, ymin=1, xmax=2, ymax=3)), "shape"),
    "a box outside": (voc(thing("x", xmin=1, ymin=1, xmax=641, ymax=3)), "shape"),
    "a box without a corner": (voc(thing("x", xmin=1, ymin=1)), "shape"),
    "a polygon of two points": (voc(thing("x", "polygon", x1=1, y1=1, x2=2, y2=2)), "shape"),
    "a circle of no size": (voc(thing("x", "circle", cx=1, cy=1, r=0)), "shape"),
    "no shape": (voc("<object><name>x</name></object>"), "shape"),
    "two shapes": (voc("<object><name>x</name><point/><line/></object>"), "duplicate"),
    "two names": (voc(thing("x", more="<name>y</name>")), "duplicate"),
    "no name": (voc(thing("")), "label"),
    "a name of many lines": (voc(thing("a&#10;b")), "label"),
    "a negative size": (voc(thing("x"), width=-1), "number"),
    "a monstrous size": (voc(thing("x"), width=10**11), "number"),
    "a confidence of 2": (voc(thing("x", more="<confidence>2</confidence>")), "number"),
}


@pytest.mark.parametrize("case", XML)
def test_an_annotation_that_cannot_be_read_is_refused_with_its_image(tmp_path: Path, case: str) -> None:
    content, fault = XML[case]
    write(tmp_path, {"a.jpg": jpeg(), "a.xml": content, "b.jpg": jpeg(), "b.xml": voc(thing("good"))})
    found = list(reader(tmp_path).directory(tmp_path, BOXES))
    assert faults(found) == ({"a.jpg": fault} if fault else {})
    refusals = [one for one in found if isinstance(one, Refusal)]
    assert [one.reason.details["file"] for one in refusals] == (["a.xml"] if fault else [])
    assert isinstance(found[-1], Sample)
    assert [label.name for label in found[-1].labels] == ["good"]


IMAGE: dict[str, tuple[bytes, str]] = {
    "200 megapixels": (png(20_000, 10_000), "too_large"),
    "all there can be": (png(0xFFFF_FFFF, 0xFFFF_FFFF), "too_large"),
    "no pixels": (png(0, 10), "malformed"),
    "nothing": (b"", "malformed"),
    "a text": (b"no image", "malformed"),
    "half a header": (png()[:20], "malformed"),
    "JPEG without a frame": (b"\xff\xd8\xff\xe0" + b"\xff" * 5000, "malformed"),
    "JPEG of segments alone": (b"\xff\xd8" + b"\xff\xe0\0\2" * 5000, "malformed"),
    "JPEG of padding": (b"\xff\xd8" + b"\xff" * 100_000, "malformed"),
    "WebP without a size": (b"RIFF\0\0\0\0WEBPVP8X" + bytes(4), "malformed"),
    "BMP without a size": (b"BM" + bytes(12), "malformed"),
}


@pytest.mark.parametrize("case", IMAGE)
def test_an_image_that_is_none_or_too_large_is_refused(tmp_path: Path, case: str) -> None:
    content, fault = IMAGE[case]
    write(tmp_path, {"in/a.jpg": content, "in/b.jpg": jpeg()})
    found = list(reader(tmp_path).directory(tmp_path, IMAGES))
    assert faults(found) == {"in/a.jpg": fault}
    assert len(found) == 2


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"GIF89a\x0a\0\x14\0", [10, 20, 3]),
        (b"BM" + bytes(12) + b"\x28\0\0\0\x0a\0\0\0\xec\xff\xff\xff\1\0\x20\0", [10, 20, 4]),
        (b"BM" + bytes(12) + b"\x0c\0\0\0\x0a\0\x14\0\1\0\x08\0", [10, 20, 3]),
        (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x09\0\0\x13\0\0", [10, 20, 4]),
        (b"RIFF\0\0\0\0WEBPVP8L\x0a\0\0\0\x2f\x09\xc0\x04\0" + bytes(8), [10, 20, 3]),
        (b"RIFF\0\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x0a\0\x14\0", [10, 20, 3]),
        (jpeg(10, 20, notes=65_000), [10, 20, 3]),
        (png(10, 20), [10, 20, 3]),
    ],
)
def test_the_size_of_each_kind_of_image_is_in_its_header(tmp_path: Path, content: bytes, size: list[int]) -> None:
    write(tmp_path, {"a.png": content})
    (found,) = reader(tmp_path).directory(tmp_path, IMAGES)
    assert isinstance(found, Sample)
    assert found.metadata == {"@modelarts:size": size}


def test_what_is_no_file_or_leads_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(tmp_path, {"secret.jpg": jpeg(), "root/in/z.jpg": jpeg(), "root/real/1.jpg": jpeg(5, 5)})
    for name, target in (
        ("out.jpg", "../../secret.jpg"),
        ("etc.jpg", "/etc/passwd"),
        ("loop.jpg", "loop.jpg"),
        ("gone.jpg", "gone"),
        ("directory.jpg", "../real"),
        ("device.jpg", "/dev/zero"),
        ("good.jpg", "../real/1.jpg"),
        ("whole", "../real"),
    ):
        (root / "in" / name).symlink_to(target)
    os.mkfifo(root / "in" / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "in" / "s.jpg"))
        found = list(reader(root).directory(root / "in", IMAGES))
    assert faults(found) == {
        "device.jpg": "link",
        "directory.jpg": "link",
        "etc.jpg": "link",
        "gone.jpg": "absent",
        "loop.jpg": "link",
        "out.jpg": "outside",
        "pipe.jpg": "special",
        "s.jpg": "special",
        "whole": "link",
    }
    assert [one.path for one in found if isinstance(one, Sample)] == [b"good.jpg", b"z.jpg"]


def test_labels_that_lead_out_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(tmp_path, {"secret": "secret", "root/a.jpg": jpeg(), "root/b.jpg": jpeg()})
    (root / "a.xml").symlink_to("../secret")
    os.mkfifo(root / "b.xml")
    assert faults(reader(root).directory(root, BOXES)) == {
        "a.jpg": "outside",
        "a.xml": "outside",
        "b.jpg": "special",
        "b.xml": "special",
    }


def test_names_of_every_script_and_of_none_are_kept_as_they_are(tmp_path: Path) -> None:
    names = ["猫.jpg", "кот.jpg", "قط.jpg", "🐈.jpg", "a b\n.jpg", "'\";--.jpg", "..a.jpg"]
    write(tmp_path, {f"x/{name}": jpeg() for name in names})
    bad = os.fsencode(tmp_path) + b"/x/\xff\xfe.jpg"
    Path(os.fsdecode(bad)).write_bytes(jpeg())
    found = list(reader(tmp_path).directory(tmp_path, IMAGES))
    assert all(isinstance(one, Sample) for one in found)
    shown = {f"x/{name}".encode() for name in names if not name.startswith(".")}
    assert {one.path for one in found} == shown | {b"x/\xff\xfe.jpg"}
    assert [one.path for one in found] == sorted(one.path for one in found)


def test_a_directory_whose_name_is_no_text_gives_no_label(tmp_path: Path) -> None:
    for name in (b"\xff", b"a\x07b"):
        directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        write(directory, {"1.jpg": jpeg()})
    found = faults(reader(tmp_path).directory(tmp_path, IMAGES))
    assert found == {"a\x07b/1.jpg": "label", "\\xff/1.jpg": "label"}


def test_directories_do_not_lie_too_deep(tmp_path: Path) -> None:
    write(tmp_path, {"/".join("abcdefg") + "/1.jpg": jpeg(), "a/1.jpg": jpeg(), "z.jpg": jpeg()})
    found = list(reader(tmp_path, limits=Limits(depth=3)).directory(tmp_path, IMAGES))
    assert faults(found) == {"a/b/c/d": "too_deep"}
    assert [one.path for one in found if isinstance(one, Sample)] == [b"a/1.jpg", b"z.jpg"]


def test_lines_and_labels_of_any_length_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"t.txt": b"good\n" + b"x" * 5_000_000 + b"\ngood\n\xff\xff\n\0\n" + b"x\t" + b"y" * 300})
    found = list(reader(tmp_path).directory(tmp_path, Layout.TEXT_CLASSIFICATION))
    assert faults(found) == {"t.txt:2": "too_large", "t.txt:4": "encoding", "t.txt:5": "encoding", "t.txt:6": "label"}
    assert labels(one for one in found if isinstance(one, Sample)) == {"good": ()}
    write(tmp_path, {"i/1.jpg": jpeg(), "i/1.txt": b"x\n" * 100_000})
    assert faults(reader(tmp_path).directory(tmp_path / "i", IMAGES)) == {"1.jpg": "too_large"}


def test_label_files_of_another_length_move_no_label(tmp_path: Path) -> None:
    write(tmp_path, {"t.txt": "a\nb\n", "t_result.txt": b"x\n" * 1_000_000})
    found = reader(tmp_path).directory(tmp_path, Layout.TEXT_CLASSIFICATION, texts=TextFormat(separate=True))
    assert faults(found) == {"t.txt": "field"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"1.jpg": jpeg()})
    (tmp_path / "1.jpg").chmod(0)
    assert faults(reader(tmp_path).directory(tmp_path, IMAGES)) == {"1.jpg": "unreadable"}


@pytest.mark.parametrize("fault", SourceFault)
def test_every_fault_has_its_sentence(fault: SourceFault) -> None:
    reason = SourceRefused(fault, "a.jpg").reason
    assert reason.say(Language.EN) != reason.code
    assert "a.jpg" in reason.say(Language.ZH)
