"""Images with their sizes, and what Pascal VOC says of them, as samples have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trivium.drivers.annotations import limits, shapes, voc
from trivium.drivers.annotations.files import File
from trivium.drivers.annotations.images import Size
from trivium.drivers.annotations.texts import label_name
from trivium.drivers.annotations.wanting import HARD
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import Annotator, Json, LabelType, SampleLabel

KEPT: Final = ("pose", "truncated", "occluded", "difficult", "mask_color")
NO: Final = ("", "0", "false", "False")
SHAPE: Final = "@modelarts:shape"
FEATURE: Final = "@modelarts:feature"
SIZE: Final = "@modelarts:size"
MASK: Final = "mask_source"
"""Where the mask of a segmentation lies."""


def metadata_of(size: Size | None) -> dict[str, Json]:
    """What a sample says of its size: width, height and channels."""
    return {} if size is None else {SIZE: [size.width, size.height, size.depth]}


def annotation_in(file: File) -> voc.Annotation:
    """What a file of Pascal VOC says. Raises `SourceRefused`."""
    return voc.parse(file.whole(limits.XML, "XML"), file.name)


def labels_of(
    said: voc.Annotation, name: str, *, type: LabelType, size: Size | None, created: str | None = None
) -> tuple[SampleLabel, ...]:
    """The labels that an annotation comes to, whose shapes must lie in the image. Raises `SourceRefused`."""
    bounds = voc.bounds_of(size, said.size)
    if len(said.objects) > limits.LABELS:
        raise SourceRefused(SourceFault.TOO_LARGE, name, what="labels", limit=limits.LABELS)
    return tuple(_label(one, name, type=type, bounds=bounds, created=created) for one in said.objects)


def score_of(text: str | float, name: str) -> float:
    """How sure something is, from 0 to 1. Raises `SourceRefused`."""
    number = voc.as_number(text) if isinstance(text, str) else text
    if number is None or not 0 <= number <= 1:
        raise SourceRefused(SourceFault.NUMBER, name, what="confidence", value=text)
    return float(number)


def check(kind: str, feature: shapes.Feature, *, bounds: shapes.Bounds, label: str, name: str) -> None:
    """Raises `SourceRefused` where there can be no such shape."""
    if not shapes.fits(kind, feature, bounds):
        raise SourceRefused(SourceFault.SHAPE, name, shape=kind, label=label)


def _label(one: voc.Object, name: str, *, type: LabelType, bounds: shapes.Bounds, created: str | None) -> SampleLabel:
    label = label_name(one.name, name)
    check(one.shape, one.feature, bounds=bounds, label=label, name=name)
    confidence = one.said.get("confidence")
    return SampleLabel(
        name=label,
        type=type,
        score=None if confidence is None else score_of(confidence, name),
        annotated_by=Annotator.HUMAN if confidence is None else Annotator.AUTO,
        created=created,
        property=_property(one, name),
    )


def _property(one: voc.Object, name: str) -> Mapping[str, Json]:
    found: dict[str, Json] = {SHAPE: one.shape, FEATURE: [[*point] for point in one.feature]}
    found |= {key: one.said[key] for key in KEPT if key in one.said}
    if one.said.get("difficult", "") not in NO:
        found[HARD] = True
    if "hard-coefficient" in one.said:
        found["@modelarts:hard_coefficient"] = score_of(one.said["hard-coefficient"], name)
    return found
