"""What the datasets room needs of the world: something that reads the sources of imports, and what it finds in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Final, Protocol

import msgspec

from trivium.base.reasons import Reason
from trivium.base.values import Value
from trivium.resources.stores import Sight

LONGEST_LABEL: Final = 256
"""Characters of a label's name. They are printable: each line of a file may be one."""

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class SampleKind(IntEnum):
    """What a sample is; the numbers are those of ModelArts, the one vendor that has them."""

    IMAGE = 0
    TEXT = 1
    AUDIO = 2
    TABLE = 4
    VIDEO = 6
    FREE = 9


class LabelType(IntEnum):
    """What a label says of a sample; the numbers are those of ModelArts."""

    IMAGE_CLASSIFICATION = 0
    OBJECT_DETECTION = 1
    IMAGE_SEGMENTATION = 3
    TEXT_CLASSIFICATION = 100
    NAMED_ENTITY = 101
    TRIPLET_RELATION = 102
    TRIPLET_ENTITY = 103
    SOUND_CLASSIFICATION = 200
    SPEECH_CONTENT = 201
    SPEECH_PARAGRAPH = 202
    VIDEO = 600


class SampleUsage(StrEnum):
    """What a sample is to be used for."""

    TRAIN = "TRAIN"
    EVAL = "EVAL"
    TEST = "TEST"
    INFERENCE = "INFERENCE"


class Annotator(StrEnum):
    """Who set a label."""

    HUMAN = "human"
    AUTO = "auto"


class SampleLabel(Value, frozen=True):
    """One label of a sample: of the whole, or of a shape, a span or a time in it."""

    name: str  # empty where the type has none: what was said in a recording
    type: LabelType
    score: float | None = None  # 0 to 1, of what set it by itself
    annotated_by: Annotator = Annotator.HUMAN
    created: str | None = None  # as the source has it
    id: str | None = None  # what relations refer to, within the sample
    property: Mapping[str, Json] = msgspec.field(default_factory=dict[str, Json])
    """Shapes are `@modelarts:shape` with the list of lists `@modelarts:feature`; hard ones have `@modelarts:hard`."""


class Sample(Value, frozen=True):
    """One sample of a source."""

    position: bytes  # reading may begin after it
    path: bytes  # from the directory of the source, or absolute where it is elsewhere; empty of a text that is no file
    size: int  # bytes of the file, or of the text or the row
    kind: SampleKind
    line: int | None = None  # where a file has a sample in each line: its number, from 1
    labels: tuple[SampleLabel, ...] = ()
    is_confirmed: bool = True  # False: somebody is to look at its labels before they count
    usage: SampleUsage | None = None
    metadata: Mapping[str, Json] = msgspec.field(default_factory=dict[str, Json])
    text: str | None = None  # of a text that is no file, or is one line of it
    cells: Mapping[str, str] | None = None  # of a row, by column
    sub_samples: int = 0  # 1 of what was made from another sample: a frame of a video
    id: str | None = None  # these four: as the manifest has them
    source: str | None = None
    inference: str | None = None
    sha256: str | None = None
    digest: bytes | None = None  # of the file, where it was asked for


class Refusal(Value, frozen=True):
    """A file or a line that no sample comes of, and why. The rest of the source is read all the same."""

    position: bytes  # reading may begin after it
    path: bytes  # as a sample's
    reason: Reason
    line: int | None = None


class Layout(StrEnum):
    """How a directory is laid out: what its samples are, and where their labels are written."""

    IMAGE_CLASSIFICATION = "image_classification"  # in a text beside the image, or the name of its directory
    OBJECT_DETECTION = "object_detection"  # in Pascal VOC beside the image
    TEXT_CLASSIFICATION = "text_classification"  # a sample in each line
    SOUND_CLASSIFICATION = "sound_classification"  # as of images


class Wanted(Value, frozen=True):
    """What of a source is wanted. Samples that are not wanted are passed over, and are no refusals."""

    labels: bool = True
    difficult_only: bool = False
    included: frozenset[str] = frozenset()  # samples with one of these labels, where there are any
    excluded: frozenset[str] = frozenset()  # no samples with one of these
    confirmed: bool = True  # labels count at once
    headers: bool = True  # look into images for their sizes, and whether they are any
    digests: bool = False  # read all files whole


class TextFormat(Value, frozen=True):
    """How texts and their labels are told apart."""

    separate: bool = False  # labels are in the lines of `NAME_result.txt`, beside `NAME.txt`
    text_end: str = "\t"  # between a text and its labels
    between: str = ","  # between labels


class Columns(Value, frozen=True):
    """The columns of a table that rows come to."""

    names: tuple[str, ...] = ()  # none: those of the header
    maps: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])  # from the source's name to ours
    has_header: bool = False


class Sources(Protocol):
    """What reads the sources of imports, inside the roots that it was made for. Nothing in them is executed.

    Each gives samples and refusals one by one, in little memory whatever the source holds, in an order that depends on
    nothing but the source, and blocks while it reads: iterate in a thread, and close what is given. `after` is the
    position of the last one that was dealt with. Each raises `SourceRefused` where the source itself cannot be read.
    """

    def directory(
        self,
        path: Path,
        layout: Layout,
        *,
        wanted: Wanted = ...,
        texts: TextFormat = ...,
        after: bytes = b"",
    ) -> Iterator[Sample | Refusal]:
        """The samples in a directory and those below it, in the order of the bytes of their names."""
        ...

    def manifest(
        self, path: Path, *, wanted: Wanted = ..., sight: Sight = ..., after: bytes = b""
    ) -> Iterator[Sample | Refusal]:
        """The samples that the lines of a manifest name, in their order; files out of sight are not looked at."""
        ...

    def table(
        self, path: Path, columns: Columns, *, wanted: Wanted = ..., after: bytes = b""
    ) -> Iterator[Sample | Refusal]:
        """The rows of a file of comma-separated values, or of those in a directory and below it."""
        ...

    def gone(self, source: Path, files: Sequence[bytes]) -> Sequence[bytes]:
        """Which of these files, by their absolute paths, are not there any more.

        What cannot be looked at counts as there. Raises `SourceRefused` where the source is not there itself, or is a
        directory with nothing in it, as one is where something is mounted no more.
        """
        ...
