"""What `config.json` and `generation_config.json` say of a model, in the names of the transformers library.

See https://huggingface.co/docs/transformers/main_classes/configuration. Older names of the same measures (GPT-2's,
T5's) are known as well. A value of a wrong type counts as absent: these files are made by hand as often as not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from trivium.base.values import Value
from trivium.drivers.artifacts import limits
from trivium.resources.models import Shape

LARGEST: Final = 1 << 40  # of any measure; a larger one is none
LAYERS: Final = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
HEADS: Final = ("num_attention_heads", "n_head", "n_heads", "num_heads")
HIDDEN: Final = ("hidden_size", "n_embd", "d_model", "dim")
CONTEXT: Final = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "n_ctx", "max_seq_len")
INNER: Final = ("text_config", "llm_config", "language_config")  # of models that see or hear as well
GENERATING: Final = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
PIPELINES: Final = {
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForMaskedLM": "fill-mask",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForSemanticSegmentation": "image-segmentation",
    "ForAudioClassification": "audio-classification",
    "ForCTC": "automatic-speech-recognition",
    "ForSpeechSeq2Seq": "automatic-speech-recognition",
}
"""What a head is for, where there is one answer. Conditional generation has several: no pipeline follows from it."""


class Configured(Value, frozen=True):
    """What a configuration says."""

    architecture: str | None
    pipeline_tag: str | None
    transformers: str | None  # the version that wrote it
    vendor: str | None
    shape: Shape


def read(config: Mapping[str, Any], generation: Mapping[str, Any]) -> Configured:
    """What the two files say; empty ones say nothing."""
    named = config.get("architectures")
    architecture = _word(cast("list[object]", named)[0]) if isinstance(named, list) and named else None
    origin = re.fullmatch(r"([\w.-]+)/[\w.-]+", _word(config.get("_name_or_path")) or "")
    vendor = origin[1] if origin is not None and origin[1].strip(".") else None
    return Configured(
        architecture=architecture,
        pipeline_tag=next((tag for head, tag in PIPELINES.items() if (architecture or "").endswith(head)), None),
        transformers=_word(config.get("transformers_version")) or _word(generation.get("transformers_version")),
        vendor=vendor,
        shape=_shape(config, architecture),
    )


def _shape(config: Mapping[str, Any], architecture: str | None) -> Shape:
    inner = _inner(config)
    heads = _number(inner, HEADS)
    is_decoder = config.get("is_decoder") is True or config.get("is_encoder_decoder") is True
    return Shape(
        layers=_number(inner, LAYERS),
        heads=heads,
        cached=_cached(inner, heads),
        context=_number(inner, CONTEXT),
        generates=is_decoder or (architecture or "").endswith(GENERATING),
    )


def _inner(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part that describes the transformer that generates."""
    for name in INNER:
        value: object = config.get(name)
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
    return config


def _cached(config: Mapping[str, Any], heads: int | None) -> int | None:
    """Elements of keys and values of one layer and token: of all heads, of those that are grouped, or of one latent."""
    latent = _number(config, ("kv_lora_rank",))
    if latent is not None:  # multi-head latent attention keeps that and the part with positions, for all heads together
        return latent + (_number(config, ("qk_rope_head_dim",)) or 0)
    kept = _number(config, ("num_key_value_heads", "num_kv_heads"))
    if kept is None:
        kept = 1 if config.get("multi_query") is True else heads
    wide = _number(config, ("head_dim", "d_kv"))
    if wide is None and heads and (hidden := _number(config, HIDDEN)) is not None:
        wide = hidden // heads
    return 2 * kept * wide if kept is not None and wide is not None else None


def _number(config: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of these that is a sensible number."""
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST:
            return value
    return None


def _word(value: object) -> str | None:
    return value[: limits.TEXT] if isinstance(value, str) and value.strip() else None
