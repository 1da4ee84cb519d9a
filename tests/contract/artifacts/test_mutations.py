"""Whatever is done to a valid file, reading it gives facts or the one declared refusal, in little memory."""

from __future__ import annotations

import json
import math
import tempfile
import tracemalloc
from functools import cache
from pathlib import Path

import safetensors
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.artifacts import world
from trivium.base.units import MIB
from trivium.resources.models import ArtifactRefused

MOST = 16 * MIB  # of files of a few kilobytes
NAMES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "tiny.gguf",
    "model.onnx",
    "outside.onnx",
    "pytorch_model.bin",
    "config.json",
    "README.md",
)
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, (1 << 63) - 1, (1 << 64) - 1)


@cache
def _valid() -> dict[str, bytes]:
    """One small file of each kind."""
    with tempfile.TemporaryDirectory() as directory:
        model = Path(directory)
        world.write_safetensors(model / "model.safetensors", {"w": ("float32", (4, 4)), "b": ("float16", (4,))})
        index = {"metadata": {"total_size": 72}, "weight_map": {"w": "model.safetensors", "b": "model.safetensors"}}
        (model / "model.safetensors.index.json").write_text(json.dumps(index))
        world.write_gguf(model / "tiny.gguf", quantised=True)
        world.write_onnx(model / "model.onnx")
        world.write_onnx(model / "outside.onnx", outside="outside.data")
        world.write_torch(model / "pytorch_model.bin", {"0": ("FloatStorage", 4, 16), "1": ("HalfStorage", 4, 8)})
        (model / "config.json").write_text(json.dumps(world.LLAMA_CONFIG))
        (model / "README.md").write_text("---\nlicense: mit\ntags: [a, 'b, c']\nlanguage:\n- en\n---\ntext\n")
        return {path.name: path.read_bytes() for path in model.iterdir()}


@st.composite
def _changes(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file's name and its content with a few changes: bytes, numbers, cuts, repetitions."""
    name = draw(st.sampled_from(NAMES))
    raw = bytearray(_valid()[name])
    front = min(len(raw), 2000)  # where headers are
    for _ in range(draw(st.integers(1, 4))):
        end = max(len(raw), 1)
        at = draw(st.integers(0, min(front, end)) | st.integers(0, end))
        match draw(st.sampled_from(("byte", "number", "cut", "drop", "repeat", "insert"))):
            case "byte":
                raw[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "number":
                width = draw(st.sampled_from((1, 2, 4, 8)))
                number = draw(st.sampled_from(NUMBERS)) & ((1 << 8 * width) - 1)
                raw[at : at + width] = number.to_bytes(width, draw(st.sampled_from(("little", "big"))))
            case "cut":
                del raw[at:]
            case "drop":
                del raw[at : at + draw(st.integers(1, 40))]
            case "repeat":
                part = raw[at : at + draw(st.integers(1, 40))]
                raw[at:at] = part * draw(st.integers(1, 50))
            case _:
                raw[at:at] = draw(st.binary(max_size=20))
    return name, bytes(raw)


def _read_in_little_memory(model: Path) -> None:
    tracemalloc.start()
    try:
        world.read(model)
        refusal = None
    except ArtifactRefused as error:
        refusal = error
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < MOST
    assert refusal is None or refusal.reason.details["file"]


@given(_changes())
def test_a_changed_file_is_read_or_refused(change: tuple[str, bytes]) -> None:
    name, raw = change
    with tempfile.TemporaryDirectory() as directory:
        model = Path(directory) / "model"
        model.mkdir()
        for valid, content in _valid().items():
            (model / valid).write_bytes(raw if valid == name else content)
        _read_in_little_memory(model)


SPLICES = (b'"w"', b'"x"', b'"F32"', b'"U8"', b"[0,64]", b"[64,72]", b"[4,4]", b"{", b"}", b",", b":", b"1", b"-", b" ")
EDITS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 8), st.sampled_from(SPLICES) | st.binary(max_size=2)))


@given(EDITS, st.integers(-1, 1))
def test_what_is_taken_of_safetensors_is_what_the_public_library_takes(
    edits: list[tuple[int, int, bytes]], more: int
) -> None:
    header = bytearray(_valid()["model.safetensors"][8:])
    header = header[: header.rindex(b"}") + 1]
    for at, count, part in edits[:3]:
        header[at : at + count] = part
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "model.safetensors"
        file.write_bytes(world.raw_safetensors(bytes(header), 72 + more))
        try:
            ours = world.read(file).parameters
        except ArtifactRefused:
            return
        with safetensors.safe_open(file, "numpy") as opened:
            shapes = [opened.get_slice(name).get_shape() for name in opened.keys()]  # noqa: SIM118 - it is no mapping
        assert sum(math.prod(shape) for shape in shapes) == (ours or 0)


@given(st.sampled_from(NAMES), st.binary(max_size=500))
def test_any_bytes_are_read_or_refused(name: str, raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        model = Path(directory) / "model"
        model.mkdir()
        (model / name).write_bytes(raw)
        _read_in_little_memory(model)


@given(st.text(max_size=300), st.sampled_from(("---\n{}\n---\n", "---\nlicense: {}\n---\n", "---\na:\n- {}\n---\n")))
def test_any_front_matter_is_read_or_refused(text: str, form: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        model = Path(directory) / "model"
        model.mkdir()
        (model / "README.md").write_bytes(form.format(text).encode(errors="surrogatepass"))
        _read_in_little_memory(model)
