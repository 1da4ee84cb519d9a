"""Datasets between ModelArts' words and the core's: sources, imports, samples, and what errors are called."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.builders import START
from trivium.base.errors import Invalid, Missing
from trivium.base.query import AnyOf, Condition, Offset, Op, Order
from trivium.base.reasons import Reason
from trivium.dialects.modelarts import errors
from trivium.dialects.modelarts.codes import told_of
from trivium.dialects.modelarts.datasets import checking, imports, sources
from trivium.dialects.modelarts.datasets.finding import label_type
from trivium.dialects.modelarts.datasets.imports import ImportBody, import_shape, new_import
from trivium.dialects.modelarts.datasets.seeking import SamplesQuery, samples_query
from trivium.dialects.modelarts.datasets.shapes import CreateDatasetBody, DatasetsQuery
from trivium.dialects.modelarts.datasets.sources import (
    DataSourceShape,
    FieldShape,
    LabelFormatShape,
    SchemaMapShape,
    SourceInfoShape,
)
from trivium.dialects.modelarts.datasets.translation import Paths, datasets_query, first_import, new_dataset
from trivium.dialects.modelarts.errors import OnlyBuckets, WorkPathIsBucket, WorkPathWithin
from trivium.dialects.reading import Malformed, OutOfBounds
from trivium.resources.datasets import BadPlace, Dataset, DatasetExists, DatasetType, NoSuchBucket, NoSuchDataset
from trivium.resources.datasets.ports import Columns, LabelType, TextFormat
from trivium.resources.samples import LabelExists, LabelsLeaving, NoSuchLabel, NoSuchSample, ShortcutTaken
from trivium.resources.stores import NotInStores
from trivium.resources.transfers import (
    ImportCounts,
    NewImport,
    NotImportable,
    NotSyncable,
    SampleImport,
    TransferRunning,
    TransferStatus,
    Way,
)

PATH = "/v2/0123/datasets"
PATHS = Paths(data="/b/pets/cats", work="/b/out/work")


def body(**more: Any) -> CreateDatasetBody:
    told: dict[str, Any] = {
        "dataset_name": "cats",
        "dataset_type": 0,
        "data_sources": (DataSourceShape(data_path="obs://pets/cats/"),),
        "work_path": "/out/work/",
    }
    return CreateDatasetBody(**told | more)


def dataset(type: DatasetType = DatasetType.IMAGE_CLASSIFICATION, **settings: Any) -> Dataset:
    told: dict[str, Any] = dict.fromkeys(Dataset.__struct_fields__)
    return Dataset(**told | {"uuid": UUID(int=1), "name": "cats", "type": type, "settings": settings})


def done(**more: Any) -> SampleImport:
    asked = NewImport(path="/b/pets/cats", way=Way.DIRECTORY, settings={"import_path": "obs://pets/cats/"})
    told: dict[str, Any] = {
        "id": 1,
        "uuid": UUID(int=2),
        "dataset": 1,
        "host": "a",
        "asked": asked,
        "status": TransferStatus.DONE,
        "reason": None,
        "counts": ImportCounts(total=5, imported=3, annotated=2, size=300),
        "position": b"",
        "sync": False,
        "looked": 0,
        "created_at": START,
        "changed_at": START + timedelta(seconds=3),
        "seconds": 2.9,
        "finished_at": START,
    }
    return SampleImport(**told | more)


def test_a_password_is_not_kept() -> None:
    info = SourceInfoShape(user_name="u", user_password="open sesame")
    kept = sources.checked(DataSourceShape(data_path="obs://a/b", source_info=info), "data_source")
    assert kept.source_info == SourceInfoShape(user_name="u", user_password="******")
    source = DataSourceShape(data_path="obs://pets/cats/", source_info=info)
    made = new_dataset(body(), checking.checked(body(data_sources=(source,))), paths=PATHS, workspace=0)
    assert "open sesame" not in str(made)
    assert "open sesame" not in str(new_import(dataset(), ImportBody(import_path="x", data_source=source), "/b/x"))


@pytest.mark.parametrize("kind", range(1, 7))
def test_other_services_are_refused(kind: int) -> None:
    with pytest.raises(OnlyBuckets) as raised:
        sources.checked(DataSourceShape(data_type=kind), "data_sources[0]")
    assert raised.value.field == "data_sources[0].data_type"


def test_texts_are_told_apart_as_is_asked() -> None:
    assert sources.text_format(None) == TextFormat()
    asked = LabelFormatShape(label_type="0", text_label_separator=";", text_sample_separator="|")
    assert sources.text_format(asked) == TextFormat(separate=True, text_end="|", between=";")
    assert sources.text_format(LabelFormatShape(text_label_separator="")) == TextFormat()


def test_columns_are_those_of_the_schema_and_the_maps() -> None:
    source = DataSourceShape(schema_maps=(SchemaMapShape(src_name="a", dest_name="b"),), with_column_header=True)
    schema = (FieldShape(name="b"), FieldShape(name="c"))
    told = Columns(names=("b", "c"), maps={"a": "b"}, has_header=True)
    assert sources.columns(source, schema, has_header=None) == told
    assert not sources.columns(source, schema, has_header=False).has_header
    with pytest.raises(Missing) as raised:
        sources.columns(DataSourceShape(schema_maps=(SchemaMapShape(src_name="a"),)), (), has_header=None)
    assert raised.value.field == "data_source.schema_maps[0].dest_name"


@pytest.mark.parametrize(
    ("kind", "more", "way"),
    [
        (0, {}, Way.DIRECTORY),
        (200, {"import_annotations": False}, Way.DIRECTORY),
        (400, {"import_data": True}, Way.TABLE),
        (400, {}, None),
        (3, {}, None),
        (None, {"import_data": True}, None),
    ],
)
def test_a_new_dataset_is_read_where_directories_say_enough(kind: int | None, more: Any, way: Way | None) -> None:
    asked = body(dataset_type=kind, **more)
    found = first_import(asked, checking.checked(asked), paths=PATHS)
    assert (None if found is None else found.way) == way
    if found is not None:
        assert (found.path, found.settings["import_path"]) == (PATHS.data, "obs://pets/cats/")
        assert found.wanted.labels is (asked.import_annotations is not False)


@pytest.mark.parametrize("work", ["/b/pets/cats", "/b/pets/cats/work"])
def test_what_is_published_is_not_put_among_the_samples(work: str) -> None:
    with pytest.raises(WorkPathWithin) as raised:
        new_dataset(body(), DataSourceShape(), paths=Paths(data="/b/pets/cats", work=work), workspace=0)
    assert raised.value.field == "work_path"
    beside = Paths(data="/b/pets/cats", work="/b/pets/cats-work")
    assert new_dataset(body(), DataSourceShape(), paths=beside, workspace=0).work_path == "/b/pets/cats-work"


@pytest.mark.parametrize(
    ("given", "type", "way"),
    [
        (None, 0, Way.DIRECTORY),
        ("DIR", 0, Way.DIRECTORY),
        (0, 400, Way.TABLE),
        ("1", 0, Way.MANIFEST),
        (1, 400, Way.MANIFEST),
        ("manifest", 600, Way.MANIFEST),
    ],
)
def test_an_import_s_way_follows_from_its_word_and_the_dataset(given: Any, type: int, way: Way) -> None:
    asked = ImportBody(import_path="obs://a/b", import_type=given)
    assert new_import(dataset(DatasetType(type)), asked, "/b").way is way


def test_what_is_wanted_of_a_source_is_handed_on() -> None:
    asked = ImportBody(
        import_path="obs://a/b",
        import_annotations=False,
        difficult_only=True,
        final_annotation=False,
        included_labels=("cat", imports.LabelName(name="dog")),
        excluded_labels=("bird",),
    )
    wanted = new_import(dataset(), asked, "/b").wanted
    assert (wanted.labels, wanted.difficult_only, wanted.confirmed) == (False, True, False)
    assert (wanted.included, wanted.excluded) == (frozenset({"cat", "dog"}), frozenset({"bird"}))
    plain = new_import(dataset(), ImportBody(import_path="obs://a/b"), "/b").wanted
    assert (plain.labels, plain.difficult_only, plain.confirmed) == (True, False, True)


@pytest.mark.parametrize(
    ("status", "reason", "word", "number", "code"),
    [
        (TransferStatus.WAITING, None, "QUEUING", 0, None),
        (TransferStatus.RUNNING, None, "RUNNING", 1, None),
        (TransferStatus.DONE, None, "COMPLETED", 2, None),
        (TransferStatus.STOPPED, None, "FAILED", 4, None),
        (TransferStatus.FAILED, "dataset.source.absent", "FAILED", 3, "ModelArts.4312"),
        (TransferStatus.FAILED, "dataset.source.empty", "FAILED", 3, "ModelArts.4312"),
        (TransferStatus.FAILED, "dataset.source.outside", "FAILED", 3, "ModelArts.4374"),
        (TransferStatus.FAILED, "dataset.source.columns", "FAILED", 3, "ModelArts.4362"),
        (TransferStatus.FAILED, "transfer.fault", "FAILED", 3, "ModelArts.0010"),
    ],
)
def test_each_status_of_a_task_has_its_word(
    status: TransferStatus, reason: str | None, word: str, number: int, code: str | None
) -> None:
    one = done(status=status, reason=None if reason is None else Reason(code=reason))
    shown = import_shape(dataset(), one, None)
    assert (shown.status, shown.processor_task_status, shown.error_code) == (word, number, code)


def test_a_task_counts_seconds_and_bytes() -> None:
    shown = msgspec.to_builtins(import_shape(dataset(), done(), "said"))
    assert (shown["elapsed_time"], shown["update_ms"] - shown["create_time"]) == (2, 3000)
    assert (shown["total_file_size"], shown["finished_file_count"], shown["error_msg"]) == (300, 3, "said")
    assert shown["file_statistics"] == {
        "file_num_finished": 3,
        "file_num_total": 5,
        "file_size_finished": 300,
        "file_size_total": 300,
    }
    assert not {"error_code", "data_source"} & shown.keys()


def test_offsets_count_pages() -> None:
    asked = datasets_query(DatasetsQuery(limit=7, offset=3, sort_by="dataset_name", order="ASC"), 9)
    assert asked.page == Offset(limit=7, offset=21)
    assert asked.order == (Order(field="name"), Order(field="id"))
    assert asked.where == (Condition(field="workspace", op=Op.EQ, value=9),)
    assert datasets_query(DatasetsQuery(), None).page == Offset(limit=10)


def test_samples_are_sought_by_what_is_said_of_them() -> None:
    asked = samples_query(SamplesQuery(sample_state="__all__", sample_type=0, low_score=0.1, high_score=0.9))
    assert asked.where == (
        Condition(field="state", op=Op.IN, value=(1, 2)),
        Condition(field="kind", op=Op.EQ, value=0),
        Condition(field="score", op=Op.GE, value=0.1),
        Condition(field="score", op=Op.LE, value=0.9),
    )
    assert samples_query(SamplesQuery(sample_state="__ACCEPTED__")).tree == AnyOf(parts=())
    assert samples_query(SamplesQuery(email="a@b.c")).tree == AnyOf(parts=())
    assert samples_query(SamplesQuery(low_score=0, high_score=1)).where == ()


def test_a_label_has_its_dataset_s_type_unless_one_is_told() -> None:
    assert label_type(dataset(DatasetType.VIDEO), None, "type") is LabelType.VIDEO
    assert label_type(dataset(DatasetType.VIDEO), 1, "type") is LabelType.OBJECT_DETECTION
    with pytest.raises(OutOfBounds):
        label_type(dataset(), 2, "type")
    for type in (DatasetType.TEXT_TRIPLET, DatasetType.TABLE, DatasetType.FREE):
        with pytest.raises(Missing):
            label_type(dataset(type), None, "type")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NoSuchDataset(), 400, "ModelArts.4352"),
        (DatasetExists(name="a"), 400, "ModelArts.4351"),
        (Missing("dataset_name"), 400, "ModelArts.4396"),
        (Invalid("limit"), 400, "ModelArts.4396"),
        (OnlyBuckets("import_origin"), 400, "ModelArts.4396"),
        (Malformed("body"), 400, "ModelArts.6400"),
        (BadPlace("import_path", place="x"), 400, "ModelArts.4374"),
        (WorkPathIsBucket("work_path", place="/x/"), 400, "ModelArts.4374"),
        (WorkPathWithin("work_path", place="/x/y"), 400, "ModelArts.4374"),
        (NoSuchBucket("import_path", place="x"), 400, "ModelArts.4312"),
        (NotInStores("data_path", path="/x"), 400, "ModelArts.4312"),
        (errors.WorkPathTooLong("work_path", most=700), 400, "ModelArts.4350"),
        (errors.UnknownWorkspace("workspace_id"), 400, "ModelArts.0102"),
        (TransferRunning(dataset="a"), 400, "ModelArts.4356"),
        (NotImportable("import_type", dataset="a", type=3), 501, "ModelArts.4383"),
        (NotSyncable("dataset_id", dataset="a", problem="x"), 501, "ModelArts.4383"),
        (NoSuchLabel(name="a"), 400, "ModelArts.4410"),
        (LabelExists(name="a"), 400, "ModelArts.4411"),
        (ShortcutTaken(shortcut="a"), 400, "ModelArts.4412"),
        (LabelsLeaving(dataset="a"), 400, "ModelArts.4344"),
        (NoSuchSample(), 400, "ModelArts.4420"),
    ],
)
def test_errors_of_datasets_have_their_codes(error: Any, status: int, code: str) -> None:
    for path in (PATH, f"{PATH}/x/data-annotations/labels"):
        told = told_of(error, path)
        assert (told.status, told.code) == (status, code)
    assert told_of(Invalid("x"), "/v2/0123/datasetsx").code == "ModelArts.0104"
