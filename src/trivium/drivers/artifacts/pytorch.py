"""PyTorch archives (`torch.save` since 1.6), without unpickling: the storages that their pickle tells of.

A tensor is pickled with a persistent id, the tuple `("storage", <type of storage>, <key>, <device>, <elements>)`; its
data is the entry `data/<key>` beside `data.pkl`. The opcodes are read one after the other for these tuples, and nothing
is ever built, imported or called. What shares a storage (tied weights) is counted once, as it is stored.
"""

from __future__ import annotations

import pickletools
from collections import deque
from collections.abc import Iterator
from typing import Final

from trivium.drivers.artifacts import limits
from trivium.drivers.artifacts.archives import MAGIC, Archive, Stored
from trivium.drivers.artifacts.tensors import Tensors, Weights
from trivium.drivers.artifacts.window import Window
from trivium.resources.models import ArtifactRefused, Fault

STORAGES: Final = {
    "DoubleStorage": ("F64", 8),
    "FloatStorage": ("F32", 4),
    "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8),
    "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2),
    "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
    "ComplexDoubleStorage": ("C128", 16),
    "ComplexFloatStorage": ("C64", 8),
    "QInt8Storage": ("I8", 1),
    "QUInt8Storage": ("U8", 1),
    "QInt32Storage": ("I32", 4),
}
UNTYPED: Final = ("BYTES", 1)  # a storage that does not say what is in it, of types that came later
PERSISTENT: Final = 5  # things in the tuple
LEGACY: Final = bytes.fromhex("80028a0a6cfc9c46f9206aa85019")  # the pickled magic number of files before 1.6
MEMO: Final = 200_000
Atom = str | int | None


def read(descriptor: int, name: str, size: int) -> Weights | None:
    """What a file's tensors are; None where it has none. Raises `ArtifactRefused`.

    Of what `torch.save` wrote before 1.6 nothing is known but that it is one: its weights have no totals.
    """
    head = Window(descriptor, name, size=size).take(min(len(LEGACY), size))
    if head == LEGACY:
        return Weights(totals=(), names=0)
    if not head.startswith(MAGIC):
        return None
    archive = Archive(descriptor, name, size)
    entries = archive.entries()
    pickled = [one for path, one in entries.items() if path.endswith(b"/data.pkl") and path.count(b"/") == 1]
    if len(pickled) != 1:
        return None  # an archive of something else
    if pickled[0].size > limits.PICKLE:
        raise ArtifactRefused(Fault.TOO_LARGE, name, what="data.pkl", size=pickled[0].size, limit=limits.PICKLE)
    weights = _weights(archive.window(pickled[0]), pickled[0].path.rpartition(b"/")[0], entries)
    return weights if weights.names else None


class _Pickle:
    """What `pickletools` reads from: the pickle, bounded, also where an old opcode asks for a line."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def read(self, count: int) -> bytes:
        part = self._raw[self._at : self._at + count] if count >= 0 else b""
        self._at += len(part)
        return part

    def readline(self) -> bytes:
        end = self._raw.find(b"\n", self._at, self._at + limits.TEXT)
        return self.read(end + 1 - self._at) if end >= 0 else b""

    def tell(self) -> int:
        return self._at


def _weights(window: Window, folder: bytes, entries: dict[bytes, Stored]) -> Weights:
    tensors = Tensors(window.name)
    seen: set[str] = set()
    start = window.position
    pickle = _Pickle(window.take(window.left))
    try:
        for kind, key, count in _storages(pickle):
            if key in seen:
                continue
            seen.add(key)
            dtype, size = STORAGES.get(kind, UNTYPED)
            stored = entries.get(b"%s/data/%s" % (folder, key.encode()))
            if stored is None:
                raise ArtifactRefused(Fault.PART_ABSENT, window.name, part=f"data/{key[:200]}")
            if count * size != stored.size:
                raise ArtifactRefused(Fault.OFFSETS, window.name, start=0, end=count * size, size=stored.size)
            tensors.add(key.encode(), dtype, count=count, size=stored.size)
    except (ValueError, OverflowError) as error:  # whatever pickletools finds wrong
        at = start + pickle.tell()
        raise ArtifactRefused(Fault.MALFORMED, window.name, form="pickle", position=at) from error
    return tensors.weights()


def _storages(pickle: _Pickle) -> Iterator[tuple[str, str, int]]:
    """Type, key and number of elements of each storage that a persistent id names. ValueError where it is no pickle."""
    atoms = _Atoms()
    opcodes = pickletools.genops(pickle)  # pyright: ignore[reportArgumentType] - it asks for no more than is there
    for number, (opcode, argument, _) in enumerate(opcodes):
        if number > limits.FIELDS:
            message = "the pickle has too many opcodes"
            raise ValueError(message)
        if opcode.name == "BINPERSID":
            if (found := _storage(atoms.recent)) is not None:
                yield found
            atoms.recent.clear()
        else:
            atoms.go(opcode.name, argument)


class _Atoms:
    """The words and numbers that were pushed last, and those that were put aside to be pushed again."""

    def __init__(self) -> None:
        self.recent: deque[Atom] = deque(maxlen=PERSISTENT + 1)  # None is anything else
        self._memo: dict[int, Atom] = {}

    def go(self, opcode: str, argument: object) -> None:
        """Take one opcode. ValueError where the pickle puts too much aside."""
        last = self.recent[-1] if self.recent else None
        if opcode in ("GET", "BINGET", "LONG_BINGET"):
            self.recent.append(self._memo.get(argument) if isinstance(argument, int) else None)
        elif opcode in ("PUT", "BINPUT", "LONG_BINPUT") and isinstance(argument, int):
            self._put(argument, last)
        elif opcode == "MEMOIZE":
            self._put(len(self._memo), last)
        elif opcode == "STACK_GLOBAL":  # takes a module and a name
            for _ in range(min(2, len(self.recent))):
                self.recent.pop()
            self.recent.append(last)
        else:
            self.recent.append(_atom(opcode, argument))

    def _put(self, place: int, atom: Atom) -> None:
        self._memo[place] = atom
        if len(self._memo) > MEMO:
            message = "the pickle puts too much aside"
            raise ValueError(message)


def _atom(opcode: str, argument: object) -> Atom:
    """What an opcode pushes, as far as a storage's tuple is made of it."""
    if opcode == "GLOBAL" and isinstance(argument, str):
        return argument.rpartition(" ")[2]
    if not opcode.startswith(("BIN", "SHORT", "LONG")) or isinstance(argument, bool):
        return None
    if isinstance(argument, str):
        return argument if len(argument) <= limits.TEXT else None
    return argument if isinstance(argument, int) else None


def _storage(recent: deque[Atom]) -> tuple[str, str, int] | None:
    """The storage in `word, type, key, device, number, <the tuple>`, which is what was pushed last."""
    if len(recent) <= PERSISTENT:
        return None
    word, kind, key, _, count, _ = recent
    if word != "storage" or not isinstance(kind, str) or not isinstance(key, str) or not isinstance(count, int):
        return None
    if not 0 <= count <= limits.COUNT:
        message = "no storage has as many elements"
        raise ValueError(message)
    return kind, key, count
