"""Models of the catalogue, and what can be known of one from its files, as values. Sizes are bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from trivium.base.reasons import Reason
from trivium.base.values import Value

NOWHERE: Final = UUID(int=0)
"""The store of a model that lies in none."""


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


class ModelType(StrEnum):
    """Where a model comes from."""

    SYSTEM = "system"  # with the site
    CUSTOM = "custom"


class ModelKind(StrEnum):
    """What a model is made with, or of: what is to run it must know that."""

    TENSORFLOW = "tensorflow"
    PYTORCH = "pytorch"
    MINDSPORE = "mindspore"
    IMAGE = "image"  # an image that has the model in it; there are no files, and no store
    CUSTOM = "custom"  # anything else
    TEMPLATE = "template"


class ModelStatus(StrEnum):
    """How far a model is."""

    IMPORTING = "importing"  # its files are still to be read
    READY = "ready"
    FAILED = "failed"  # its files, which nobody waited for, cannot be read


class NewModel(Value, frozen=True):
    """What a caller asks for in a new model; None is left to what its files say."""

    name: str
    install_path: str  # absolute, perhaps with the store's host before it, or relative to the store; an image's path
    store: UUID  # `NOWHERE` for that of an image
    uuid: UUID | None = None
    public: bool = False
    type: ModelType = ModelType.CUSTOM
    description: str | None = None
    parameters: str | None = None
    logo: str | None = None  # base64
    vendor: str | None = None
    model_id: str | None = None
    introduction: str | None = None
    size: int | None = None
    version: str | None = None
    recommended_gpu_num: tuple[int, ...] | None = None
    gpu_constraint: str | None = None
    kind: ModelKind | None = None
    workspace: int = 0
    settings: Mapping[str, Any] | None = None  # a JSON document of what else is to be kept


class ModelChange(Value, frozen=True):
    """What a caller asks to be otherwise; None leaves it as it is."""

    name: str | None = None
    install_path: str | None = None
    store: UUID | None = None
    description: str | None = None
    parameters: str | None = None
    vendor: str | None = None
    model_id: str | None = None
    recommended_gpu_num: tuple[int, ...] | None = None
    gpu_constraint: str | None = None


class Model(Value, frozen=True):
    """One model: a version of what its project has under that name in that store."""

    id: int
    uuid: UUID
    project: int
    public: bool
    owner: int | None  # the user who made it; None where that is not known
    workspace: int
    store: UUID  # `NOWHERE` for that of an image
    name: str
    description: str | None
    install_path: str  # as it was given
    path: str  # the file or directory, absolute; of an image its own
    parameters: str | None
    logo: str | None
    vendor: str | None
    model_id: str  # the same of all versions
    introduction: str | None
    size: int | None
    version: str | None
    version_semver: str | None
    is_latest: bool
    type: ModelType
    kind: ModelKind
    status: ModelStatus
    reason: Reason | None  # why it failed
    min_gpu_memory: int | None
    recommended_gpu_memory: int | None
    recommended_gpu_num: tuple[int, ...]
    gpu_constraint: str | None
    extra_gpu_memory: int
    checksum: str | None  # 64 hex
    artifact_size: int | None
    architecture: str | None
    framework_version: str | None
    required_accelerator: str | None
    pipeline_tag: str | None
    said: frozenset[str]  # the names of what its callers set, which its files do not change
    settings: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime


class Import(Value, frozen=True):
    """The reading of a model's files, which goes on in the background on the host that has them."""

    id: int
    model: int
    model_uuid: UUID
    kind: ModelKind
    project: int
    operation: int | None  # that is finished with it; None where nobody waits
    host: str
    path: str  # what is read, absolute
    progress: Progress | None  # None until something was noted
    faults: int  # attempts that ended by a fault of ours
    started_at: datetime
    finished_at: datetime | None
