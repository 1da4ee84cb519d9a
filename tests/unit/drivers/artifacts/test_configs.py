"""What configurations say, in their several spellings."""

from __future__ import annotations

from typing import Any

import pytest

from trivium.drivers.artifacts.configs import read
from trivium.resources.models import Shape

GPT2 = {"architectures": ["GPT2LMHeadModel"], "n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024}
GEMMA = {
    "architectures": ["Gemma2ForCausalLM"],
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "hidden_size": 2304,
    "max_position_embeddings": 8192,
}
DEEPSEEK = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "hidden_size": 7168,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
}
SEEING = {"architectures": ["LlavaForConditionalGeneration"], "text_config": GPT2}
FALCON = {"architectures": ["FalconForCausalLM"], "num_attention_heads": 71, "hidden_size": 4544, "multi_query": True}


@pytest.mark.parametrize(
    ("config", "shape"),
    [
        (GPT2, Shape(layers=12, heads=12, cached=2 * 768, context=1024, generates=True)),
        (GEMMA, Shape(layers=26, heads=8, cached=2 * 4 * 256, context=8192, generates=True)),
        (DEEPSEEK, Shape(layers=61, heads=128, cached=576, generates=True)),
        (SEEING, Shape(layers=12, heads=12, cached=2 * 768, context=1024, generates=True)),
        (FALCON, Shape(heads=71, cached=2 * 64, generates=True)),
        ({"architectures": ["BertModel"], "num_hidden_layers": 2}, Shape(layers=2)),
        ({}, Shape()),
    ],
)
def test_the_measures_are_found(config: dict[str, Any], shape: Shape) -> None:
    assert read(config, {}).shape == shape


@pytest.mark.parametrize("value", ["12", -1, 0, True, 1.5, [12], None, 1 << 50, {}])
def test_a_measure_that_is_no_sensible_number_counts_as_absent(value: object) -> None:
    assert read({"num_hidden_layers": value}, {}).shape.layers is None


@pytest.mark.parametrize("value", [None, "Llama", [], [1], [None], {"a": 1}, [""]])
def test_an_architecture_that_is_no_list_of_names_counts_as_absent(value: object) -> None:
    found = read({"architectures": value}, {})
    assert (found.architecture, found.pipeline_tag) == (None, None)


@pytest.mark.parametrize(
    ("path", "vendor"),
    [
        ("Qwen/Qwen2.5-0.5B", "Qwen"),
        ("/home/a/b", None),
        ("./out", None),
        ("../x", None),
        ("bert", None),
        ("a/b/c", None),
    ],
)
def test_the_vendor_is_the_organization_of_a_name_on_a_hub(path: str, vendor: str | None) -> None:
    assert read({"_name_or_path": path}, {}).vendor == vendor


def test_the_version_of_the_library_may_stand_in_either_file() -> None:
    assert read({}, {"transformers_version": "4.51.0"}).transformers == "4.51.0"
    assert read({"transformers_version": "4.40.0"}, {"transformers_version": "4.51.0"}).transformers == "4.40.0"
