"""AI models: those of the catalogue, what their files say, and how much memory of accelerators they need."""

from __future__ import annotations

from trivium.resources.models.errors import ArtifactRefused, Fault
from trivium.resources.models.sizing import MemoryFigures, figures
from trivium.resources.models.table import MODELS, SAMPLE_SIZE, SEEN, import_of, imports, model_of, models
from trivium.resources.models.types import (
    Facts,
    FileDone,
    Import,
    Model,
    ModelChange,
    ModelStatus,
    ModelType,
    NewModel,
    Progress,
    Shape,
    TensorTotal,
)

__all__ = [
    "MODELS",
    "SAMPLE_SIZE",
    "SEEN",
    "ArtifactRefused",
    "Facts",
    "Fault",
    "FileDone",
    "Import",
    "MemoryFigures",
    "Model",
    "ModelChange",
    "ModelStatus",
    "ModelType",
    "NewModel",
    "Progress",
    "Shape",
    "TensorTotal",
    "figures",
    "import_of",
    "imports",
    "model_of",
    "models",
]
