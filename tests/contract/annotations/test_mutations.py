"""Whatever bytes there are, reading them gives samples and refusals, whose text can be stored, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.annotations.world import jpeg, png, reader, thing, voc
from trivium.base.text import Language
from trivium.drivers.annotations.shapes import KINDS
from trivium.resources.datasets.ports import Columns, Layout, Refusal, Sample, TextFormat

VALID = {
    "1.xml": voc(thing("x"), thing("y", "polygon", x1=1, y1=1, x2=2, y2=2, x3=3, y3=1)).encode(),
    "1.jpg": jpeg(notes=40),
    "1.png": png(),
    "1.txt": b"Cat\nDog\n",
    "t.csv": b'a,b\n1,"2\n3"\n',
    "t.txt": b"good\tpositive,x\n",
    "t_result.txt": b"x\n",
    "m": b'{"source":"1.jpg","usage":"TRAIN","annotation":[{"type":"object_detection","annotation-loc":"1.xml"}]}\n',
}
PARTS = (
    b"<",
    b">",
    b"/",
    b"&",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\\u0022",
    b"\n",
    b"\0",
    b"-1",
    b"1e9",
    b"\xff",
)


@st.composite
def _changes(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file's name and its content with a few changes, or any content."""
    name = draw(st.sampled_from(sorted(VALID)))
    if draw(st.booleans()):
        return name, draw(st.binary(max_size=300))
    raw = bytearray(VALID[name])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 10))] = draw(st.sampled_from(PARTS) | st.binary(max_size=4))
    return name, bytes(raw)


@given(_changes())
def test_any_bytes_are_read_or_refused(change: tuple[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, raw in (VALID | {change[0]: change[1]}).items():
            (root / name).write_bytes(raw)
        read = reader(root)
        for layout in Layout:
            _check(read.directory(root, layout))
        _check(read.directory(root, Layout.TEXT_CLASSIFICATION, texts=TextFormat(separate=True)))
        _check(read.manifest(root / "m"))
        _check(read.table(root, Columns(has_header=True)))
        _check(read.table(root, Columns(names=("a", "b"))))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.sampled_from(sorted(KINDS)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(KINDS)) | st.text(max_size=3), JSON, st.lists(JSON, max_size=2))
def test_any_shape_in_a_line_is_read_or_refused(kind: str, feature: object, more: list[object]) -> None:
    property = {"@modelarts:shape": kind, "@modelarts:feature": feature, "more": more}
    line = {"source": "1.jpg", "annotation": [{"type": "object_detection", "name": "x", "property": property}]}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "1.jpg").write_bytes(jpeg())
        (root / "m").write_bytes(msgspec.json.encode(line))
        _check(reader(root).manifest(root / "m"))


def _check(found: Iterable[Sample | Refusal]) -> None:
    positions: set[bytes] = set()
    for one in found:
        assert one.position not in positions
        positions.add(one.position)
        if isinstance(one, Refusal):
            assert one.reason.say(Language.EN) != one.reason.code
        else:
            stored = (one.labels, one.metadata, one.text, one.cells, one.source)
            assert b"\\u0000" not in msgspec.json.encode(stored)
