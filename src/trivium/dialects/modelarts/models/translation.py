"""Between ModelArts' words for models and the core's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from trivium.base.errors import Missing
from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.base.reasons import Reason
from trivium.base.text import Language
from trivium.base.units import MIB
from trivium.base.values import Value
from trivium.dialects.modelarts.errors import Exclusive, NotHere, NotSortable
from trivium.dialects.modelarts.models import checking
from trivium.dialects.modelarts.models.shapes import (
    CreateModelBody,
    LabelsMap,
    ModelItem,
    ModelShape,
    ModelsQuery,
    Said,
    SpecificationShape,
)
from trivium.dialects.modelarts.paging import FURTHEST, MOST, checked_offset
from trivium.dialects.modelarts.spelling import bare, dashed, milliseconds, one_of
from trivium.dialects.modelarts.workspaces import workspace_id
from trivium.dialects.reading import OutOfBounds
from trivium.resources.models import NOWHERE, Model, ModelKind, ModelStatus, NewModel, version_of

KINDS: Final[Mapping[str, ModelKind]] = {
    "TensorFlow": ModelKind.TENSORFLOW,
    "PyTorch": ModelKind.PYTORCH,
    "MindSpore": ModelKind.MINDSPORE,
    "Image": ModelKind.IMAGE,
    "Custom": ModelKind.CUSTOM,
    "Template": ModelKind.TEMPLATE,
}
KIND_WORDS: Final = {kind: word for word, kind in KINDS.items()}
OF_FILES: Final[Mapping[str, ModelStatus]] = {
    "publishing": ModelStatus.IMPORTING,
    "published": ModelStatus.READY,
    "failed": ModelStatus.FAILED,
}
OF_IMAGES: Final[Mapping[str, ModelStatus]] = {
    "building": ModelStatus.IMPORTING,
    "published": ModelStatus.READY,
    "building_failed": ModelStatus.FAILED,
}
"""An image is looked at, files are read; what went well is called the same."""

FILE_WORDS: Final = {status: word for word, status in OF_FILES.items()}
IMAGE_WORDS: Final = {status: word for word, status in OF_IMAGES.items()}
STATUSES: Final = tuple(dict.fromkeys((*OF_FILES, *OF_IMAGES)))
SORTED_BY: Final[Mapping[str, str]] = {"create_at": "id", "model_version": "version", "model_size": "size"}
CUSTOM: Final = "custom"
KEPT: Final = Said.__struct_fields__


class Around(Value, frozen=True):
    """What is shown with models from outside of their rows."""

    project: UUID
    domain: UUID
    owners: Mapping[int, UUID]
    workspaces: Mapping[int, UUID]


def models_query(asked: ModelsQuery, workspace: int | None) -> Query:
    """The list that is asked for. `Invalid`."""
    limit = MOST if asked.limit is None else asked.limit
    if not 1 <= limit <= MOST:
        raise OutOfBounds("limit", f"between 1 and {MOST}")
    where = [*_texts(asked), *_words(asked)]
    if workspace is not None:
        where.append(Condition(field="workspace", op=Op.EQ, value=workspace))
    start = min(checked_offset(asked.offset) * limit, FURTHEST)
    return Query(where=tuple(where), order=_order(asked), page=Offset(limit=limit, offset=start))


def new_model(body: CreateModelBody, workspace: int) -> NewModel:
    """The model that is asked for, at the place that was told. Raises `Missing`, `Invalid` or `NotHere`."""
    word = one_of(body.model_type, "model_type", KINDS)
    if word is None:
        raise Missing("model_type")
    kind = KINDS[word]
    if kind is ModelKind.TEMPLATE or body.template is not None:
        raise NotHere(what="a template of models")
    checking.checked(body)
    kept = {name: value for name in KEPT if (value := getattr(body, name)) is not None}
    return NewModel(
        name=body.model_name,
        version=checking.needed_version(body.model_version),
        kind=kind,
        install_path=(body.source_location or "").strip(),
        store=NOWHERE,
        description=body.description or None,
        workspace=workspace,
        settings=msgspec.to_builtins(kept),
    )


def model_item(model: Model, around: Around) -> ModelItem:
    """The model as lists show it."""
    return ModelItem(**_common(model, _said(model), around))


def model_shape(model: Model, around: Around) -> ModelShape:
    """The model with all that is known of it."""
    said = _said(model)
    is_image = model.kind is ModelKind.IMAGE
    return ModelShape(
        **_common(model, said, around),
        source_location=said.source_location or model.path,
        source_job_id=said.source_job_id,
        source_job_version=said.source_job_version,
        execution_code=said.execution_code,
        runtime=said.runtime,
        image_address=model.path if is_image else "",
        model_metrics=said.model_metrics,
        model_algorithm=said.model_algorithm or model.architecture,
        initial_config=said.initial_config,
        config=said.initial_config,
        apis=None if said.apis is None else msgspec.json.encode(said.apis).decode(),
        input_params=said.input_params,
        output_params=said.output_params,
        dependencies=said.dependencies,
        model_docs=said.model_docs,
        labels_map=LabelsMap(labels=()),
        model_labels=(),
    )


def _said(model: Model) -> Said:
    return msgspec.convert(model.settings, Said)


def _common(model: Model, said: Said, around: Around) -> dict[str, Any]:
    is_image = model.kind is ModelKind.IMAGE
    owner = None if model.owner is None else around.owners.get(model.owner)
    return {
        "model_id": dashed(model.uuid),
        "model_name": model.name,
        "model_version": model.version_semver or model.version or "",
        "model_type": said.model_type or KIND_WORDS[model.kind],
        "model_size": model.size,
        "model_status": (IMAGE_WORDS if is_image else FILE_WORDS)[model.status],
        "model_source": checking.AUTO if said.source_type == checking.AUTO else CUSTOM,
        "source_type": said.source_type or "",
        "source_copy": ("true" if said.source_copy else "false") if is_image else "",
        "description": model.description or "",
        "owner": "" if owner is None else bare(owner),
        "project": bare(around.project),
        "tenant": bare(around.domain),
        "workspace_id": workspace_id(around.workspaces.get(model.workspace)),
        "create_at": milliseconds(model.created_at),
        "install_type": said.install_type or checking.INSTALL_TYPES,
        "market_flag": False,
        "tunable": False,
        "publishable_flag": False,
        "extra": _failure(model.reason),
        "specification": SpecificationShape(min_gpu=_memory(model.min_gpu_memory)),
    }


def _failure(reason: Reason | None) -> str:
    return "" if reason is None else reason.say(Language.EN)


def _memory(size: int | None) -> str:
    """Bytes as Kubernetes writes them."""
    return "" if size is None else f"{-(-size // MIB)}Mi"


def _texts(asked: ModelsQuery) -> list[Condition]:
    found: list[Condition] = []
    if asked.model_name:
        op = Op.EQ if asked.exact_match else Op.CONTAINS
        found.append(Condition(field="name", op=op, value=asked.model_name))
    if asked.description:
        found.append(Condition(field="description", op=Op.CONTAINS, value=asked.description))
    read = version_of(checking.version(asked.model_version))
    if read is not None:
        found.append(Condition(field="version", op=Op.EQ, value=read.key))
    return found


def _words(asked: ModelsQuery) -> list[Condition]:
    found: list[Condition] = []
    kind = one_of(asked.model_type, "model_type", KINDS)
    other = one_of(asked.not_model_type, "not_model_type", KINDS)
    if kind and other:
        raise Exclusive("model_type", other="not_model_type")
    if kind:
        found.append(Condition(field="kind", op=Op.EQ, value=KINDS[kind]))
    if other:
        found.append(Condition(field="kind", op=Op.NE, value=KINDS[other]))
    status = one_of(asked.model_status, "model_status", STATUSES)
    if status:
        found.append(Condition(field="status", op=Op.EQ, value=OF_FILES.get(status) or OF_IMAGES[status]))
    if status in OF_FILES.keys() ^ OF_IMAGES.keys():
        op = Op.EQ if status in OF_IMAGES else Op.NE
        found.append(Condition(field="kind", op=op, value=ModelKind.IMAGE))
    return found


def _order(asked: ModelsQuery) -> tuple[Order, ...]:
    key = (asked.sort_by or "").strip() or "create_at"
    if key not in SORTED_BY:
        raise NotSortable("sort_by", key=key[:128])
    descending = one_of(asked.order, "order", ("asc", "desc")) != "asc"
    named = tuple(dict.fromkeys((SORTED_BY[key], "id")))
    return tuple(Order(field=name, descending=descending) for name in named)
