"""The shapes of datasets on the wire."""

from __future__ import annotations

from typing import Any

from trivium.dialects.modelarts.datasets.labels import LabelBody, LabelShape
from trivium.dialects.modelarts.datasets.samples import SampleShape
from trivium.dialects.modelarts.datasets.sources import DataSourceShape, FieldShape, LabelFormatShape
from trivium.dialects.modelarts.datasets.versions import VersionShape
from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.operation import Wire


class TasksQuery(Wire, frozen=True, kw_only=True):
    """Which of the tasks that go on with a dataset are shown: those of one type, or all."""

    check_running_task: bool = False
    running_task_type: int | None = None


class DatasetsQuery(TasksQuery, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    limit: int | None = None
    offset: int | None = None
    order: Text = None
    sort_by: Text = None
    search_content: Text = None
    dataset_type: int | None = None
    workspace_id: Text = None
    workspaceId: Text = None  # noqa: N815 - as lists of notebooks and pools spell it
    with_labels: bool = False
    file_preview: bool = False
    contain_versions: bool | None = None
    version_format: int | None = None
    train_evaluate_ratio: Text = None
    support_export: bool = False
    dataset_version: Text = None


class CreateDatasetBody(Wire, frozen=True, kw_only=True):
    """A new dataset."""

    dataset_name: str
    dataset_type: int | None = None
    data_sources: tuple[DataSourceShape, ...]
    work_path: str
    work_path_type: int | None = None
    description: Text = None
    labels: tuple[LabelBody, ...] = ()
    workspace_id: Text = None
    data_format: Text = None
    schema: tuple[FieldShape, ...] | None = None
    import_annotations: bool | None = None
    import_data: bool | None = None
    managed: bool | None = None
    label_format: LabelFormatShape | None = None
    workforce_information: dict[str, Any] | None = None


class ChangeDatasetBody(Wire, frozen=True, kw_only=True):
    """What is to be otherwise of a dataset."""

    dataset_name: Text = None
    description: Text = None
    current_version_id: Text = None
    add_labels: tuple[LabelBody, ...] = ()
    update_labels: tuple[LabelBody, ...] = ()
    delete_labels: tuple[LabelBody, ...] = ()


class DatasetIdShape(Shape, frozen=True, kw_only=True):
    """Which dataset was made or changed, and the task that reads what it is made of."""

    dataset_id: str
    import_task_id: Text = None


class DatasetShape(Shape, frozen=True, kw_only=True):
    """A dataset."""

    dataset_id: str
    dataset_name: str
    dataset_type: int
    dataset_format: int
    data_format: str
    description: str
    status: int
    data_sources: tuple[DataSourceShape, ...]
    data_url: Text = None
    labels: list[LabelShape] | None = None
    schema: tuple[FieldShape, ...] | None = None
    samples: list[SampleShape] | None = None
    label_format: LabelFormatShape | None = None
    work_path: str
    work_path_type: int
    inner_work_path: Text = None
    inner_annotation_path: Text = None
    next_version_num: int
    dataset_version_count: int
    current_version_id: str
    current_version_name: str
    versions: tuple[VersionShape, ...] = ()  # the current one
    total_sample_count: int
    annotated_sample_count: int
    unconfirmed_sample_count: int
    deleted_sample_count: int
    total_sub_sample_count: int
    annotated_sub_sample_count: int
    create_time: int
    update_time: int
    data_update_time: int | None = None
    import_data: bool
    import_task_id: Text = None
    managed: bool
    content_labeling: bool
    exist_running_task: bool
    running_tasks_id: list[str]
    exist_workforce_task: bool
    workforce_task_count: int
    label_task_count: int
    feature_supports: tuple[str, ...]
    enterprise_project_id: str
    workspace_id: str


class DatasetsPage(Shape, frozen=True, kw_only=True):
    """A page of datasets."""

    total_number: int
    datasets: list[DatasetShape]
