"""AI models: those of the catalogue, what their files say, and how much memory of accelerators they need."""

from __future__ import annotations

from trivium.resources.models.errors import (
    ArtifactRefused,
    Fault,
    ModelExists,
    ModelImporting,
    ModelInUse,
    ModelIsImage,
    NoSuchModel,
)
from trivium.resources.models.importing import (
    WAITING,
    begin_import,
    finish_import,
    get_import,
    note_fault,
    note_progress,
    refuse_import,
)
from trivium.resources.models.listing import list_events, list_own
from trivium.resources.models.registering import register, versions_of
from trivium.resources.models.rereading import read_again
from trivium.resources.models.service import (
    EXTRA_GPU_MEMORY,
    change,
    create,
    delete,
    delete_many,
    find,
    get,
    markable,
    own,
    thing_of,
)
from trivium.resources.models.sizing import MemoryFigures, figures
from trivium.resources.models.table import LISTING, MODELS, SAMPLE_SIZE, models
from trivium.resources.models.types import (
    NOWHERE,
    Facts,
    FileDone,
    Import,
    Model,
    ModelChange,
    ModelKind,
    ModelStatus,
    ModelType,
    NewModel,
    Progress,
    Shape,
    TensorTotal,
)
from trivium.resources.models.users import ModelHoldings, ModelsInStores
from trivium.resources.models.versions import Version, version_of
from trivium.resources.models.worker import ImportWorker

__all__ = [
    "EXTRA_GPU_MEMORY",
    "LISTING",
    "MODELS",
    "NOWHERE",
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
    "ModelExists",
    "ModelHoldings",
    "ModelImporting",
    "ModelInUse",
    "ModelIsImage",
    "ModelKind",
    "ModelStatus",
    "ModelType",
    "ModelsInStores",
    "NewModel",
    "NoSuchModel",
    "Progress",
    "Shape",
    "TensorTotal",
    "Version",
    "begin_import",
    "change",
    "create",
    "delete",
    "delete_many",
    "figures",
    "find",
    "finish_import",
    "get",
    "get_import",
    "list_events",
    "list_own",
    "markable",
    "models",
    "note_fault",
    "note_progress",
    "own",
    "read_again",
    "refuse_import",
    "register",
    "thing_of",
    "version_of",
    "versions_of",
]
