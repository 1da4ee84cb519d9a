"""Metadata and tensors of GGUF files, versions 2 and 3, of either byte order.

See https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Values that nobody here asks for are skipped where they
lie.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping
from typing import Final

from trivium.base.values import Value
from trivium.drivers.artifacts import limits
from trivium.drivers.artifacts.tensors import Tensors, Weights, elements
from trivium.drivers.artifacts.window import Window
from trivium.resources.models import ArtifactRefused, Fault, Shape

MAGIC: Final = b"GGUF"
STRING: Final = 8
ARRAY: Final = 9
SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
WHOLE: Final = frozenset({0, 1, 2, 3, 4, 5, 10, 11})
DIMENSIONS: Final = 8
BLOCKS: Final = {  # types of ggml: name, elements of a block, bytes of a block
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}
TEXTS: Final = frozenset(
    b"general." + name for name in (b"architecture", b"name", b"organization", b"author", b"version", b"license")
)
NUMBERS: Final = (
    b".block_count",
    b".context_length",
    b".embedding_length",
    b".attention.head_count",
    b".attention.head_count_kv",
    b".attention.key_length",
    b".attention.value_length",
    b"general.alignment",
)
NO_CACHE: Final = ("bert", "nomic-bert", "jina-bert-v2", "modern-bert", "clip", "t5encoder")


class Gguf(Value, frozen=True):
    """What one file says."""

    version: int
    pairs: Mapping[str, str | int]  # of the metadata, what is asked for
    weights: Weights

    def text(self, key: str) -> str | None:
        """A value that is a string, and not an empty one."""
        value = self.pairs.get(key)
        return value if isinstance(value, str) and value.strip() else None

    @property
    def shape(self) -> Shape:
        """The measures of its transformer."""
        architecture = self.text("general.architecture") or ""
        heads = self._number(f"{architecture}.attention.head_count")
        kept = self._number(f"{architecture}.attention.head_count_kv") or heads
        hidden = self._number(f"{architecture}.embedding_length")
        wide = hidden // heads if hidden and heads else None
        keys = self._number(f"{architecture}.attention.key_length") or wide
        values = self._number(f"{architecture}.attention.value_length") or wide
        return Shape(
            layers=self._number(f"{architecture}.block_count"),
            heads=heads,
            cached=kept * (keys + values) if kept and keys and values else None,
            context=self._number(f"{architecture}.context_length"),
            generates=bool(architecture) and architecture not in NO_CACHE,
        )

    def _number(self, key: str) -> int | None:
        value = self.pairs.get(key)
        return value if isinstance(value, int) and 0 < value <= 1 << 40 else None


def read(window: Window) -> Gguf:
    """What a file's header says. Raises `ArtifactRefused`."""
    if window.take(4) != MAGIC:
        raise window.malformed("GGUF")
    raw = window.take(4)
    order = next((order for order in "<>" if struct.unpack(order + "I", raw)[0] in (2, 3)), None)
    if order is None:
        raise window.malformed("GGUF")
    return _Reading(window, order).whole(struct.unpack(order + "I", raw)[0])


