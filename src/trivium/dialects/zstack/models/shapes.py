"""What is shown of models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec

from trivium.base.caller import Caller
from trivium.dialects.operation import Read
from trivium.dialects.zstack.bindings import RefShape, ref_shape
from trivium.dialects.zstack.inventories import word_of
from trivium.dialects.zstack.models.inventory import TYPES
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.resources import models, services
from trivium.resources.models import Model
from trivium.resources.services import ServiceRef


class ModelShape(Shape, frozen=True, kw_only=True):
    """A model."""

    uuid: str
    name: str
    description: str | None = None
    install_path: str
    parameters: str | None = None
    model_center_uuid: str | None
    logo: str | None = None
    vendor: str | None = None
    model_id: str
    introduction: str | None = None
    size: int | None = None
    version: str | None = None
    type: str
    min_gpu_memory: int | None = None
    recommended_gpu_memory: int | None = None
    recommended_gpu_num: tuple[int, ...] | None = None
    gpu_constraint_description: str | None = None
    version_semver: str | None = None
    is_latest_version: bool
    artifact_checksum: str | None = None
    artifact_size_bytes: int | None = None
    architecture_type: str | None = None
    framework_version: str | None = None
    required_accelerator: str | None = None
    pipeline_tag: str | None = None
    model_service_refs: list[RefShape]
    extra_gpu_mem_request: int
    sample_size: int = msgspec.field(name="SAMPLE_SIZE")
    create_date: str
    last_op_date: str


class ModelShapes:
    """Makes them; times are told by the clock that is so far ahead of UTC."""

    def __init__(self, utc_offset: timedelta) -> None:
        self._utc_offset = utc_offset

    def page(self, tx: Read, caller: Caller, found: Sequence[Model]) -> Sequence[ModelShape]:
        """What the caller is shown of a page of models."""
        refs = services.refs_of_models(tx, caller, [model.uuid for model in found])
        return [self._shape(model, refs[model.uuid]) for model in found]

    def one(self, tx: Read, caller: Caller, model: Model) -> ModelShape:
        """What the caller is shown of one."""
        return self.page(tx, caller, [model])[0]

    def _shape(self, model: Model, refs: Iterable[ServiceRef]) -> ModelShape:
        return ModelShape(
            uuid=model.uuid.hex,
            name=model.name,
            description=model.description,
            install_path=model.install_path,
            parameters=model.parameters,
            model_center_uuid=None if model.store == models.NOWHERE else model.store.hex,
            logo=model.logo,
            vendor=model.vendor,
            model_id=model.model_id,
            introduction=model.introduction,
            size=model.size,
            version=model.version,
            type=word_of(TYPES, model.type.value),
            min_gpu_memory=model.min_gpu_memory,
            recommended_gpu_memory=model.recommended_gpu_memory,
            recommended_gpu_num=model.recommended_gpu_num or None,
            gpu_constraint_description=model.gpu_constraint,
            version_semver=model.version_semver,
            is_latest_version=model.is_latest,
            artifact_checksum=model.checksum,
            artifact_size_bytes=model.artifact_size,
            architecture_type=model.architecture,
            framework_version=model.framework_version,
            required_accelerator=model.required_accelerator,
            pipeline_tag=model.pipeline_tag,
            model_service_refs=[ref_shape(ref) for ref in refs],
            extra_gpu_mem_request=model.extra_gpu_memory,
            sample_size=models.SAMPLE_SIZE,
            create_date=time_text(model.created_at, self._utc_offset),
            last_op_date=time_text(model.changed_at, self._utc_offset),
        )
