"""The models room's errors. For why files are not taken the catalogue has a sentence for each fault, with the file."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from trivium.base.errors import Conflict, Invalid, NotFound, WrongState
from trivium.base.reasons import Reason

LONGEST: Final = 200  # characters of a detail, which may come from the file


class Fault(StrEnum):
    """What can be wrong with the files of a model."""

    OUTSIDE = "outside"
    ABSENT = "absent"
    LINK = "link"
    SPECIAL = "special"
    EMPTY = "empty"
    TOO_MANY = "too_many"
    TOO_DEEP = "too_deep"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    OFFSETS = "offsets"
    DUPLICATE = "duplicate"
    NESTED = "nested"
    LEADS_OUT = "leads_out"
    PART_ABSENT = "part_absent"
    COMPRESSED = "compressed"
    POINTER = "pointer"


class ArtifactRefused(Invalid):
    """The files cannot be read as a model; `reason` says why, and which file."""

    code = "model.artifact_refused"

    def __init__(self, fault: Fault, file: str, **details: object) -> None:
        said = {"file": file, **{name: str(value)[:LONGEST] for name, value in details.items()}}
        super().__init__("path", f"{fault.value}: {file}", **said)
        self.fault = fault
        self.reason = Reason(code=f"model.artifact.{fault.value}", details=said)


class NoSuchModel(NotFound):
    """There is no such model that the caller may see."""

    code = "model.not_found"


class ModelExists(Conflict):
    """The project has a model of that name and version."""

    code = "model.exists"


class ModelIsImage(Invalid):
    """The model is that of an image, which lies in no store and nowhere else."""

    code = "model.is_image"


class ModelInUse(Conflict):
    """The model is bound to services, or instances run it."""

    code = "model.in_use"


class ModelImporting(WrongState):
    """The files of the model are being read."""

    code = "model.importing"
