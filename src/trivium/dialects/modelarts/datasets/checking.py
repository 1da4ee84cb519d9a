"""What may stand in the body of a dataset, beside what its shape says."""

from __future__ import annotations

import re
from typing import Final

from trivium.base.errors import Missing
from trivium.dialects.modelarts.datasets import sources
from trivium.dialects.modelarts.datasets.shapes import CreateDatasetBody
from trivium.dialects.modelarts.datasets.sources import DataSourceShape
from trivium.dialects.modelarts.errors import NotHere, WorkPathIsBucket, WorkPathTooLong, WorkPathWithin
from trivium.dialects.modelarts.spelling import Text, one_of
from trivium.dialects.reading import OutOfBounds

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
LONGEST_DESCRIPTION: Final = 256
BARRED: Final = frozenset("^!<>=&\"'")
LONGEST_PLACE: Final = 700
SHORTEST_PLACE: Final = 3
BUCKET: Final = re.compile(r"(?:(?:obs|s3):/)?/[^/]+/?", re.IGNORECASE)
PLAIN: Final = "Default"
FORMATS: Final = (PLAIN, "CarbonData")
DATA_PATH: Final = "data_sources[0].data_path"
WORK_PATH: Final = "work_path"


def checked(body: CreateDatasetBody) -> DataSourceShape:
    """Raise what is wrong with a body, by the name of its field, or cannot be had; the source, as it is kept.

    Raises `Missing`, `OutOfBounds`, `OnlyBuckets`, `WorkPathTooLong`, `WorkPathIsBucket`, `NotOneOf` and `NotHere`.
    """
    name(body.dataset_name)
    description(body.description)
    if one_of(body.data_format, "data_format", FORMATS) not in (None, PLAIN):
        raise NotHere(what="CarbonData")
    if body.managed:
        raise NotHere(what="a managed dataset")
    if body.workforce_information:
        raise NotHere(what="labelling by a team")
    if body.work_path_type not in (None, sources.OBS):
        raise OutOfBounds("work_path_type", "0")
    sources.check_schema(body.schema or ())
    _work_path(body.work_path)
    return _source(body.data_sources)


def name(text: str) -> str:
    """The name of a dataset. `OutOfBounds`."""
    if not NAME.fullmatch(text):
        raise OutOfBounds("dataset_name", "of 1 to 100 letters, digits, - and _")
    return text


def description(text: Text) -> None:
    """Raise `OutOfBounds` for what no description may be."""
    if len(text or "") > LONGEST_DESCRIPTION or BARRED & set(text or ""):
        raise OutOfBounds("description", f"of at most {LONGEST_DESCRIPTION} characters, without ^ ! < > = & \" and '")


def apart(work: str, data: str, *, said: str, field: str = WORK_PATH) -> str:
    """The path for what is published, which is not within that of the samples. `WorkPathWithin`."""
    if f"{work}/".startswith(f"{data}/"):
        raise WorkPathWithin(field, "must not be within the place of the samples", place=said)
    return work


def _work_path(text: str) -> None:
    if len(text) > LONGEST_PLACE:
        raise WorkPathTooLong(WORK_PATH, most=LONGEST_PLACE)
    if len(text) < SHORTEST_PLACE:
        raise OutOfBounds(WORK_PATH, f"of {SHORTEST_PLACE} to {LONGEST_PLACE} characters")
    if BUCKET.fullmatch(text):
        raise WorkPathIsBucket(WORK_PATH, "must be in a bucket, not one", place=text)


def _source(given: tuple[DataSourceShape, ...]) -> DataSourceShape:
    first, *others = given or (DataSourceShape(),)
    if not given:
        raise Missing("data_sources")
    if others:
        raise OutOfBounds("data_sources", "of one source")
    source = sources.checked(first, "data_sources[0]")
    if not (source.data_path or "").strip():
        raise Missing(DATA_PATH)
    return source
