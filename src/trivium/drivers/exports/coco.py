"""Shapes of images in the one JSON file of COCO, made of the manifest that says the same: <https://cocodataset.org>.

The manifest is gone through twice, a line at a time, so nothing grows with it but the names of labels; and whoever dies
over it begins again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import msgspec

from trivium.base import json
from trivium.drivers.annotations.pictures import FEATURE, SHAPE, SIZE
from trivium.drivers.annotations.shapes import BOX
from trivium.resources.datasets.ports import SampleLabel

FOLDER: Final = b"annotations"
NAME: Final = "instances.json"
POLYGON: Final = "polygon"
SHAPES: Final = frozenset({BOX, POLYGON})
_ENCODER: Final = msgspec.json.Encoder()

Number = int | float


class _Annotation(msgspec.Struct):
    name: str = ""
    property: dict[str, Any] = {}


class _Line(msgspec.Struct):
    source: str
    property: dict[str, Any] = {}
    annotation: list[_Annotation] = []


def can_say(labels: Iterable[SampleLabel]) -> bool:
    """Whether each of the labels is a box or a polygon: COCO has no other shapes that would fit."""
    return all(label.property.get(SHAPE) in SHAPES for label in labels)


def write(manifest: BinaryIO, out: BinaryIO, *, folder: str) -> None:
    """Write what a manifest says; its images are called as they are from the folder."""
    categories: dict[str, int] = {}
    out.write(b'{"info":{},"images":')
    manifest.seek(0)
    _write_list(out, _images(manifest, folder))
    out.write(b',"annotations":')
    manifest.seek(0)
    _write_list(out, _annotations(manifest, categories))
    named = ({"id": id, "name": name, "supercategory": ""} for name, id in categories.items())
    out.write(b',"categories":')
    _write_list(out, named)
    out.write(b"}\n")


def _write_list(out: BinaryIO, values: Iterable[Mapping[str, Any]]) -> None:
    between = b"[\n"
    for value in values:
        out.write(between + _ENCODER.encode(value))
        between = b",\n"
    out.write(b"[]" if between == b"[\n" else b"\n]")


def _images(manifest: BinaryIO, folder: str) -> Iterator[Mapping[str, Any]]:
    for id, raw in enumerate(manifest, 1):
        line = json.decode_as(raw, _Line)
        width, height, *_ = line.property.get(SIZE) or (0, 0)
        yield {"id": id, "file_name": line.source.removeprefix(folder), "width": width, "height": height}


def _annotations(manifest: BinaryIO, categories: dict[str, int]) -> Iterator[Mapping[str, Any]]:
    id = 0
    for image, raw in enumerate(manifest, 1):
        for one in json.decode_as(raw, _Line).annotation:
            id += 1
            category = categories.setdefault(one.name, len(categories) + 1)
            yield {"id": id, "image_id": image, "category_id": category, **_shape(one.property), "iscrowd": 0}


def _shape(property: Mapping[str, Any]) -> Mapping[str, Any]:
    points: Sequence[Sequence[Number]] = property[FEATURE]
    across, down = zip(*points, strict=True)
    left, top = min(across), min(down)
    width, height = max(across) - left, max(down) - top
    is_box = property[SHAPE] == BOX
    return {
        "bbox": [left, top, width, height],
        "area": width * height if is_box else _area(points),
        "segmentation": [] if is_box else [[number for point in points for number in point]],
    }


def _area(points: Sequence[Sequence[Number]]) -> float:
    """By the shoelace formula."""
    following = [*points[1:], points[0]]
    return abs(sum(x * after[1] - after[0] * y for (x, y), after in zip(points, following, strict=True))) / 2
