"""The transfers room's errors."""

from __future__ import annotations

from typing import Final

from trivium.base.errors import Conflict, Invalid, NotFound
from trivium.base.reasons import Reason

LONGEST: Final = 200  # characters of a detail


class NoSuchTransfer(NotFound):
    """The dataset has no such import or export."""

    code = "transfer.not_found"


class TransferRunning(Conflict):
    """Something else is going on with the dataset: one import at a time."""

    code = "transfer.running"


class NotImportable(Invalid):
    """Samples of the dataset's type are not read from there: a directory says too little of them."""

    code = "transfer.not_importable"


class NotSyncable(Invalid):
    """There is no source that can be read again and compared with the dataset."""

    code = "transfer.not_syncable"


class NoSuchVersion(NotFound):
    """The dataset has no such version."""

    code = "version.not_found"


class VersionUnreadable(NotFound):
    """The manifest of a version is not there any more, or is not what was written; `reason` says why."""

    code = "version.unreadable"

    def __init__(self, fault: str, file: str) -> None:
        name = file.rpartition("/")[2][:LONGEST]  # where that is on disk is not for everybody
        super().__init__(f"{fault}: {file}", file=name)
        self.reason = Reason(code=self.code, details={"file": name})


class VersionExists(Conflict):
    """The dataset has a version of that name."""

    code = "version.exists"


class NotExportable(Invalid):
    """Samples of the dataset's type cannot be written so."""

    code = "transfer.not_exportable"


class TargetRefused(Invalid):
    """An export cannot be written there; `reason` says why."""

    code = "transfer.target_refused"

    def __init__(self, fault: str, file: str, **details: object) -> None:
        said = {"file": file[:LONGEST], **{name: str(value)[:LONGEST] for name, value in details.items()}}
        super().__init__("path", f"{fault}: {file}", **said)
        self.reason = Reason(code=f"transfer.target.{fault}", details=said)


class SampleNotWritten(TargetRefused):
    """One sample cannot be exported; the others can."""

    code = "transfer.sample_not_written"
