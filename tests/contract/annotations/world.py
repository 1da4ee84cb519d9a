"""Sources of imports for tests, written byte by byte."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trivium.drivers.annotations import SourceReader
from trivium.resources.datasets.ports import Refusal, Sample


def png(width: int = 640, height: int = 480) -> bytes:
    """The header of an image, and no picture."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + bytes(4)


def jpeg(width: int = 640, height: int = 480, *, notes: int = 0) -> bytes:
    """The same, behind so many bytes of notes."""
    note = b"\xff\xe1" + struct.pack(">H", notes + 2) + bytes(notes)
    return b"\xff\xd8" + note + b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)


def voc(*objects: str, width: int = 640, height: int = 480, more: str = "") -> str:
    """An annotation."""
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>a</filename>{size}{more}{''.join(objects)}</annotation>"


def thing(name: str, shape: str = "bndbox", more: str = "", **coordinates: object) -> str:
    """An object in it; a box where nothing is said."""
    said = coordinates or {"xmin": 1, "ymin": 2, "xmax": 30, "ymax": 40}
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in said.items())
    return f"<object><name>{name}</name>{more}<{shape}>{inner}</{shape}></object>"


def write(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Files below a directory, which it gives."""
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def write_manifest(root: Path, *lines: Mapping[str, Any] | bytes) -> Path:
    """A manifest of lines."""
    raw = (line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines)
    file = root / "a.manifest"
    file.write_bytes(b"".join(line + b"\n" for line in raw))
    return file


def reader(root: Path, **more: Any) -> SourceReader:
    """One whose root that is, and which knows it as the bucket `here`."""
    return SourceReader([root], bucket={"here": str(root)}.get, **more)


def samples(found: Iterable[Sample | Refusal]) -> list[Sample]:
    """All that there is, of which nothing was refused."""
    every = list(found)
    assert [one for one in every if isinstance(one, Refusal)] == []
    return [one for one in every if isinstance(one, Sample)]


def faults(found: Iterable[Sample | Refusal]) -> dict[str, str]:
    """What was refused, by path and line, and why."""
    return {
        one.path.decode(errors="backslashreplace") + (f":{one.line}" if one.line else ""): one.reason.code.removeprefix(
            "dataset.source."
        )
        for one in found
        if isinstance(one, Refusal)
    }


def labels(found: Iterable[Sample | Refusal]) -> dict[str, tuple[str, ...]]:
    """The names of labels by path, or by text where there is none."""
    return {
        one.text if one.text is not None else one.path.decode(errors="backslashreplace"): tuple(
            label.name for label in one.labels
        )
        for one in samples(found)
    }
