"""The datasets room's errors. For why a file has no samples the catalogue has a sentence for each fault."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from trivium.base.errors import Conflict, Invalid, NotFound
from trivium.base.reasons import Reason

LONGEST: Final = 200  # characters of a detail, which may come from the file


class NoSuchDataset(NotFound):
    """There is no such dataset that the caller may see."""

    code = "dataset.not_found"


class DatasetInUse(Conflict):
    """Instances have the dataset."""

    code = "dataset.in_use"


class DatasetExists(Conflict):
    """The project has a dataset of that name."""

    code = "dataset.exists"


class DatasetPublishing(Conflict):
    """A version of the dataset is being written: samples and labels change only after that."""

    code = "dataset.publishing"


class BadPlace(Invalid):
    """There is no such place that datasets may have anything at."""

    code = "dataset.bad_place"


class NoSuchBucket(BadPlace):
    """The place is in no bucket that is here."""

    code = "dataset.no_such_bucket"


class NoWorkPath(BadPlace):
    """Nobody said where what is made of the dataset may be written."""

    code = "dataset.no_work_path"


class SourceFault(StrEnum):
    """What can be wrong with a source of samples, or with one file or line of it."""

    OUTSIDE = "outside"
    ABSENT = "absent"
    EMPTY = "empty"
    LINK = "link"
    SPECIAL = "special"
    FILE = "file"
    FOLDER = "folder"
    TOO_DEEP = "too_deep"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    LOCATION = "location"
    CLOSED = "closed"
    ORPHAN = "orphan"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    ENTITIES = "entities"
    NESTED = "nested"
    DUPLICATE = "duplicate"
    ENCODING = "encoding"
    FIELD = "field"
    NUMBER = "number"
    SHAPE = "shape"
    LABEL = "label"
    COLUMNS = "columns"


class SourceRefused(Invalid):
    """Samples cannot be read from there; `reason` says why, and which file."""

    code = "dataset.source_refused"

    def __init__(self, fault: SourceFault, file: str, **details: object) -> None:
        said = {"file": file, **{name: str(value)[:LONGEST] for name, value in details.items()}}
        super().__init__("path", f"{fault.value}: {file}", **said)
        self.fault = fault
        self.reason = Reason(code=f"dataset.source.{fault.value}", details=said)

    def about(self, file: str) -> SourceRefused:
        """The same of a file that is called otherwise."""
        return SourceRefused(
            self.fault, file, **{key: said for key, said in self.reason.details.items() if key != "file"}
        )