class _Reading:
    """One file, in its byte order."""

    def __init__(self, window: Window, order: str) -> None:
        self._window = window
        self._order = order
        self._u32 = struct.Struct(order + "I")
        self._u64 = struct.Struct(order + "Q")
        self._scalars = {kind: struct.Struct(order + code) for kind, code in SCALARS.items()}
        self._elements = 0  # of lists of strings, so far

    def whole(self, version: int) -> Gguf:
        tensors = self._count(limits.TENSORS, "tensors")
        pairs = self._pairs(self._count(limits.PAIRS, "metadata"))
        return Gguf(version=version, pairs=pairs, weights=self._tensors(tensors, pairs.get("general.alignment", 32)))

    def _count(self, limit: int, what: str) -> int:
        count = self._window.unpack(self._u64)
        if count > limit:
            raise ArtifactRefused(Fault.TOO_LARGE, self._window.name, what=what, size=count, limit=limit)
        return count

    def _pairs(self, count: int) -> dict[str, str | int]:
        found: dict[str, str | int] = {}
        seen: set[int] = set()
        for _ in range(count):
            key = self._name()
            if hash(key) in seen:
                raise ArtifactRefused(Fault.DUPLICATE, self._window.name, key=key[:200].decode(errors="replace"))
            seen.add(hash(key))
            value = self._value(self._window.unpack(self._u32))
            if (isinstance(value, str) and key in TEXTS) or (isinstance(value, int) and key.endswith(NUMBERS)):
                found[key.decode(errors="replace")] = value
        return found

    def _value(self, kind: int) -> str | int | None:
        if kind == STRING:
            return self._text()
        if kind == ARRAY:
            return self._array()
        if kind not in self._scalars:
            raise self._window.malformed("GGUF")
        value = self._window.unpack(self._scalars[kind])
        return value if kind in WHOLE else None

    def _array(self) -> int | None:
        """Skip a list; of one of whole numbers its largest, since some measures differ from layer to layer."""
        kind = self._window.unpack(self._u32)
        length = self._window.unpack(self._u64)
        if kind == STRING:
            self._elements += length
            if self._elements > limits.ELEMENTS:
                raise ArtifactRefused(
                    Fault.TOO_LARGE, self._window.name, what="metadata", size=self._elements, limit=limits.ELEMENTS
                )
            for _ in range(length):
                self._window.skip(self._window.unpack(self._u64))
            return None
        if kind not in self._scalars:  # lists of lists are allowed by the format, and written by nobody
            raise self._window.malformed("GGUF")
        layout = self._scalars[kind]
        if 0 < length <= limits.CONFIG_DEPTH * 16 and kind in WHOLE:
            return max(self._window.unpack(layout) for _ in range(length))
        self._window.skip(length * layout.size)
        return None

    def _text(self) -> str | None:
        length = self._window.unpack(self._u64)
        if length > limits.TEXT:
            self._window.skip(length)
            return None
        return self._window.take(length).decode(errors="replace")

    def _name(self) -> bytes:
        length = self._window.unpack(self._u64)
        if length > limits.TEXT:
            raise ArtifactRefused(Fault.TOO_LARGE, self._window.name, what="name", size=length, limit=limits.TEXT)
        return self._window.take(length)

    def _tensors(self, count: int, alignment: object) -> Weights:
        if not (isinstance(alignment, int) and 0 < alignment <= 1 << 30):
            raise self._window.malformed("GGUF")
        tensors = Tensors(self._window.name)
        offsets = array("Q")
        ends = array("Q")
        for _ in range(count):
            name = self._name()
            dimensions = self._window.unpack(self._u32)
            if dimensions > DIMENSIONS:
                raise self._window.malformed("GGUF")
            number = elements([self._window.unpack(self._u64) for _ in range(dimensions)], self._window.name)
            kind, offset = self._window.unpack(self._u32), self._window.unpack(self._u64)
            if offset % alignment:
                raise self._window.malformed("GGUF")
            dtype, block, size = BLOCKS.get(kind, (f"GGML_{kind}", 1, 0))  # a newer type: its size is not known
            if number % block:
                raise self._window.malformed("GGUF")
            tensors.add(name, dtype, count=number, size=number // block * size)
            offsets.append(offset)
            ends.append(min(offset + number // block * size, limits.COUNT))
        self._place(tensors, offsets, ends=ends, alignment=alignment)
        return tensors.weights()

    def _place(self, tensors: Tensors, offsets: array[int], *, ends: array[int], alignment: int) -> None:
        """Check that all data is there."""
        if not offsets:
            return
        begins = -(-self._window.position // alignment) * alignment
        within = max(self._window.end - begins, 0)
        for start, end in zip(offsets, ends, strict=True):
            tensors.place(start, end, within=within)
        tensors.check_overlaps()
