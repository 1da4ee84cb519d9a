"""Which files are the weights of a model: indexes of shards, and names that say that they belong together.

An index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`) maps each tensor to a file beside it. It may
be large, so it is scanned pair by pair; only the names of the files are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trivium.drivers.artifacts import limits
from trivium.drivers.artifacts.listing import Entry, Listing
from trivium.drivers.places import shown
from trivium.resources.models import ArtifactRefused, Fault

INDEX: Final = re.compile(rb".*\.(?:safetensors|bin)\.index(?:\.[\w-]+)?\.json", re.DOTALL)
STRING: Final = rb'("(?:[^"\\]++|\\.)*+")'
PAIR: Final = re.compile(rb"\s*+" + STRING + rb"\s*+:\s*+" + STRING + rb"\s*+([,}])", re.DOTALL)
KEY: Final = re.compile(rb"\s*+" + STRING + rb"\s*+:\s*+", re.DOTALL)
FLAT: Final = re.compile(rb'\{(?:[^{}"]++|"(?:[^"\\]++|\\.)*+")*+\}|[^\s{}\[\],"]++|"(?:[^"\\]++|\\.)*+"', re.DOTALL)
NEXT: Final = re.compile(rb"\s*+([,}])\s*+")
SHARD: Final = re.compile(rb"-\d{5}-of-\d{5}(?=\.\w+$)|(?<=^consolidated)\.\d\d(?=\.pth$)")  # the latter is Llama's
MOST_SHARDS: Final = 10_000
NO_WEIGHTS: Final = (b"optimizer", b"scheduler", b"rng_state", b"training_args", b"scaler", b"random_states")


def is_index(entry: Entry) -> bool:
    """Whether a file is an index of shards, by its name."""
    return INDEX.fullmatch(entry.name) is not None


def is_weights(entry: Entry) -> bool:
    """Whether a file with tensors has a model's weights, and not the state of its training."""
    return not entry.name.startswith(NO_WEIGHTS)


def shards_of(raw: bytes, entry: Entry, listing: Listing) -> frozenset[bytes]:
    """The paths of the files that an index names. Raises `ArtifactRefused` where one is elsewhere, or is not there."""
    name = shown(entry.path)
    found: set[bytes] = set()
    for part in _files(raw, name):
        if part in (b"", b".", b"..") or b"/" in part or b"\\" in part or b"\0" in part:
            raise ArtifactRefused(Fault.LEADS_OUT, name, part=shown(part[:200]))
        path = b"%s/%s" % (entry.directory, part) if entry.directory else part
        if path not in listing.by_path:
            raise ArtifactRefused(Fault.PART_ABSENT, name, part=shown(part[:200]))
        found.add(path)
    return frozenset(found)


def chosen(entries: Iterable[Entry], indexed: Mapping[bytes, frozenset[bytes]]) -> tuple[Entry, ...]:
    """The files that make up one model, of all files of a format.

    In each directory it is one set: the shards of an index, those whose names are alike but for `-00001-of-00003`, or
    one file. Of several sets, which are the same model in several precisions, it is the one with most bytes.
    Directories are parts of one model, and are added.
    """
    sets: dict[bytes, dict[bytes, list[Entry]]] = {}
    index_of = {path: index for index, paths in indexed.items() for path in paths}
    for entry in entries:
        key = index_of.get(entry.path) or SHARD.sub(b"", entry.name)
        sets.setdefault(entry.directory, {}).setdefault(key, []).append(entry)
    largest = (max(of.values(), key=_weight) for of in sets.values())
    return tuple(sorted((one for found in largest for one in found), key=lambda one: one.path))


def _weight(entries: list[Entry]) -> tuple[int, bytes]:
    return sum(one.size for one in entries), entries[0].path


def _files(raw: bytes, name: str) -> frozenset[bytes]:
    """The distinct names in an index's `weight_map`."""
    at = _map_at(raw, name)
    found: set[bytes] = set()
    seen: set[int] = set()
    while (pair := PAIR.match(raw, at)) is not None:
        tensor, file, follows = pair.groups()
        if hash(tensor) in seen:
            raise ArtifactRefused(Fault.DUPLICATE, name, key=tensor[1:200].decode(errors="replace"))
        seen.add(hash(tensor))
        found.add(_text(file, name, at))
        if len(found) > MOST_SHARDS or len(seen) > limits.TENSORS * 2:
            raise ArtifactRefused(Fault.TOO_LARGE, name, what="index", size=len(seen), limit=limits.TENSORS * 2)
        at = pair.end()
        if follows == b"}":
            return frozenset(found)
    raise _malformed(name, at)


def _map_at(raw: bytes, name: str) -> int:
    """Where the pairs of `weight_map` begin."""
    opening = re.match(rb"\s*+\{", raw)
    at = opening.end() if opening is not None else 0
    while opening is not None and (key := KEY.match(raw, at)) is not None:
        if key[1] == b'"weight_map"' and raw[key.end() : key.end() + 1] == b"{":
            return key.end() + 1
        value = FLAT.match(raw, key.end())
        follows = None if value is None else NEXT.match(raw, value.end())
        if follows is None or follows[1] != b",":
            break
        at = follows.end()
    raise _malformed(name, at)


def _text(quoted: bytes, name: str, at: int) -> bytes:
    if len(quoted) > limits.TEXT:
        raise _malformed(name, at)
    try:
        return msgspec.json.decode(quoted, type=str).encode()
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _malformed(name, at) from error


def _malformed(name: str, at: int) -> ArtifactRefused:
    return ArtifactRefused(Fault.MALFORMED, name, form="index", position=at)
