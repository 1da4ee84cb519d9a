"""Initializers and producer of ONNX files: the few fields of protobuf messages that are looked at, where they lie.

See https://github.com/onnx/onnx/blob/main/onnx/onnx.proto for the numbers of fields, and
https://protobuf.dev/programming-guides/encoding for how they are written. Tensors in attributes of nodes and in
subgraphs are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trivium.base.values import Value
from trivium.drivers.artifacts import limits
from trivium.drivers.artifacts.listing import Entry, Listing
from trivium.drivers.artifacts.tensors import Tensors, Weights, elements
from trivium.drivers.artifacts.window import Window
from trivium.drivers.places import shown
from trivium.resources.models import ArtifactRefused, Fault

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
PRODUCER, PRODUCER_VERSION, MODEL_VERSION, GRAPH = 2, 3, 5, 7  # of ModelProto
INITIALIZER = 5  # of GraphProto
DIMENSION, TYPE, NAME, RAW, EXTERNAL, LOCATION = 1, 2, 8, 9, 13, 14  # of TensorProto
KEY, VALUE = 1, 2  # of StringStringEntryProto
OUTSIDE = 1  # a TensorProto's data_location, where its data is in another file
RANK: Final = 32
BITS: Final = {
    1: ("F32", 32),
    2: ("U8", 8),
    3: ("I8", 8),
    4: ("U16", 16),
    5: ("I16", 16),
    6: ("I32", 32),
    7: ("I64", 64),
    8: ("STRING", 0),
    9: ("BOOL", 8),
    10: ("F16", 16),
    11: ("F64", 64),
    12: ("U32", 32),
    13: ("U64", 64),
    14: ("C64", 64),
    15: ("C128", 128),
    16: ("BF16", 16),
    17: ("F8_E4M3", 8),
    18: ("F8_E4M3FNUZ", 8),
    19: ("F8_E5M2", 8),
    20: ("F8_E5M2FNUZ", 8),
    21: ("U4", 4),
    22: ("I4", 4),
    23: ("F4", 4),
    24: ("F8_E8M0", 8),
}


class Onnx(Value, frozen=True):
    """What one file says."""

    producer: str
    producer_version: str
    version: int  # of the model; 0 where nobody set it
    weights: Weights
    outside: frozenset[bytes]  # paths of other files that have data of it


class _Tensor(Value, frozen=True):
    """An initializer, as far as it is looked at."""

    name: bytes
    dtype: int
    shape: tuple[int, ...]
    raw: int  # bytes of its data in the message; -1 where it has none in this form
    location: bytes | None
    offset: int
    length: int | None


def read(window: Window, entry: Entry, listing: Listing) -> Onnx:
    """What a file says. Raises `ArtifactRefused`, also where data outside of it is not where the file says."""
    return _Reading(window, entry, listing).whole()


class _Reading:
    """One file."""

    def __init__(self, window: Window, entry: Entry, listing: Listing) -> None:
        self._window = window
        self._entry = entry
        self._listing = listing
        self._fields = 0
        self._tensors = Tensors(window.name)
        self._outside: set[bytes] = set()

    def whole(self) -> Onnx:
        producer = version = ""
        number = 0
        has_graph = False
        for field, kind, value in self._below(self._window.end):
            if (field, kind) == (GRAPH, BYTES):
                has_graph = True
                self._graph(self._window.position + value)
            elif (field, kind) == (MODEL_VERSION, VARINT):
                number = value
            elif field in (PRODUCER, PRODUCER_VERSION) and kind == BYTES:
                text = self._text(value).decode(errors="replace")
                producer, version = (text, version) if field == PRODUCER else (producer, text)
        if not has_graph:
            raise self._window.malformed("ONNX")
        return Onnx(
            producer=producer,
            producer_version=version,
            version=number if number < 1 << 63 else 0,
            weights=self._tensors.weights(),
            outside=frozenset(self._outside),
        )

    def _graph(self, end: int) -> None:
        for field, kind, value in self._below(end):
            if (field, kind) == (INITIALIZER, BYTES):
                self._add(self._tensor(self._window.position + value))

    def _add(self, tensor: _Tensor) -> None:
        if tensor.dtype not in BITS:
            raise self._window.malformed("ONNX")
        dtype, bits = BITS[tensor.dtype]
        count = elements(tensor.shape, self._window.name)
        size = (count * bits + 7) // 8
        if tensor.location is not None:
            self._check_outside(tensor, size)
        elif tensor.raw >= 0 and bits and tensor.raw != size:
            raise ArtifactRefused(Fault.OFFSETS, self._window.name, start=0, end=tensor.raw, size=size)
        elif size > self._window.end * 8:  # the other forms spend at least a byte on an element, or eight of its bits
            raise ArtifactRefused(Fault.OFFSETS, self._window.name, start=0, end=size, size=self._window.end)
        self._tensors.add(tensor.name, dtype, count=count, size=size)

    def _check_outside(self, tensor: _Tensor, size: int) -> None:
        """That the file is one of the model's, beside this one or below, and has as much data."""
        location = tensor.location or b""
        name = shown(self._entry.path)
        parts = location.split(b"/")
        if not location or b".." in parts or b"\\" in location or b"\0" in location or location.startswith(b"/"):
            raise ArtifactRefused(Fault.LEADS_OUT, name, part=shown(location[:200]))
        tidy = b"/".join(part for part in parts if part not in (b"", b"."))
        path = b"%s/%s" % (self._entry.directory, tidy) if self._entry.directory else tidy
        found = self._listing.by_path.get(path)
        if found is None:
            raise ArtifactRefused(Fault.PART_ABSENT, name, part=shown(location[:200]))
        end = tensor.offset + (size if tensor.length is None else tensor.length)
        if end > found.size or (tensor.length is not None and tensor.length != size):
            raise ArtifactRefused(Fault.OFFSETS, name, start=tensor.offset, end=end, size=found.size)
        self._outside.add(path)

    def _tensor(self, end: int) -> _Tensor:
        name = b""
        dtype = 0
        shape: list[int] = []
        raw = -1
        is_outside = False
        external: dict[bytes, bytes] = {}
        for field, kind, value in self._below(end):
            if field == DIMENSION:
                shape.extend([value] if kind == VARINT else self._packed(value))
            elif (field, kind) == (TYPE, VARINT):
                dtype = value
            elif (field, kind) == (NAME, BYTES):
                name = self._text(value)
            elif (field, kind) == (RAW, BYTES):
                raw = value
            elif (field, kind) == (EXTERNAL, BYTES):
                external.update([self._pair(self._window.position + value)])
            elif (field, kind) == (LOCATION, VARINT):
                is_outside = value == OUTSIDE
            if len(shape) > RANK or len(external) > RANK:
                raise self._window.malformed("ONNX")
        return _Tensor(
            name=name,
            dtype=dtype,
            shape=tuple(shape),
            raw=raw,
            location=external.get(b"location", b"") if is_outside else None,
            offset=self._decimal(external.get(b"offset", b"0")),
            length=self._decimal(external[b"length"]) if b"length" in external else None,
        )

    def _pair(self, end: int) -> tuple[bytes, bytes]:
        found = {KEY: b"", VALUE: b""}
        for field, kind, value in self._below(end):
            if field in found and kind == BYTES:
                found[field] = self._text(value)
        return found[KEY], found[VALUE]

    def _packed(self, length: int) -> Iterator[int]:
        end = self._window.position + length
        for _ in range(RANK + 1):
            if self._window.position >= end:
                return
            yield self._varint()

    def _text(self, length: int) -> bytes:
        if length > limits.TEXT:
            raise ArtifactRefused(Fault.TOO_LARGE, self._window.name, what="name", size=length, limit=limits.TEXT)
        return self._window.take(length)

    def _decimal(self, text: bytes) -> int:
        if not text.isdigit() or len(text) > len(str(limits.COUNT)):
            raise self._window.malformed("ONNX")
        return int(text)

    def _below(self, end: int) -> Iterator[tuple[int, int, int]]:
        """The fields of a message: number, kind, and the value or how many bytes it has; then on to the next."""
        if end > self._window.end:
            raise ArtifactRefused(Fault.TRUNCATED, self._window.name)
        while self._window.position < end:
            self._fields += 1
            if self._fields > limits.FIELDS:
                raise ArtifactRefused(
                    Fault.TOO_LARGE, self._window.name, what="messages", size=self._fields, limit=limits.FIELDS
                )
            tag = self._varint()
            kind = tag & 7
            value, follows = self._value(kind)
            if follows > end:
                raise ArtifactRefused(Fault.TRUNCATED, self._window.name)
            yield tag >> 3, kind, value
            if self._window.position > follows:  # a packed list whose last number is longer than the list
                raise self._window.malformed("ONNX")
            self._window.skip(follows - self._window.position)

    def _value(self, kind: int) -> tuple[int, int]:
        """A field's value or length, and where the field after it begins."""
        if kind in (VARINT, BYTES):
            value = self._varint()
            return value, self._window.position + (value if kind == BYTES else 0)
        if kind in (FIXED64, FIXED32):
            return 0, self._window.position + (8 if kind == FIXED64 else 4)
        raise self._window.malformed("ONNX")

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._window.take(1)[0]
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value & ((1 << 64) - 1)
        raise self._window.malformed("ONNX")
