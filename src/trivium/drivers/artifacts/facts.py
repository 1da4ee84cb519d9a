"""Puts together what the files of a model say."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from trivium.base.values import Value
from trivium.drivers.artifacts import (
    bounded_json,
    configs,
    front_matter,
    gguf,
    limits,
    onnx,
    pytorch,
    safetensors,
    shards,
)
from trivium.drivers.artifacts.checksums import Stopped
from trivium.drivers.artifacts.configs import Configured
from trivium.drivers.artifacts.listing import Entry, Listing
from trivium.drivers.artifacts.tensors import Weights, merge
from trivium.drivers.artifacts.window import Window
from trivium.drivers.places import shown
from trivium.resources.models import ArtifactRefused, Facts, Fault, Shape

FORMATS: Final = ("safetensors", "pytorch", "gguf", "onnx")
"""Whose tensors count, where a model is there in several formats: the first of these."""

SUFFIXES: Final = {
    b".safetensors": "safetensors",
    b".gguf": "gguf",
    b".onnx": "onnx",
    b".bin": "pytorch",
    b".pt": "pytorch",
    b".pth": "pytorch",
    b".ckpt": "pytorch",
}
CONFIG: Final = b"config.json"
GENERATION: Final = b"generation_config.json"
CARD: Final = b"README.md"
POINTER: Final = b"version https://git-lfs.github.com/spec/"
POINTER_BYTES: Final = 1024
MOST_LANGUAGES: Final = 100


class _Found(Value, frozen=True):
    """What the files of weights say."""

    formats: Mapping[str, Mapping[bytes, Weights]]  # by format and path
    gguf: Mapping[bytes, gguf.Gguf]
    onnx: Mapping[bytes, onnx.Onnx]
    indexed: Mapping[bytes, frozenset[bytes]]


def describe(listing: Listing, *, stopped: Callable[[], bool]) -> Facts:
    """All but the checksum, which is left empty. Raises `ArtifactRefused`, and `Stopped` when it was to stop."""
    configured = configs.read(_json(listing, CONFIG), _json(listing, GENERATION))
    card = _card(listing)
    found = _Reading(listing, stopped).whole()
    formats = tuple(form for form in FORMATS if found.formats[form])
    parts: Mapping[bytes, Weights] = found.formats[formats[0]] if formats else {}
    files = shards.chosen([listing.by_path[path] for path in parts], found.indexed)
    first = files[0].path if files else b""
    outside = {path for entry in files if entry.path in found.onnx for path in found.onnx[entry.path].outside}
    weights = [parts[entry.path] for entry in files]
    return msgspec.structs.replace(
        _said(configured, card, of_gguf=found.gguf.get(first), of_onnx=found.onnx.get(first)),
        size=listing.size,
        files=len(listing.entries),
        formats=formats,
        weights=merge(weights) if all(one.totals for one in weights) else (),
        weights_size=sum(one.size for one in files) + sum(listing.by_path[path].size for path in outside),
    )


def _said(
    configured: Configured,
    card: Mapping[str, tuple[str, ...]],
    *,
    of_gguf: gguf.Gguf | None,
    of_onnx: onnx.Onnx | None,
) -> Facts:
    """What is written down of a model: its configuration first, then its card, then the headers of its weights."""

    def general(key: str) -> str | None:
        return None if of_gguf is None else of_gguf.text(f"general.{key}")

    version = str(of_onnx.version) if of_onnx is not None and of_onnx.version else None
    return Facts(
        size=0,
        files=0,
        checksum="",
        shape=of_gguf.shape if of_gguf is not None and configured.shape == Shape() else configured.shape,
        name=_first(card, "model_name") or general("name"),
        architecture=configured.architecture or general("architecture"),
        pipeline_tag=_first(card, "pipeline_tag") or configured.pipeline_tag,
        framework_version=_framework(configured, of_gguf, of_onnx),
        vendor=configured.vendor or general("organization") or general("author"),
        version=_first(card, "version") or general("version") or version,
        license=_first(card, "license") or general("license"),
        library=_first(card, "library_name"),
        base_model=_first(card, "base_model"),
        languages=card.get("language", ())[:MOST_LANGUAGES],
    )


def _framework(configured: Configured, of_gguf: gguf.Gguf | None, of_onnx: onnx.Onnx | None) -> str | None:
    if configured.transformers is not None:
        return f"Transformers {configured.transformers}"
    if of_onnx is not None and of_onnx.producer:
        return f"{of_onnx.producer} {of_onnx.producer_version}".strip()
    return None if of_gguf is None else f"GGUF {of_gguf.version}"


def _first(card: Mapping[str, tuple[str, ...]], key: str) -> str | None:
    return next(iter(card.get(key, ())), None)


def _json(listing: Listing, path: bytes) -> Mapping[str, Any]:
    entry = listing.by_path.get(path)
    if entry is None or not listing.is_directory:
        return {}
    return bounded_json.parse(_whole(listing, entry, limits.CONFIG), shown(path))


def _card(listing: Listing) -> Mapping[str, tuple[str, ...]]:
    entry = listing.by_path.get(CARD)
    if entry is None or not listing.is_directory:
        return {}
    with _window(listing, entry) as window:
        return front_matter.parse(window.take(min(entry.size, limits.FRONT_MATTER)), window.name)


def _whole(listing: Listing, entry: Entry, limit: int) -> bytes:
    if entry.size > limit:
        raise ArtifactRefused(Fault.TOO_LARGE, shown(entry.path), what="JSON", size=entry.size, limit=limit)
    with _window(listing, entry) as window:
        return window.take(entry.size)


@contextmanager
def _window(listing: Listing, entry: Entry) -> Generator[Window]:
    with listing.opened(entry) as descriptor:
        yield Window(descriptor, shown(entry.path), size=entry.size)


class _Reading:
    """Goes through the files of weights."""

    def __init__(self, listing: Listing, stopped: Callable[[], bool]) -> None:
        self._listing = listing
        self._stopped = stopped
        self._formats: dict[str, dict[bytes, Weights]] = {form: {} for form in FORMATS}
        self._gguf: dict[bytes, gguf.Gguf] = {}
        self._onnx: dict[bytes, onnx.Onnx] = {}
        self._indexed: dict[bytes, frozenset[bytes]] = {}

    def whole(self) -> _Found:
        for entry in self._listing.entries:
            if self._stopped():
                raise Stopped
            if shards.is_index(entry) and self._listing.is_directory:
                raw = _whole(self._listing, entry, limits.HEADER)
                self._indexed[entry.path] = shards.shards_of(raw, entry, self._listing)
                continue
            form = SUFFIXES.get(entry.name[entry.name.rfind(b".") :].lower()) if b"." in entry.name else None
            if form is not None and (weights := self._read(form, entry)) is not None and shards.is_weights(entry):
                self._formats[form][entry.path] = weights
        return _Found(formats=self._formats, gguf=self._gguf, onnx=self._onnx, indexed=self._indexed)

    def _read(self, form: str, entry: Entry) -> Weights | None:
        with self._listing.opened(entry) as descriptor:
            window = Window(descriptor, shown(entry.path), size=entry.size)
            if entry.size <= POINTER_BYTES and self._is_pointer(descriptor, entry):
                raise ArtifactRefused(Fault.POINTER, window.name)
            match form:
                case "safetensors":
                    return safetensors.read(window)
                case "gguf":
                    self._gguf[entry.path] = gguf.read(window)
                    return self._gguf[entry.path].weights
                case "onnx":
                    self._onnx[entry.path] = onnx.read(window, entry, self._listing)
                    return self._onnx[entry.path].weights
                case _:
                    return pytorch.read(descriptor, window.name, entry.size)

    @staticmethod
    def _is_pointer(descriptor: int, entry: Entry) -> bool:
        """Whether it is what Git LFS leaves in place of a file that was not fetched."""
        window = Window(descriptor, shown(entry.path), size=entry.size)
        return window.take(min(len(POINTER), entry.size)) == POINTER
