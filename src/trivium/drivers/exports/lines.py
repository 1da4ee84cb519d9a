"""Samples as the lines of a manifest, and as what is written beside them: what `drivers.annotations` reads again."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote

import msgspec

from trivium.drivers.annotations.locations import is_text
from trivium.drivers.annotations.manifest import CONTENT, PATH, PRIVATE
from trivium.drivers.annotations.pictures import FEATURE, KEPT, MASK, SHAPE, SIZE
from trivium.drivers.annotations.shapes import BOX, CIRCLE
from trivium.drivers.exports.kept import said_of
from trivium.drivers.places import shown
from trivium.resources.datasets.ports import LabelType, SampleLabel
from trivium.resources.samples import KeptSample, SampleState

TYPES: Final[Mapping[LabelType, str]] = {
    LabelType.IMAGE_CLASSIFICATION: "image_classification",
    LabelType.OBJECT_DETECTION: "object_detection",
    LabelType.IMAGE_SEGMENTATION: "image_segmentation",
    LabelType.TEXT_CLASSIFICATION: "text_classification",
    LabelType.NAMED_ENTITY: "text_entity",
    LabelType.TRIPLET_ENTITY: "text_entity",
    LabelType.TRIPLET_RELATION: "text_triplet",
    LabelType.SOUND_CLASSIFICATION: "audio_classification",
    LabelType.SPEECH_CONTENT: "audio_content",
    LabelType.SPEECH_PARAGRAPH: "audio_segmentation",
    LabelType.VIDEO: "object_detection",
}
CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
_ENCODER: Final = msgspec.json.Encoder()


def line(
    sample: KeptSample,
    source: bytes | None,
    *,
    path: bytes | None = None,
    mask: str | None = None,
    is_whole: bool = False,
) -> bytes:
    """The line of a manifest that says what is known of a sample, at `source`; None where it is a text and no file.

    `is_whole`: it also says what importers pass over; path and mask where the line has others.
    """
    annotations = [_annotation(one) for one in sample.labels]
    property = {name: value for name, value in sample.metadata.items() if name != PATH}
    if source is not None and not is_text(source):
        property[PATH] = quote(source)
    if is_whole:
        property[PRIVATE] = said_of(sample, annotations, path, mask=mask)
    said: dict[str, Any] = {
        "source": CONTENT + (sample.text or "") if source is None else _shown(source),
        "id": sample.uuid.hex,
        "sample-type": sample.kind.value,
        "usage": None if sample.usage is None else sample.usage.value,
        "property": property or None,
        # Labels that do not count yet are nobody's word on the sample.
        "annotation": [] if sample.state is SampleState.UNCONFIRMED else annotations,
    }
    return _ENCODER.encode({key: value for key, value in said.items() if value is not None}) + b"\n"


def voc(sample: KeptSample, name: str) -> bytes:
    """The shapes of an image in Pascal VOC."""
    size = sample.metadata.get(SIZE)
    sides = size if isinstance(size, list) else [0, 0, 0]
    parts = ["<annotation>", f"<filename>{escape(name)}</filename>", "<size>"]
    parts += [f"<{side}>{value}</{side}>" for side, value in zip(("width", "height", "depth"), sides, strict=False)]
    mask = sample.metadata.get(MASK)
    parts += ["</size>"] if mask is None else ["</size>", f"<mask_source>{escape(str(mask))}</mask_source>"]
    parts += [*(_object(label) for label in sample.labels if SHAPE in label.property), "</annotation>"]
    return "\n".join(parts).encode()


def names(sample: KeptSample) -> bytes:
    """The names of a sample's labels, one in each line."""
    return "".join(f"{label.name}\n" for label in sample.labels).encode()


def _shown(source: bytes) -> str:
    """The source as it is, control characters and all; else as people can read it."""
    return source.decode() if is_text(source) else shown(source)


def _annotation(label: SampleLabel) -> Mapping[str, Any]:
    said: dict[str, Any] = {
        "type": f"modelarts/{TYPES[label.type]}",
        "name": label.name or None,
        "id": label.id,
        "property": dict(label.property) or None,
        "confidence": label.score,
        "annotated-by": label.annotated_by.value,
        "creation-time": label.created,
    }
    return {key: value for key, value in said.items() if value is not None}


def _object(label: SampleLabel) -> str:
    kind = str(label.property[SHAPE])
    points: Any = label.property[FEATURE]
    numbers = [number for point in points for number in point]
    parts = ["<object>", f"<name>{escape(label.name)}</name>"]
    parts += [f"<{key}>{escape(str(label.property[key]))}</{key}>" for key in KEPT if key in label.property]
    if label.score is not None:
        parts.append(f"<confidence>{label.score}</confidence>")
    coordinates = "".join(
        f"<{key}>{value}</{key}>" for key, value in zip(_names(kind, len(numbers)), numbers, strict=True)
    )
    return "\n".join([*parts, f"<{kind}>{coordinates}</{kind}>", "</object>"])


def _names(kind: str, count: int) -> list[str]:
    """What the coordinates of a shape are called, in their order."""
    if kind == BOX:
        return [*CORNERS]
    if kind == CIRCLE:
        return ["cx", "cy", "r"]
    return [f"{axis}{place}" for place in range(1, count // 2 + 1) for axis in "xy"]
