"""Files that are broken or meant to harm: each ends as a refusal with its reason, and names the file."""

from __future__ import annotations

import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from tests.contract.artifacts import world
from tests.contract.artifacts.world import raw_safetensors, refused, safetensors_header
from trivium.base.reasons import Reason
from trivium.base.text import Language
from trivium.resources.models import ArtifactRefused, Fault

ONE = {"w": ("F32", [2, 2], [0, 16])}
HUGE = (1 << 64) - 1
GGUF_HEAD = b"GGUF" + struct.pack("<I", 3)


def _gguf(tensors: int, pairs: int, rest: bytes = b"") -> bytes:
    return GGUF_HEAD + struct.pack("<QQ", tensors, pairs) + rest


def _text(value: bytes, *, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(value) if length is None else length) + value


def _pair(key: bytes, kind: int, value: bytes) -> bytes:
    return _text(key) + struct.pack("<I", kind) + value


def _tensor(name: bytes, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    return _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def _zip_with(change: Callable[[bytearray], None]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        world.write_torch(path, {"0": ("FloatStorage", 4, 16), "1": ("FloatStorage", 4, 16)})
        raw = bytearray(path.read_bytes())
        change(raw)
        path.write_bytes(raw)

    return write


def _overlap(raw: bytearray) -> None:
    """The list's last entry is said to lie where the one before it does."""
    first = raw.rfind(b"PK\x01\x02", 0, raw.rfind(b"PK\x01\x02"))
    last = raw.rfind(b"PK\x01\x02")
    raw[last + 42 : last + 46] = raw[first + 42 : first + 46]


def _far(raw: bytearray) -> None:
    last = raw.rfind(b"PK\x01\x02")
    raw[last + 42 : last + 46] = struct.pack("<L", 0x7FFF_FFFF)


def _many_entries(raw: bytearray) -> None:
    end = raw.rfind(b"PK\x05\x06")
    raw[end + 10 : end + 12] = struct.pack("<H", 300)


def _too_many_entries(raw: bytearray) -> None:
    end = raw.rfind(b"PK\x05\x06")
    raw[end + 10 : end + 12] = struct.pack("<H", 0xFFFE)


def _said_to_be_deflated(raw: bytearray) -> None:
    last = raw.rfind(b"PK\x01\x02")
    raw[last + 10 : last + 12] = struct.pack("<H", zipfile.ZIP_DEFLATED)


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("archive/data.pkl", world.torch_pickle({"0": ("ByteStorage", 50_000_000)}))
        archive.writestr("archive/data/0", bytes(50_000_000))


def _onnx(change: Callable[[onnx.ModelProto], None]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        model = world.onnx_model()
        change(model)
        path.write_bytes(model.SerializeToString())

    return write


def _outside(location: str, *, offset: str = "0", length: str = "8192") -> Callable[[Path], None]:
    def change(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", offset), ("length", length)):
            tensor.external_data.add(key=key, value=value)

    return _onnx(change)


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _index(weight_map: object) -> Callable[[Path], object]:
    return _bytes(json.dumps({"metadata": {}, "weight_map": weight_map}).encode())


CASES: list[tuple[str, str, Callable[[Path], object]]] = [
    # file, fault, content
    ("m.safetensors", "truncated", _bytes(b"")),
    ("m.safetensors", "truncated", _bytes(b"\1\0\0")),
    ("m.safetensors", "truncated", _bytes(raw_safetensors(b"{}", length=100))),
    ("m.safetensors", "too_large", _bytes(raw_safetensors(b"{}", length=HUGE))),
    ("m.safetensors", "too_large", _bytes(raw_safetensors(b"{}", length=1 << 40))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b""))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b"[]"))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b" {}"))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b"{" * 100_000))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b'{"a":' * 50_000 + b"}" * 50_000))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b'{"w":{"dtype":"F32"}}'))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b'{"w":{}} trailing'))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b"\xff\xfe{}"))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b'{"\xff":' + safetensors_header(ONE)[5:], 16))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(safetensors_header({"w": ("Q99", [2], [0, 16])}), 16))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(safetensors_header(ONE).replace(b"2", b'"2"'), 16))),
    ("m.safetensors", "offsets", _bytes(raw_safetensors(safetensors_header(ONE), 15))),
    ("m.safetensors", "offsets", _bytes(raw_safetensors(safetensors_header(ONE), 17))),
    ("m.safetensors", "offsets", _bytes(raw_safetensors(safetensors_header({"w": ("F32", [3], [0, 16])}), 16))),
    ("m.safetensors", "offsets", _bytes(raw_safetensors(safetensors_header({"w": ("F32", [4], [16, 0])}), 16))),
    ("m.safetensors", "offsets", _bytes(raw_safetensors(safetensors_header({"w": ("F32", [-4], [0, 16])}), 16))),
    ("m.safetensors", "offsets", _bytes(raw_safetensors(safetensors_header({"w": ("F32", [4], [-16, 0])}), 16))),
    ("m.safetensors", "offsets", _bytes(raw_safetensors(safetensors_header({"w": ("F32", [HUGE] * 40, [0, 0])})))),
    (
        "m.safetensors",
        "offsets",
        _bytes(raw_safetensors(safetensors_header({"a": ("U8", [8], [0, 8]), "b": ("U8", [8], [4, 12])}), 16)),
    ),
    (
        "m.safetensors",
        "duplicate",
        _bytes(
            raw_safetensors(
                b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
                b'"\\u0077":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
                2,
            )
        ),
    ),
    ("m.safetensors", "duplicate", _bytes(raw_safetensors(b'{"__metadata__":{},"__metadata__":{}}'))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b'{"__metadata__":{"a":1}}'))),
    ("m.safetensors", "malformed", _bytes(raw_safetensors(b'{"__metadata__":{"\xff":"1"}}'))),
    ("m.safetensors.index.json", "malformed", _bytes(b'{"weight_map":{"w":"\xff"}}')),
    (
        "m.safetensors",
        "malformed",
        _bytes(raw_safetensors(b'{"w":{"dtype":"U8","shape":[2],"shape":[1],"data_offsets":[0,1]}}', 1)),
    ),
    ("m.safetensors", "pointer", _bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")),
    ("m.safetensors.index.json", "leads_out", _index({"w": "../m.safetensors"})),
    ("m.safetensors.index.json", "leads_out", _index({"w": "/etc/passwd"})),
    ("m.safetensors.index.json", "leads_out", _index({"w": "a\\b"})),
    ("m.safetensors.index.json", "leads_out", _index({"w": ".."})),
    ("m.safetensors.index.json", "leads_out", _index({"w": "a\0b"})),
    ("m.safetensors.index.json", "part_absent", _index({"w": "gone.safetensors"})),
    ("m.safetensors.index.json", "malformed", _index({"w": 1})),
    ("m.safetensors.index.json", "malformed", _index(["w"])),
    ("m.safetensors.index.json", "malformed", _bytes(b"{}")),
    ("m.safetensors.index.json", "malformed", _bytes(b"")),
    ("m.safetensors.index.json", "malformed", _bytes(b'{"weight_map":{"w":"m.safetensors"')),
    ("m.safetensors.index.json", "malformed", _bytes(b"[" * 200_000)),
    (
        "pytorch_model.bin.index.json",
        "duplicate",
        _bytes(b'{"weight_map":{"w":"here","w":"here"}}'),
    ),
    ("m.gguf", "truncated", _bytes(b"")),
    ("m.gguf", "malformed", _bytes(b"GGML" + bytes(100))),
    ("m.gguf", "malformed", _bytes(b"GGUF" + struct.pack("<I", 1) + bytes(100))),
    ("m.gguf", "truncated", _bytes(_gguf(1, 1))),
    ("m.gguf", "too_large", _bytes(_gguf(HUGE, 0))),
    ("m.gguf", "too_large", _bytes(_gguf(0, HUGE))),
    ("m.gguf", "too_large", _bytes(_gguf(0, 1, _text(b"key", length=HUGE)))),
    ("m.gguf", "truncated", _bytes(_gguf(0, 1, _pair(b"key", 8, _text(b"v", length=HUGE))))),
    ("m.gguf", "truncated", _bytes(_gguf(0, 1, _pair(b"key", 9, struct.pack("<IQ", 12, HUGE))))),
    ("m.gguf", "too_large", _bytes(_gguf(0, 1, _pair(b"key", 9, struct.pack("<IQ", 8, HUGE))))),
    ("m.gguf", "malformed", _bytes(_gguf(0, 1, _pair(b"key", 9, struct.pack("<IQ", 9, 1) * 1000)))),
    ("m.gguf", "malformed", _bytes(_gguf(0, 1, _pair(b"key", 77, b"")))),
    ("m.gguf", "duplicate", _bytes(_gguf(0, 2, _pair(b"key", 0, b"1") * 2))),
    ("m.gguf", "malformed", _bytes(_gguf(0, 1, _pair(b"general.alignment", 4, bytes(4))))),
    ("m.gguf", "malformed", _bytes(_gguf(1, 0, _text(b"w") + struct.pack("<I", 1000)))),
    ("m.gguf", "offsets", _bytes(_gguf(1, 0, _tensor(b"w", (HUGE, HUGE), 0, 0)))),
    ("m.gguf", "offsets", _bytes(_gguf(1, 0, _tensor(b"w", (64,), 0, 0)))),
    ("m.gguf", "offsets", _bytes(_gguf(1, 0, _tensor(b"w", (64,), 0, HUGE - 31) + bytes(1000)))),
    ("m.gguf", "malformed", _bytes(_gguf(1, 0, _tensor(b"w", (64,), 0, 7) + bytes(1000)))),
    ("m.gguf", "malformed", _bytes(_gguf(1, 0, _tensor(b"w", (7,), 2, 0) + bytes(1000)))),
    (
        "m.gguf",
        "offsets",
        _bytes(_gguf(2, 0, _tensor(b"a", (64,), 0, 0) + _tensor(b"b", (64,), 0, 32) + bytes(2000))),
    ),
    ("m.gguf", "duplicate", _bytes(_gguf(2, 0, _tensor(b"a", (8,), 0, 0) + _tensor(b"a", (8,), 0, 32) + bytes(999)))),
    ("m.onnx", "malformed", _bytes(b"")),
    ("m.onnx", "malformed", _bytes(b"\xff" * 100)),
    ("m.onnx", "truncated", _bytes(b"\x3a\xff\xff\xff\xff\x0f")),
    ("m.onnx", "truncated", _bytes(world.onnx_model().SerializeToString()[:-1])),
    ("m.onnx", "malformed", _bytes(b"\x0b")),
    ("m.onnx", "truncated", _bytes(b"\x3a\x02\x2a\x64" + bytes(200))),  # longer than what it is in
    ("m.onnx", "leads_out", _outside("../weights")),
    ("m.onnx", "leads_out", _outside("/etc/passwd")),
    ("m.onnx", "leads_out", _outside("")),
    ("m.onnx", "part_absent", _outside("gone")),
    ("m.onnx", "offsets", _outside("here", offset="1")),
    ("m.onnx", "offsets", _outside("here", length="99999")),
    ("m.onnx", "malformed", _outside("here", offset="-1")),
    ("m.onnx", "malformed", _outside("here", length="9" * 4000)),
    ("m.onnx", "malformed", _onnx(lambda model: model.graph.initializer[0].__setattr__("data_type", 99))),
    ("m.onnx", "offsets", _onnx(lambda model: model.graph.initializer[0].dims.append(1 << 60))),
    ("m.onnx", "offsets", _onnx(lambda model: model.graph.initializer[0].dims.append(2))),
    ("m.onnx", "offsets", _onnx(lambda model: model.graph.initializer[0].dims.append(-1))),
    ("m.onnx", "malformed", _onnx(lambda model: model.graph.initializer[0].dims.extend([1] * 50))),
    ("m.onnx", "too_large", _onnx(lambda model: model.graph.initializer[0].__setattr__("name", "n" * 5000))),
    ("m.onnx", "duplicate", _onnx(lambda model: model.graph.initializer.append(model.graph.initializer[0]))),
    ("m.pt", "truncated", _bytes(b"PK\3\4" + bytes(100))),
    ("m.pt", "truncated", _zip_with(lambda raw: raw.__delitem__(slice(-22, None)))),
    ("m.pt", "offsets", _zip_with(_far)),
    ("m.pt", "offsets", _zip_with(_overlap)),
    ("m.pt", "truncated", _zip_with(_many_entries)),
    ("m.pt", "too_large", _zip_with(_too_many_entries)),
    ("m.pt", "compressed", _zip_with(_said_to_be_deflated)),
    ("m.pt", "compressed", _bomb),
    ("m.pt", "part_absent", lambda path: world.write_torch(path, {}, pickled=world.torch_pickle({"0": ("X", 4)}))),
    ("m.pt", "offsets", lambda path: world.write_torch(path, {"0": ("FloatStorage", 5, 16)})),
    ("m.pt", "malformed", lambda path: world.write_torch(path, {"0": ("FloatStorage", 1 << 70, 16)})),
    ("m.pt", "malformed", lambda path: world.write_torch(path, {}, pickled=b"no pickle")),
    ("m.pt", "malformed", lambda path: world.write_torch(path, {}, pickled=b"")),
    ("m.pt", "malformed", lambda path: world.write_torch(path, {}, pickled=b"\x80\x02\x8b\xff\xff\xff\x7f")),
    ("m.pt", "too_large", lambda path: world.write_torch(path, {}, pickled=b"N" * 5_000_000)),
    ("m.pt", "malformed", lambda path: world.write_torch(path, {}, pickled=b"N" * 3_000_000)),
    ("config.json", "malformed", _bytes(b"")),
    ("config.json", "malformed", _bytes(b"[]")),
    ("config.json", "malformed", _bytes(b'{"a": 1,}')),
    ("config.json", "malformed", _bytes(b'{"a": \xff}')),
    ("config.json", "malformed", _bytes(b'{"a": ' + b"9" * 5000 + b"}")),
    ("config.json", "duplicate", _bytes(b'{"a": 1, "\\u0061": 2}')),
    ("config.json", "nested", _bytes(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
    ("config.json", "too_large", _bytes(b'{"a": [' + b"{}," * 300_000 + b"1]}")),
    ("config.json", "too_large", _bytes(b" " * 3_000_000 + b"{}")),
    ("config.json", "malformed", _bytes(b'{"a":"' + b'\\"' * 1_000_000)),
    ("config.json", "duplicate", _bytes(b"{" + b"".join(b'"%d":0,' % n for n in range(90_000)) + b'"89999":1}')),
    ("generation_config.json", "malformed", _bytes(b"{")),
    ("README.md", "duplicate", _bytes(b"---\nlicense: mit\nlicense: other\n---\n")),
    ("README.md", "malformed", _bytes(b"---\nlicense: \xff\n---\n")),
    ("README.md", "duplicate", _bytes(b'---\na: ["' + b'\\"' * 30_000 + b"]\na: 1\n---\n")),
    ("README.md", "too_large", _bytes(b"---\n" + b"a: b\n" * 100_000)),
]


@pytest.mark.parametrize(
    ("name", "fault", "write"), CASES, ids=[f"{number}-{case[0]}-{case[1]}" for number, case in enumerate(CASES)]
)
def test_a_hostile_file_is_refused_with_its_reason(
    tmp_path: Path, name: str, fault: str, write: Callable[[Path], object]
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "here").write_bytes(bytes(8192))
    write(model / name)
    assert refused(model) == (fault, name)
    if name.endswith((".safetensors", ".gguf", ".onnx", ".pt")):
        alone = refused(model / name)
        assert alone[1] == name
        assert alone[0] == fault or fault == "offsets"  # data beside a file is none of a model that is one file


def test_each_fault_is_said_in_both_languages_with_all_that_is_told(tmp_path: Path) -> None:
    told: dict[str, Reason] = {}
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    for number, (name, _, write) in enumerate(CASES):
        model = tmp_path / str(number)
        model.mkdir()
        (model / "here").write_bytes(bytes(8192))
        write(model / name)
        with pytest.raises(ArtifactRefused) as caught:
            world.read(model)
        told[caught.value.reason.code] = caught.value.reason
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    for reason in told.values():
        for language in Language:
            said = reason.say(language)
            assert said != reason.code
            assert "{" not in said
            assert reason.details["file"] in said
    assert set(told) == {
        f"model.artifact.{fault.value}" for fault in Fault if fault.value in {case[1] for case in CASES}
    }


def test_no_pickle_is_ever_executed(tmp_path: Path) -> None:
    """The classic one: unpickled, it would make a file."""
    model = tmp_path / "model"
    model.mkdir()
    made = tmp_path / "made"
    evil = b"cos\nsystem\n(S'touch " + os.fsencode(made) + b"'\ntR."
    world.write_torch(model / "pytorch_model.bin", {"0": ("FloatStorage", 4, 16)}, pickled=evil)
    (model / "legacy.pt").write_bytes(evil)
    assert world.read(model).parameters is None
    assert not made.exists()
