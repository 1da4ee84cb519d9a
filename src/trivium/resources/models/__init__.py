"""AI models: those of the catalogue, what their files say, and how much memory of accelerators they need."""

from __future__ import annotations

from trivium.resources.models.errors import ArtifactRefused, Fault, ModelImporting, ModelInUse, NoSuchModel
from trivium.resources.models.importing import (
    WAITING,
    begin_import,
    finish_import,
    get_import,
    note_fault,
    note_progress,
    refuse_import,
)
from trivium.resources.models.rereading import import_host, read_again
from trivium.resources.models.service import (
    EXTRA_GPU_MEMORY,
    change,
    create,
    delete,
    delete_many,
    get,
    markable,
    own,
    thing_of,
)
from trivium.resources.models.sizing import MemoryFigures, figures
from trivium.resources.models.table import LISTING, MODELS, SAMPLE_SIZE, models
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
from trivium.resources.models.users import ModelsInStores
from trivium.resources.models.worker import ImportWorker

__all__ = [
    "EXTRA_GPU_MEMORY",
    "LISTING",
    "MODELS",
    "SAMPLE_SIZE",
    "WAITING",
    "ArtifactRefused",
    "Facts",
    "Fault",
    "FileDone",
    "Import",
    "ImportWorker",
    "MemoryFigures",
    "Model",
    "ModelChange",
    "ModelImporting",
    "ModelInUse",
    "ModelStatus",
    "ModelType",
    "ModelsInStores",
    "NewModel",
    "NoSuchModel",
    "Progress",
    "Shape",
    "TensorTotal",
    "begin_import",
    "change",
    "create",
    "delete",
    "delete_many",
    "figures",
    "finish_import",
    "get",
    "get_import",
    "import_host",
    "markable",
    "models",
    "note_fault",
    "note_progress",
    "own",
    "read_again",
    "refuse_import",
    "thing_of",
]
