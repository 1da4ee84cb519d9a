"""The samples room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from trivium.base.reasons import Reason


class NoSuchSample(NotFound):
    """The dataset has no such sample."""

    code = "sample.not_found"


class NoSampleFile(NotFound):
    """The sample is no file, or its file is not there any more, or not where its dataset may have any."""

    code = "sample.no_file"


class SourceNotYours(Forbidden):
    """A file that is to be deleted with its sample lies in a store that the caller may not change."""

    code = "sample.source_not_yours"


class SourceNoFile(Conflict):
    """A sample that is to be deleted with its file is no file of its own: a line, a row, or a text of a manifest."""

    code = "sample.source_no_file"


class SourceBarred(Conflict):
    """A file that is to be deleted with its sample is none, is behind a link, or lies outside of the roots."""

    code = "sample.source_barred"


class SourcePublished(Conflict):
    """A file that is to be deleted with its sample is named by a version of the dataset."""

    code = "sample.source_published"


class NotAPicture(Invalid):
    """The file of a sample is no picture that can be read, or is damaged."""

    code = "sample.not_a_picture"


class PictureTooLarge(Invalid):
    """A picture has more pixels than are made smaller here, or would have, or takes too long."""

    code = "sample.picture_too_large"


class TooManyPictures(Unavailable):
    """More pictures wait to be made smaller than may wait."""

    code = "sample.too_many_pictures"


class LabelsLeaving(Conflict):
    """Labels of the dataset were deleted, and are not taken from all of its samples yet."""

    code = "sample_label.leaving"


class SampleFileThere(Conflict):
    """Something of that name is in the directory of the dataset."""

    code = "sample.file_there"


class NotTaken(Conflict):
    """A file that was brought is no sample of the dataset; `reason` says why, as an import would."""

    code = "sample.not_taken"

    def __init__(self, *, name: str, reason: Reason) -> None:
        super().__init__(name=name, reason=reason)

    @property
    def reason(self) -> Reason | None:
        """Why it is none."""
        found = self.details.get("reason")
        return found if isinstance(found, Reason) else None


class SampleTooLarge(NotTaken):
    """A file that was brought has more bytes, pixels or lines than samples may have."""

    code = "sample.too_large"


class NoSuchLabel(NotFound):
    """The dataset has no such label."""

    code = "sample_label.not_found"


class LabelExists(Conflict):
    """The dataset has a label of that name and type."""

    code = "sample_label.exists"


class ShortcutTaken(Conflict):
    """Another label of the dataset has that shortcut."""

    code = "sample_label.shortcut_taken"
