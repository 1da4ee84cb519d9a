"""What can be known of a model from its files, as values. Sizes are bytes."""

from __future__ import annotations

from trivium.base.values import Value


class TensorTotal(Value, frozen=True):
    """All tensors of one type of element, together."""

    dtype: str  # as the format spells it, in capitals: F32, BF16, Q4_K
    parameters: int
    size: int


class Shape(Value, frozen=True):
    """The measures of a transformer that its KV cache depends on. None: the files do not say."""

    layers: int | None = None
    heads: int | None = None  # of attention; how many devices it can be spread over
    cached: int | None = None  # elements that one layer keeps for one token, keys and values together
    context: int | None = None  # tokens
    generates: bool = False  # token by token, so that there is a KV cache


class Facts(Value, frozen=True):
    """What the files of a model say. None and empty: they say nothing about it."""

    size: int  # of all files; what the checksum covers
    files: int
    checksum: str  # 64 hex, SHA-256: of the file, or of a directory's canonical listing (docs/models.md)
    formats: tuple[str, ...] = ()  # of its weights: safetensors, pytorch, gguf, onnx
    weights: tuple[TensorTotal, ...] = ()
    weights_size: int = 0  # of the files of its weights, also where their tensors are not known
    shape: Shape = Shape()
    name: str | None = None
    architecture: str | None = None  # Qwen3MoeForCausalLM
    pipeline_tag: str | None = None  # text-generation
    framework_version: str | None = None  # Transformers 4.51.0
    vendor: str | None = None
    version: str | None = None
    license: str | None = None
    library: str | None = None
    base_model: str | None = None
    languages: tuple[str, ...] = ()

    @property
    def parameters(self) -> int | None:
        """How many parameters its tensors have; None where no tensor is known."""
        return sum(one.parameters for one in self.weights) if self.weights else None


class FileDone(Value, frozen=True):
    """A file that was read to its end, as it was then."""

    path: bytes  # relative to the model's directory; of a model that is one file, its name
    size: int
    modified: int  # nanoseconds since 1970
    inode: int
    digest: bytes  # SHA-256


class Progress(Value, frozen=True):
    """How far a model has been read. A later read that is given it goes on from there."""

    bytes_done: int = 0  # of finished files and of the one that is being read
    bytes_total: int = 0
    files_total: int = 0
    done: tuple[FileDone, ...] = ()
