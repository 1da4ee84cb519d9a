"""Tensors of one file, as they are met: totals of each type, and that none lies over another or outside the file."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from trivium.base.values import Value
from trivium.drivers.artifacts import limits
from trivium.resources.models import ArtifactRefused, Fault, TensorTotal


class Weights(Value, frozen=True):
    """The tensors of one file, together."""

    totals: tuple[TensorTotal, ...]
    names: int  # how many tensors


class Tensors:
    """Adds up tensors. Names are kept as hashes and places as numbers, so that many cost little."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parameters: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._names: set[int] = set()
        self._starts = array("Q")
        self._ends = array("Q")

    def add(self, tensor: bytes, dtype: str, *, count: int, size: int) -> None:
        """Note a tensor. Raises `ArtifactRefused` where there is one of that name."""
        key = hash(tensor)
        if key in self._names:
            shown = tensor.decode(errors="replace")[:200]
            raise ArtifactRefused(Fault.DUPLICATE, self._name, key=shown)
        self._names.add(key)
        if len(self._names) > limits.TENSORS:
            raise ArtifactRefused(
                Fault.TOO_LARGE, self._name, what="tensors", size=len(self._names), limit=limits.TENSORS
            )
        self._parameters[dtype] = self._parameters.get(dtype, 0) + count
        self._sizes[dtype] = self._sizes.get(dtype, 0) + size

    def place(self, start: int, end: int, *, within: int) -> None:
        """Note where a tensor lies. Raises `ArtifactRefused` where that is outside of the data."""
        if not 0 <= start <= end <= within:
            raise ArtifactRefused(Fault.OFFSETS, self._name, start=start, end=end, size=within)
        if start != end:
            self._starts.append(start)
            self._ends.append(end)

    def check_overlaps(self) -> None:
        """Raises `ArtifactRefused` where two of them lie over each other."""
        order = sorted(range(len(self._starts)), key=self._starts.__getitem__)
        last = 0
        for index in order:
            if self._starts[index] < last:
                start, end = self._starts[index], self._ends[index]
                raise ArtifactRefused(Fault.OFFSETS, self._name, start=start, end=end, size=last)
            last = self._ends[index]

    def weights(self) -> Weights:
        """What was met, the type with most bytes first."""
        order = sorted(self._sizes, key=lambda dtype: (-self._sizes[dtype], dtype))
        totals = (
            TensorTotal(dtype=dtype, parameters=self._parameters[dtype], size=self._sizes[dtype]) for dtype in order
        )
        return Weights(totals=tuple(totals), names=len(self._names))


def elements(shape: Sequence[int], name: str) -> int:
    """How many elements a tensor of that shape has. Raises `ArtifactRefused` where no file could have them."""
    count = 1
    for length in shape:
        if not 0 <= length <= limits.COUNT:
            raise ArtifactRefused(Fault.OFFSETS, name, start=0, end=length, size=limits.COUNT)
        count *= length
        if count > limits.COUNT:
            raise ArtifactRefused(Fault.OFFSETS, name, start=0, end=count, size=limits.COUNT)
    return count


def merge(parts: Sequence[Weights]) -> tuple[TensorTotal, ...]:
    """The totals of several files, together, the type with most bytes first."""
    parameters: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for total in (total for part in parts for total in part.totals):
        parameters[total.dtype] = parameters.get(total.dtype, 0) + total.parameters
        sizes[total.dtype] = sizes.get(total.dtype, 0) + total.size
    order = sorted(sizes, key=lambda dtype: (-sizes[dtype], dtype))
    return tuple(TensorTotal(dtype=dtype, parameters=parameters[dtype], size=sizes[dtype]) for dtype in order)
