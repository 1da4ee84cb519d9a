"""Memory stays within 64 MiB, whatever a model's size and whatever its headers claim: measured in a real process."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.artifacts import world
from trivium.base.units import MIB
from trivium.drivers.artifacts import Limits

EXTRA = 64 * MIB
MEASURED = Path(__file__).with_name("measured.py")


def _measure(model: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, MEASURED, model, "-"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_weights_of_any_size_are_read_in_little_memory(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """`--model-size 5200` reads five gigabytes, which takes some seconds more."""
    size = int(request.config.getoption("--model-size", 256) or 256) * MIB
    model = tmp_path / "model"
    model.mkdir()
    for number, part in enumerate((size // 2, size - size // 2)):
        header = world.safetensors_header({f"w{number}": ("U8", [part], [0, part])})
        file = model / f"model-{number + 1:05}-of-00002.safetensors"
        file.write_bytes(world.raw_safetensors(header))
        os.truncate(file, file.stat().st_size + part)
    said = _measure(model)
    print(f"{size // MIB} MiB in {said['seconds']:.1f} s, {said['extra'] / MIB:.1f} MiB of memory")
    assert said["parameters"] == size
    assert said["extra"] < EXTRA


def _many_tensors(model: Path) -> None:
    entry = b'"%07d":{"dtype":"U8","shape":[],"data_offsets":[%d,%d]}'
    entries = [entry % (number, number, number + 1) for number in range(199_000)]
    header = b"{" + b",".join(entries) + b"}"
    (model / "m.safetensors").write_bytes(world.raw_safetensors(header, 199_000))


def _header_of(content: bytes) -> Callable[[Path], object]:
    header = content * (16 * MIB // len(content))
    return lambda model: (model / "m.safetensors").write_bytes(world.raw_safetensors(header))


def _one_long_entry(model: Path) -> None:
    header = b'{"w":{"dtype":"U8","shape":[' + b"999," * (4 * MIB - 100) + b'1],"data_offsets":[0,0]}}'
    (model / "m.safetensors").write_bytes(world.raw_safetensors(header))


def _long_metadata(model: Path) -> None:
    pairs = b",".join(b'"%d":""' % number for number in range(90_000))
    (model / "m.safetensors").write_bytes(world.raw_safetensors(b'{"__metadata__":{' + pairs + b"}}"))


def _long_index(model: Path) -> None:
    pairs = b",".join(b'"%06d":"m"' % number for number in range(390_000))
    (model / "m").touch()
    (model / "m.safetensors.index.json").write_bytes(b'{"weight_map":{' + pairs + b"}}")


def _long_config(model: Path) -> None:
    pairs = b",".join(b'"%d":[]' % number for number in range(95_000))
    numbers = b",".join([b"257"] * 150_000)
    (model / "config.json").write_bytes(b'{"a":[' + numbers + b"]," + pairs + b"}")


def _long_string(model: Path) -> None:
    (model / "config.json").write_bytes(b'{"a":"' + b"x" * 2_000_000 + "🦊".encode() + b'"}')


def _long_pickle(model: Path) -> None:
    puts = b"".join(b"r" + struct.pack("<I", number) for number in range(150_000))
    world.write_torch(model / "m.pt", {}, pickled=b"\x80\x02N" + puts + b"N" * 1_000_000 + b".")


def _long_word(model: Path) -> None:
    word = "x" * 4_000_000 + "🦊"
    raw = word.encode()
    world.write_torch(model / "m.pt", {}, pickled=b"\x80\x02X" + struct.pack("<I", len(raw)) + raw + b".")


def _many_entries(model: Path) -> None:
    world.write_torch(model / "m.pt", {str(number): ("ByteStorage", 1, 1) for number in range(15_000)})


def _many_values(model: Path) -> None:
    count = 20_000
    value = struct.pack("<IQ", 8, 4096) + b"x" * 4096
    pairs = b"".join(struct.pack("<Q", 13) + b"general.%05d" % number + value for number in range(count))
    (model / "m.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, count) + pairs)


def _many_tokens(model: Path) -> None:
    count = 500_000
    head = b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 8, count)
    (model / "m.gguf").write_bytes(head + struct.pack("<Q", 0) * count)


def _many_initializers(model: Path) -> None:
    tensors = b"".join(b"\x2a\x0a\x10\x03\x42\x06%06d" % number for number in range(100_000))
    graph, number = bytearray(b"\x3a"), len(tensors)
    while number:
        graph.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
    (model / "m.onnx").write_bytes(bytes(graph) + tensors)


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (_many_tensors, None),
        pytest.param(_header_of(b"{"), "malformed", id="braces"),
        pytest.param(_header_of(b'"'), "malformed", id="quotes"),
        pytest.param(_header_of(b'{"a":'), "malformed", id="objects in objects"),
        (_one_long_entry, "malformed"),
        (_long_metadata, None),
        (_long_index, None),
        (_long_config, None),
        (_long_string, None),
        (_long_pickle, None),
        (_long_word, None),
        (_many_entries, None),
        (_many_tokens, None),
        (_many_values, None),
        (_many_initializers, None),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_headers_that_are_as_long_as_they_may_be_take_little_memory(
    tmp_path: Path, write: Callable[[Path], object], code: str | None
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    write(model)
    said = _measure(model)
    print(f"{said['seconds']:.1f} s, {said['extra'] / MIB:.1f} MiB of memory, {said.get('code')}")
    assert said.get("code") == (code and f"model.artifact.{code}")
    assert said["extra"] < EXTRA


def test_many_files_take_little_memory(tmp_path: Path) -> None:
    """A quarter of as many as there may be, in a quarter of the memory."""
    model = tmp_path / "model"
    model.mkdir()
    for number in range(Limits().entries // 4):
        (model / f"{number:050}").touch()
    assert _measure(model)["extra"] < EXTRA // 4
