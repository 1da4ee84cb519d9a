"""What is known of a model from its files: real files, written by the public libraries."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

from tests.contract.artifacts import world
from trivium.resources.models import Shape, TensorTotal

LISTING = "find -L . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    directory.mkdir()
    return directory


def test_a_directory_has_the_checksum_that_coreutils_say(model: Path) -> None:
    for name in ("b", "a-b", "a/b", "a/c/d", "a b", "új\n", ".hidden"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(f"this is {name}")
    (model / os.fsdecode(b"\xff\xfe no text")).write_bytes(b"")
    (model / "linked").symlink_to("a/c/d")
    (model / "nothing in it").mkdir()
    facts = world.read(model)
    said = subprocess.run(["sh", "-c", LISTING], cwd=model, capture_output=True, text=True, check=True).stdout
    assert facts.checksum == said.split()[0]
    assert facts.files == 9
    assert facts.size == sum(path.stat().st_size for path in model.rglob("*") if path.is_file())


def test_one_file_has_its_own_checksum(model: Path) -> None:
    file = model / "weights.data"
    file.write_bytes(os.urandom(3_000_001))
    facts = world.read(file)
    assert facts.checksum == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (facts.size, facts.files, facts.formats, facts.parameters) == (3_000_001, 1, (), None)


def test_what_is_renamed_or_moved_within_a_directory_has_another_checksum(model: Path) -> None:
    (model / "a").write_text("1")
    (model / "b").write_text("2")
    before = world.read(model).checksum
    (model / "a").rename(model / "c")
    assert world.read(model).checksum != before
    (model / "c").rename(model / "a")
    assert world.read(model).checksum == before


def test_tensors_of_safetensors_are_counted_by_type(model: Path) -> None:
    world.write_safetensors(
        model / "model.safetensors",
        {"w": ("float32", (100, 20)), "b": ("float32", (20,)), "half": ("float16", (3, 3)), "scalar": ("int64", ())},
    )
    facts = world.read(model)
    assert facts.formats == ("safetensors",)
    assert facts.weights == (
        TensorTotal(dtype="F32", parameters=2020, size=8080),
        TensorTotal(dtype="F16", parameters=9, size=18),
        TensorTotal(dtype="I64", parameters=1, size=8),
    )
    assert facts.parameters == 2030
    assert facts.weights_size == (model / "model.safetensors").stat().st_size


def test_shards_of_an_index_are_added_and_what_it_does_not_name_is_not(model: Path) -> None:
    shards = [f"model-{number:05}-of-00002.safetensors" for number in (1, 2)]
    for number, shard in enumerate(shards):
        world.write_safetensors(model / shard, {f"w{number}": ("float16", (1000, 10))})
    world.write_safetensors(model / "adapter.safetensors", {"other": ("float32", (7,))})
    index = {"metadata": {"total_size": 40000}, "weight_map": {f"w{n}": shard for n, shard in enumerate(shards)}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    assert world.read(model).weights == (TensorTotal(dtype="F16", parameters=20000, size=40000),)


def test_shards_without_an_index_belong_together_by_their_names(model: Path) -> None:
    for number in (1, 2, 3):
        world.write_safetensors(model / f"model-{number:05}-of-00003.safetensors", {"w": ("float32", (10,))})
    assert world.read(model).parameters == 30


def test_shards_of_the_first_llamas_belong_together(model: Path) -> None:
    for number in range(2):
        world.write_torch(model / f"consolidated.{number:02}.pth", {"0": ("HalfStorage", 8, 16)})
    assert world.read(model).parameters == 16


def test_of_several_precisions_the_largest_counts_and_parts_in_directories_are_added(model: Path) -> None:
    for part in ("unet", "vae"):
        (model / part).mkdir()
        world.write_safetensors(model / part / "full.safetensors", {"w": ("float32", (1000,))})
        world.write_safetensors(model / part / "model.fp16.safetensors", {"w": ("float16", (1000,))})
    assert world.read(model).weights == (TensorTotal(dtype="F32", parameters=2000, size=8000),)


def test_the_same_model_in_another_format_counts_once(model: Path) -> None:
    world.write_safetensors(model / "model.safetensors", {"w": ("float32", (5,))})
    (model / "onnx").mkdir()
    world.write_onnx(model / "onnx" / "model.onnx")
    world.write_torch(model / "pytorch_model.bin", {"0": ("FloatStorage", 5, 20)})
    facts = world.read(model)
    assert facts.formats == ("safetensors", "pytorch", "onnx")
    assert facts.parameters == 5


def test_a_gguf_file_says_who_made_it_and_how_it_is_measured(model: Path) -> None:
    world.write_gguf(model / "tiny.gguf")
    for facts in (world.read(model), world.read(model / "tiny.gguf")):
        assert (facts.name, facts.vendor, facts.license, facts.version) == ("Tiny", "Example", "mit", "1.2.0")
        assert (facts.architecture, facts.framework_version) == ("llama", "GGUF 3")
        assert facts.shape == Shape(layers=2, heads=8, cached=2 * (32 + 32), context=2048, generates=True)
        assert facts.weights == (
            TensorTotal(dtype="F32", parameters=4096, size=16384),
            TensorTotal(dtype="F16", parameters=2048, size=4096),
        )


def test_quantised_tensors_are_counted_by_elements_and_sized_by_blocks(model: Path) -> None:
    world.write_gguf(model / "tiny.gguf", quantised=True)
    assert TensorTotal(dtype="Q4_K", parameters=2048, size=8 * 144) in world.read(model).weights


def test_an_onnx_file_says_its_producer_and_its_initializers(model: Path) -> None:
    world.write_onnx(model / "model.onnx")
    facts = world.read(model)
    assert (facts.framework_version, facts.version) == ("pytorch 2.3.0", "7")
    assert facts.weights == (
        TensorTotal(dtype="F32", parameters=2048, size=8192),
        TensorTotal(dtype="F16", parameters=32, size=64),
    )


def test_data_of_an_onnx_file_may_lie_beside_it(model: Path) -> None:
    world.write_onnx(model / "model.onnx", outside="model.onnx_data")
    facts = world.read(model)
    assert facts.parameters == 2080
    assert facts.weights_size == sum(path.stat().st_size for path in model.iterdir())


def test_storages_of_a_pytorch_archive_are_counted_without_unpickling(model: Path) -> None:
    world.write_torch(
        model / "pytorch_model.bin",
        {"0": ("FloatStorage", 1000, 4000), "1": ("BFloat16Storage", 50, 100), "2": ("FloatStorage", 1, 4)},
    )
    world.write_torch(model / "optimizer.pt", {"0": ("FloatStorage", 2000, 8000)})
    facts = world.read(model)
    assert facts.formats == ("pytorch",)
    assert facts.weights == (
        TensorTotal(dtype="F32", parameters=1001, size=4004),
        TensorTotal(dtype="BF16", parameters=50, size=100),
    )


def test_a_storage_that_tensors_share_counts_once(model: Path) -> None:
    once = world.torch_pickle({"0": ("FloatStorage", 5)})
    world.write_torch(model / "m.pt", {"0": ("FloatStorage", 5, 20)}, pickled=once[:-1] + once[2:])
    assert world.read(model).parameters == 5


def test_a_newer_protocol_names_its_types_in_another_way(model: Path) -> None:
    words = [
        b"X" + struct.pack("<I", len(word)) + word for word in (b"storage", b"torch", b"FloatStorage", b"0", b"cpu")
    ]
    pickled = b"\x80\x04(" + b"".join(words[:3]) + b"\x93" + b"".join(words[3:]) + b"K\x05tQ."
    world.write_torch(model / "m.pt", {"0": ("FloatStorage", 5, 20)}, pickled=pickled)
    assert world.read(model).weights == (TensorTotal(dtype="F32", parameters=5, size=20),)


def test_what_an_older_pytorch_wrote_is_known_by_its_size_alone(model: Path) -> None:
    (model / "pytorch_model.bin").write_bytes(bytes.fromhex("80028a0a6cfc9c46f9206aa85019") + bytes(1000))
    facts = world.read(model)
    assert (facts.formats, facts.parameters, facts.weights_size) == (("pytorch",), None, 1014)


def test_configuration_and_card_say_what_a_model_is(model: Path) -> None:
    (model / "config.json").write_text(json.dumps(world.LLAMA_CONFIG))
    (model / "README.md").write_text(
        "---\nlanguage:\n- en\n- zh  # both\nlicense: llama3\npipeline_tag: text-generation\n"
        'base_model: "meta-llama/Meta-Llama-3-8B"\nlibrary_name: transformers\n---\n# A model\n'
    )
    facts = world.read(model)
    assert facts.architecture == "LlamaForCausalLM"
    assert facts.framework_version == "Transformers 4.40.0.dev0"
    assert facts.shape == Shape(layers=32, heads=32, cached=2 * 8 * 128, context=8192, generates=True)
    assert (facts.license, facts.pipeline_tag, facts.languages) == ("llama3", "text-generation", ("en", "zh"))
    assert (facts.base_model, facts.library) == ("meta-llama/Meta-Llama-3-8B", "transformers")


def test_links_of_a_cache_are_followed_inside_the_root(tmp_path: Path) -> None:
    """As the hub's own client lays out what it fetches: names in `snapshots` lead to contents in `blobs`."""
    (tmp_path / "blobs").mkdir()
    snapshot = tmp_path / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    world.write_safetensors(tmp_path / "blobs" / "abc", {"w": ("float32", (5,))})
    (snapshot / "model.safetensors").symlink_to("../../blobs/abc")
    (snapshot / "absolute.gguf").symlink_to(tmp_path / "blobs" / "def")
    world.write_gguf(tmp_path / "blobs" / "def")
    reader = world.ArtifactReader([tmp_path])
    facts = reader.read_here(snapshot, resume=None, note=None, stopped=lambda: False)
    assert (facts.formats, facts.parameters, facts.files) == (("safetensors", "gguf"), 5, 2)


async def test_a_model_is_read_beside_the_event_loop(model: Path) -> None:
    (model / "a").write_bytes(bytes(1000))
    facts = await world.ArtifactReader([model.parent]).read(model)
    assert facts.size == 1000
