"""Files of models for tests: by the public libraries where there is one, and byte by byte where they must be wrong.

There is no PyTorch here (its packages are too large for a test), so its archives are written as `torch.save` writes
them: a zip without compression, with a pickle of protocol 2 whose persistent ids name the storages.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import onnx
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper

from trivium.drivers.artifacts import ArtifactReader
from trivium.resources.models import ArtifactRefused, Facts, Progress


def read(path: Path, **kwargs: Any) -> Facts:
    """What the reader says of a model whose root is the directory that it lies in."""
    reader = ArtifactReader([path.parent])
    return reader.read_here(
        path, resume=kwargs.get("resume"), note=kwargs.get("note"), stopped=kwargs.get("stopped", lambda: False)
    )


def refused(path: Path, root: Path | None = None) -> tuple[str, str]:
    """The code and the file of the refusal."""
    reader = ArtifactReader([root or path.parent])
    try:
        facts = reader.read_here(path, resume=None, note=None, stopped=lambda: False)
    except ArtifactRefused as error:
        return error.reason.code.removeprefix("model.artifact."), error.reason.details["file"]
    message = f"it was taken: {facts}"
    raise AssertionError(message)


def nothing(_progress: Progress) -> None:
    """Notes nothing."""


def write_safetensors(path: Path, tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    """A file of zeros by the public library."""
    arrays = {name: np.zeros(shape, dtype) for name, (dtype, shape) in tensors.items()}
    safetensors.numpy.save_file(arrays, path, metadata={"format": "pt"})


def raw_safetensors(header: bytes, data: int = 0, *, length: int | None = None) -> bytes:
    """A file with that header, whether it is one or not."""
    return struct.pack("<Q", len(header) if length is None else length) + header + bytes(data)


def safetensors_header(tensors: Mapping[str, tuple[str, list[int], list[int]]]) -> bytes:
    """A header of types, shapes and offsets as they are given."""
    return json.dumps(
        {
            name: {"dtype": dtype, "shape": shape, "data_offsets": offsets}
            for name, (dtype, shape, offsets) in tensors.items()
        }
    ).encode()


def write_gguf(path: Path, *, quantised: bool = False) -> None:
    """A small Llama by the public library."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Tiny")
    writer.add_organization("Example")
    writer.add_license("mit")
    writer.add_version("1.2.0")
    writer.add_block_count(2)
    writer.add_context_length(2048)
    writer.add_embedding_length(256)
    writer.add_head_count(8)
    writer.add_head_count_kv(2)
    writer.add_token_list([f"token {number}" for number in range(1000)])
    writer.add_tensor("token_embd.weight", np.zeros((16, 256), np.float32))
    if quantised:
        data = np.zeros((8, 144), np.uint8)  # rows of one block of Q4_K, 256 elements
        writer.add_tensor("blk.0.attn_q.weight", data, raw_dtype=gguf.GGMLQuantizationType.Q4_K)
    else:
        writer.add_tensor("blk.0.attn_q.weight", np.zeros((8, 256), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def onnx_model() -> onnx.ModelProto:
    """A small network by the public library."""
    weight = numpy_helper.from_array(np.zeros((64, 32), np.float32), "weight")
    bias = numpy_helper.from_array(np.zeros((32,), np.float16), "bias")
    node = helper.make_node("MatMul", ["x", "weight"], ["y"])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 32])
    graph = helper.make_graph([node], "tiny", [x], [y], initializer=[weight, bias])
    return helper.make_model(graph, producer_name="pytorch", producer_version="2.3.0", model_version=7)


def write_onnx(path: Path, *, outside: str | None = None) -> None:
    """That network; `outside` names the file that its weights go to."""
    if outside is None:
        onnx.save(onnx_model(), path)
        return
    onnx.save(onnx_model(), path, save_as_external_data=True, location=outside, size_threshold=0)


class _Named:
    """Stands for a class of `torch`, which is pickled by its name."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Storage:
    """Stands for a storage, which a pickle refers to by a persistent id."""

    def __init__(self, kind: _Named, key: str, count: int) -> None:
        self.id = ("storage", kind, key, "cpu", count)


PythonPickler: Any = pickle._Pickler  # only the one in Python can be extended


class _Pickler(PythonPickler):
    """Writes the opcodes that `torch.save` writes."""

    def persistent_id(self, obj: Any) -> Any:
        return obj.id if isinstance(obj, _Storage) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Named) and id(obj) not in self.memo:
            self.write(pickle.GLOBAL + b"torch\n" + obj.name.encode() + b"\n")
            self.memoize(obj)
            return
        super().save(obj, save_persistent_id)


def torch_pickle(storages: Mapping[str, tuple[str, int]]) -> bytes:
    """A pickle that names storages by their keys: type and number of elements."""
    written = io.BytesIO()
    kinds = {kind: _Named(kind) for kind, _ in storages.values()}
    told = {key: _Storage(kinds[kind], key, count) for key, (kind, count) in storages.items()}
    _Pickler(written, protocol=2).dump(told)
    return written.getvalue()


def write_torch(
    path: Path,
    storages: Mapping[str, tuple[str, int, int]],
    *,
    pickled: bytes | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> None:
    """An archive of storages: type, number of elements, and bytes that are there."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        told = {key: (kind, count) for key, (kind, count, _) in storages.items()}
        archive.writestr("archive/data.pkl", torch_pickle(told) if pickled is None else pickled)
        archive.writestr("archive/version", "3\n")
        for key, (_, _, size) in storages.items():
            archive.writestr(f"archive/data/{key}", bytes(size))


LLAMA_CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 8192,
    "model_type": "llama",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.40.0.dev0",
    "vocab_size": 128256,
}
"""What the configuration of Llama 3 8B says, as far as it matters."""
