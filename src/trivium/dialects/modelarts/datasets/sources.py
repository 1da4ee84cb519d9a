"""What samples come from, as datasets and import tasks say it: buckets, and nothing else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.errors import Missing
from trivium.base.reasons import Reason
from trivium.dialects.modelarts.errors import OnlyBuckets
from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.reading import OutOfBounds
from trivium.resources.datasets import BadPlace, Buckets, Dataset
from trivium.resources.datasets.ports import Columns, TextFormat

OBS: Final = 0
OTHERS: Final = range(1, 7)  # DWS, DLI, RDS, MRS, AI Gallery, inference
HIDDEN: Final = "******"
APART: Final = "0"
TOGETHER: Final = "1"


class SchemaMapShape(Shape, frozen=True, kw_only=True):
    """What a column of the source is called in the dataset."""

    dest_name: Text = None
    src_name: Text = None


class SourceInfoShape(Shape, frozen=True, kw_only=True):
    """Where tables of other services are. Kept to be shown again, save for the password."""

    cluster_id: Text = None
    cluster_mode: Text = None
    cluster_name: Text = None
    database_name: Text = None
    input: Text = None
    ip: Text = None
    port: Text = None
    queue_name: Text = None
    subnet_id: Text = None
    table_name: Text = None
    user_name: Text = None
    user_password: Text = None
    vpc_id: Text = None


class DataSourceShape(Shape, frozen=True, kw_only=True):
    """A source."""

    data_path: Text = None
    data_type: int | None = None
    schema_maps: tuple[SchemaMapShape, ...] | None = None
    source_info: SourceInfoShape | None = None
    with_column_header: bool | None = None


class LabelFormatShape(Shape, frozen=True, kw_only=True):
    """How texts and their labels are told apart: in two files (0), or in one (1)."""

    label_type: Text = None
    text_label_separator: Text = None
    text_sample_separator: Text = None


class FieldShape(Shape, frozen=True, kw_only=True):
    """A column of tables."""

    schema_id: int | None = None
    name: str
    type: Text = None
    description: Text = None


def checked(source: DataSourceShape, field: str) -> DataSourceShape:
    """The source as it is kept. Raises `OnlyBuckets`, or `OutOfBounds` for what is no kind of source."""
    if source.data_type in OTHERS:
        raise OnlyBuckets(f"{field}.data_type")
    if source.data_type not in (None, OBS):
        raise OutOfBounds(f"{field}.data_type", "an integer from 0 to 6")
    if source.source_info is None or not source.source_info.user_password:
        return source
    return structs.replace(source, source_info=structs.replace(source.source_info, user_password=HIDDEN))


def check_schema(schema: tuple[FieldShape, ...]) -> None:
    """Raise what no columns can be called: `Missing`, and `OutOfBounds` for a name that another has, too."""
    names: set[str] = set()
    for place, one in enumerate(schema):
        if not one.name.strip():
            raise Missing(f"schema[{place}].name")
        if one.name in names:
            raise OutOfBounds(f"schema[{place}].name", "of one column")
        names.add(one.name)


def text_format(asked: LabelFormatShape | None) -> TextFormat:
    """How texts are read. `OutOfBounds`."""
    if asked is None:
        return TextFormat()
    kind = asked.label_type or TOGETHER
    if kind not in (APART, TOGETHER):
        raise OutOfBounds("label_format.label_type", "0 or 1")
    plain = TextFormat()
    return TextFormat(
        separate=kind == APART,
        text_end=_separator("text_sample_separator", asked.text_sample_separator, plain.text_end),
        between=_separator("text_label_separator", asked.text_label_separator, plain.between),
    )


def columns(source: DataSourceShape | None, schema: tuple[FieldShape, ...], *, has_header: bool | None) -> Columns:
    """How the rows of a table are read. `Missing` for a map without both of its names, `OutOfBounds` for two of one."""
    given = source or DataSourceShape()
    maps: dict[str, str] = {}
    for place, one in enumerate(given.schema_maps or ()):
        at = f"data_source.schema_maps[{place}]"
        if not one.src_name or not one.dest_name:
            raise Missing(f"{at}.{'dest_name' if one.src_name else 'src_name'}")
        if maps.setdefault(one.src_name, one.dest_name) != one.dest_name:
            raise OutOfBounds(f"{at}.src_name", "of one map")
    header = given.with_column_header if has_header is None else has_header
    return Columns(names=tuple(one.name for one in schema), maps=maps, has_header=bool(header))


def kept(**said: object) -> dict[str, Any]:
    """What is said, to be shown again, as plain values; without what is not said."""
    return {name: msgspec.to_builtins(value) for name, value in said.items() if value is not None}


async def base_of(buckets: Buckets, caller: Caller, dataset: Dataset) -> bytes:
    """The directory that most samples of a dataset lie below; empty where its source is in no bucket any more."""
    try:
        return os.fsencode(await asyncio.to_thread(buckets.path, caller, dataset.url, field="data_path"))
    except BadPlace:
        return b""


def work_path_of(dataset: Dataset) -> str:
    """The work path as it was sent, without a slash at its end; empty where there is none."""
    said = dataset.settings.get("work_path")
    return (said if isinstance(said, str) and said else dataset.work_path or "").rstrip("/")


def shown_below(dataset: Dataset, path: str) -> str:
    """An absolute path below the work path, as what was sent begins; as it is where it is elsewhere."""
    base = dataset.work_path
    is_below = base is not None and path.startswith(f"{base}/")
    return f"{work_path_of(dataset)}{path.removeprefix(base or '')}" if is_below else path


def told(reason: Reason, path: str | None, said: str) -> Reason:
    """A reason that calls what is at a path, below it or above it as that was sent: no paths of servers are told."""
    if path is None:
        return reason
    details = {name: _called(text, path, said.rstrip("/") or said) for name, text in reason.details.items()}
    return Reason(code=reason.code, details=details)


def schema_of(settings: Mapping[str, Any]) -> tuple[FieldShape, ...]:
    """The columns that a dataset was made with."""
    return msgspec.convert(settings.get("schema", ()), tuple[FieldShape, ...])


def _called(text: str, path: str, said: str) -> str:
    if text.startswith(f"{path}/"):
        return said + text.removeprefix(path)
    # What is too long to be told is cut.
    return said if text.startswith("/") and path.startswith(text) else text


def _separator(name: str, given: Text, default: str) -> str:
    """A separator is one character."""
    if not given:
        return default
    if len(given) != 1:
        raise OutOfBounds(f"label_format.{name}", "one character")
    return given
