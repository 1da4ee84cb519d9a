"""The shapes of models on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.operation import Wire


class ModelsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    model_name: Text = None
    exact_match: bool | None = None
    model_version: Text = None
    model_status: Text = None
    description: Text = None
    offset: int | None = None
    limit: int | None = None
    sort_by: Text = None
    order: Text = None
    workspace_id: Text = None
    workspaceId: Text = None  # noqa: N815 - as lists of notebooks and pools spell it
    model_type: Text = None
    not_model_type: Text = None


class DeleteQuery(Wire, frozen=True, kw_only=True):
    """What is to be deleted along with a model: all versions of its name, or none."""

    cascade: bool = False


class ApiBody(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """One of the addresses that a model answers at."""

    url: Text = None
    method: Text = None
    protocol: Text = None
    input_params: Mapping[str, Any] | None = None
    output_params: Mapping[str, Any] | None = None


class ParameterBody(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """A parameter of what a model is asked or answers."""

    url: str
    protocol: str
    method: str
    param_name: str
    param_type: str
    min: int | float | str | None = None
    max: int | float | str | None = None
    param_desc: Text = None


class PackageBody(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """A package that a model needs."""

    package_name: str
    package_version: Text = None
    restraint: Text = None


class DependencyBody(Wire, frozen=True, kw_only=True):
    """Packages that a model needs, and what installs them."""

    installer: str
    packages: tuple[PackageBody, ...]


class DocumentBody(Wire, frozen=True, kw_only=True):
    """Where a model is described."""

    doc_name: str
    doc_url: str


class TemplateBody(Wire, frozen=True, kw_only=True):
    """The template that a model is to be made of; there are none here."""

    template_id: str


class Said(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """What callers say of a model that is kept as it is, to be shown again."""

    model_type: Text = None
    source_location: Text = None
    source_type: Text = None
    source_job_id: Text = None
    source_job_version: Text = None
    source_copy: bool | None = None
    execution_code: Text = None
    runtime: Text = None
    model_metrics: Text = None
    model_algorithm: Text = None
    initial_config: Text = None
    install_type: tuple[str, ...] | None = None
    apis: tuple[ApiBody, ...] | None = None
    input_params: tuple[ParameterBody, ...] | None = None
    output_params: tuple[ParameterBody, ...] | None = None
    dependencies: tuple[DependencyBody, ...] | None = None
    model_docs: tuple[DocumentBody, ...] | None = None


class CreateModelBody(Said, frozen=True, kw_only=True):
    """A new model."""

    model_name: str
    model_version: str
    model_type: str  # pyright: ignore[reportGeneralTypeIssues] - it must be told
    description: Text = None
    workspace_id: Text = None
    template: TemplateBody | None = None


class ModelIdShape(Shape, frozen=True, kw_only=True):
    """Which model was made."""

    model_id: str


class SpecificationShape(Shape, frozen=True, kw_only=True):
    """The least that a model runs on, as far as its files tell: the memory of an accelerator."""

    min_gpu: str = ""


class ModelItem(Shape, frozen=True, kw_only=True):
    """A model, as lists show it."""

    model_id: str
    model_name: str
    model_version: str = ""
    model_type: str
    model_size: int | None = None
    model_status: str
    model_source: str
    source_type: str = ""
    source_copy: str = ""
    description: str
    owner: str = ""
    project: str
    tenant: str
    workspace_id: str
    create_at: int
    install_type: tuple[str, ...]
    market_flag: bool
    tunable: bool
    publishable_flag: bool
    extra: str = ""
    specification: SpecificationShape


class ModelsPage(Shape, frozen=True, kw_only=True):
    """A page of models."""

    total_count: int
    count: int
    models: list[ModelItem]


class LabelsMap(Shape, frozen=True, kw_only=True):
    """What a model tells apart; its files do not say."""

    labels: tuple[str, ...]


class ModelShape(ModelItem, frozen=True, kw_only=True):
    """One model."""

    source_location: str
    source_job_id: Text = None
    source_job_version: Text = None
    execution_code: Text = None
    runtime: Text = None
    image_address: str = ""
    model_metrics: Text = None
    model_algorithm: Text = None
    initial_config: Text = None
    config: Text = None
    apis: Text = None  # JSON
    input_params: tuple[ParameterBody, ...] | None = None
    output_params: tuple[ParameterBody, ...] | None = None
    dependencies: tuple[DependencyBody, ...] | None = None
    model_docs: tuple[DocumentBody, ...] | None = None
    labels_map: LabelsMap
    model_labels: tuple[str, ...]


class FailedShape(Shape, frozen=True, kw_only=True):
    """A model that was not deleted, and why."""

    model_id: str
    error_code: str
    error_msg: str


class DeletedShape(Shape, frozen=True, kw_only=True):
    """What became of the models that were to be deleted."""

    delete_success_list: list[str]
    delete_failed_list: list[FailedShape]
