"""Annotations in Pascal VOC, as ModelArts has them: boxes, other shapes, masks.

See "Specifications for Importing a Manifest File" in its user guide. The file is UTF-8, small, and declares nothing:
without a document type there are no entities that could grow.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

import msgspec

from trivium.base.values import Value
from trivium.drivers.annotations import limits, shapes
from trivium.drivers.annotations.images import Size
from trivium.drivers.annotations.shapes import Bounds, Feature, Number
from trivium.resources.datasets import SourceFault, SourceRefused

CHUNK: Final = 64 * 1024  # bytes between looks at what the parser met
ROOT: Final = "annotation"
OBJECT: Final = "object"
IN_OBJECT: Final = 3  # elements on the way to what an object has
NUMBER: Final = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,2})?", re.ASCII)
MOST_CHANNELS: Final = 64


class Object(Value, frozen=True):
    """One thing in an image."""

    name: str
    shape: str
    feature: Feature
    said: Mapping[str, str]  # the other elements with text alone: pose, truncated, difficult …


class Annotation(Value, frozen=True):
    """What one file says."""

    objects: tuple[Object, ...] = ()
    size: Size | None = None  # None where it is not said, or as 0
    mask: str | None = None  # where the mask of a segmentation lies


class _Draft(msgspec.Struct):
    """An object, as far as it was read."""

    said: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    shape: str | None = None
    coordinates: dict[str, Number] = msgspec.field(default_factory=dict[str, Number])


def parse(raw: bytes, name: str) -> Annotation:
    """What a file says. Raises `SourceRefused`."""
    if b"\0" in raw:  # UTF-16, which the parser would take by its first two bytes
        raise SourceRefused(SourceFault.ENCODING, name)
    if b"<!DOCTYPE" in raw:
        raise SourceRefused(SourceFault.ENTITIES, name)
    parser = expat.ParserCreate("UTF-8")  # whatever the file declares
    parser.buffer_text = True
    reading = _Reading(name)
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    try:
        for at in range(0, len(raw), CHUNK):
            parser.Parse(raw[at : at + CHUNK])
        parser.Parse(b"", True)  # noqa: FBT003 - its way to say that this was all
    except expat.ExpatError as error:
        position = parser.ErrorByteIndex
        raise SourceRefused(SourceFault.MALFORMED, name, form="XML", position=position) from error
    return reading.annotation()


class _Reading:
    """One file on its way through the parser."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._way: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._elements = 0
        self._said: dict[str, str] = {}  # of the image
        self._draft: _Draft | None = None
        self._objects: list[Object] = []

    def start(self, element: str, _attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > limits.XML_ELEMENTS:
            raise SourceRefused(SourceFault.TOO_LARGE, self._name, what="XML", limit=limits.XML_ELEMENTS)
        if len(self._way) >= limits.XML_DEPTH:
            raise SourceRefused(SourceFault.NESTED, self._name, limit=limits.XML_DEPTH)
        if not self._way and element != ROOT:
            raise SourceRefused(SourceFault.FIELD, self._name, problem=f"<{element}> where <{ROOT}> is due")
        self._way.append(element)
        self._text.clear()
        self._length = 0
        if self._way == [ROOT, OBJECT]:
            self._draft = _Draft()
        elif self._draft is not None and len(self._way) == IN_OBJECT and element in shapes.KINDS:
            self._once(self._draft.shape is None, element)
            self._draft.shape = element

    def text(self, text: str) -> None:
        self._length += len(text)
        if self._length > limits.TEXT:
            raise SourceRefused(SourceFault.TOO_LARGE, self._name, what=self._way[-1], limit=limits.TEXT)
        self._text.append(text)

    def end(self, element: str) -> None:
        text = "".join(self._text).strip()
        self._text.clear()
        self._length = 0
        draft = self._draft
        match self._way:
            case ["annotation", "object"]:
                self._objects.append(self._object())
            case ["annotation", "object", _] if draft is not None and element not in shapes.KINDS:
                if text:
                    self._keep(draft.said, element, text)
            case ["annotation", "object", shape, _] if draft is not None and shape in shapes.KINDS:
                self._once(element not in draft.coordinates, element)
                draft.coordinates[element] = self._number(element, text)
            case ["annotation", "mask_source"] | ["annotation", "size", "width" | "height" | "depth"]:
                self._keep(self._said, element, text)
            case _:
                pass
        self._way.pop()

    def annotation(self) -> Annotation:
        return Annotation(objects=tuple(self._objects), size=self._size(), mask=self._said.get("mask_source") or None)

    def _object(self) -> Object:
        draft, self._draft = self._draft or _Draft(), None
        label = draft.said.pop("name", "")
        if draft.shape is None:
            raise SourceRefused(SourceFault.SHAPE, self._name, shape="-", label=label)
        feature = shapes.of_coordinates(draft.shape, draft.coordinates)
        if feature is None:
            raise SourceRefused(SourceFault.SHAPE, self._name, shape=draft.shape, label=label)
        return Object(name=label, shape=draft.shape, feature=feature, said=draft.said)

    def _size(self) -> Size | None:
        sides = [self._number(side, self._said.get(side) or "0") for side in ("width", "height", "depth")]
        if any(side != int(side) or not 0 <= side <= limits.COORDINATE for side in sides) or sides[2] > MOST_CHANNELS:
            raise SourceRefused(SourceFault.NUMBER, self._name, what="size", value=sides)
        width, height, depth = map(int, sides)
        return Size(width=width, height=height, depth=depth) if width and height else None

    def _number(self, field: str, text: str) -> Number:
        found = as_number(text)
        if found is None:
            raise SourceRefused(SourceFault.NUMBER, self._name, what=field, value=text)
        return found

    def _keep(self, kept: dict[str, str], key: str, text: str) -> None:
        self._once(key not in kept, key)
        kept[key] = text

    def _once(self, is_first: bool, key: str) -> None:  # noqa: FBT001 - it is what is asserted
        if not is_first:
            raise SourceRefused(SourceFault.DUPLICATE, self._name, key=key)


def as_number(text: str) -> Number | None:
    """The number that a text is, whole where it is written so; None where it is none or a monstrous one."""
    if NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    if not math.isfinite(number) or abs(number) > limits.COORDINATE:
        return None
    return int(number) if number.is_integer() and "." not in text else number


def bounds_of(*sizes: Size | None) -> Bounds:
    """How far shapes may reach: into the first size that is known."""
    size = next((one for one in sizes if one is not None), None)
    return shapes.ANYWHERE if size is None else Bounds(width=size.width, height=size.height)
