"""Models, as queries see them."""

from __future__ import annotations

from typing import Final

from trivium.dialects.zstack.inventories import Inventory, Kind, Link, Member
from trivium.dialects.zstack.things import NAMING, ORDER, TAGS, TIMES, UUID_MEMBER
from trivium.resources.models import ModelType

TYPES: Final = {"System": ModelType.SYSTEM.value, "Custom": ModelType.CUSTOM.value}

MODEL: Final = Inventory(
    "Model",
    (
        UUID_MEMBER,
        *NAMING,
        Member(name="installPath", kind=Kind.STRING, field="install_path"),
        Member(name="parameters", kind=Kind.STRING, field="parameters"),
        Member(name="modelCenterUuid", kind=Kind.UUID, field="store_uuid"),
        Member(name="logo", kind=Kind.STRING, field="logo"),
        Member(name="vendor", kind=Kind.STRING, field="vendor"),
        Member(name="modelId", kind=Kind.STRING, field="model_id"),
        Member(name="introduction", kind=Kind.STRING, field="introduction"),
        Member(name="size", kind=Kind.LONG, field="size"),
        Member(name="version", kind=Kind.STRING, field="version"),
        Member(name="type", kind=Kind.WORD, field="type", words=TYPES),
        Member(name="minGpuMemory", kind=Kind.LONG, field="min_gpu_memory"),
        Member(name="recommendedGpuMemory", kind=Kind.LONG, field="recommended_gpu_memory"),
        Member(name="recommendedGpuNum", kind=Kind.LIST, field="recommended_gpu_num"),
        Member(name="gpuConstraintDescription", kind=Kind.STRING, field="gpu_constraint"),
        Member(name="versionSemver", kind=Kind.STRING, field="version_semver"),
        Member(name="isLatestVersion", kind=Kind.BOOLEAN, field="is_latest"),
        Member(name="artifactChecksum", kind=Kind.STRING, field="checksum"),
        Member(name="artifactSizeBytes", kind=Kind.LONG, field="artifact_size"),
        Member(name="architectureType", kind=Kind.STRING, field="architecture"),
        Member(name="frameworkVersion", kind=Kind.STRING, field="framework_version"),
        Member(name="requiredAccelerator", kind=Kind.STRING, field="required_accelerator"),
        Member(name="pipelineTag", kind=Kind.STRING, field="pipeline_tag"),
        Member(name="modelServiceRefs", kind=Kind.OBJECTS),
        Member(name="extraGpuMemRequest", kind=Kind.LONG, field="extra_gpu_memory"),
        Member(name="SAMPLE_SIZE", kind=Kind.INTEGER, field="sample_size"),
        *TIMES,
    ),
    links=(
        Link(name="modelCenter", to="ModelCenter", path="store"),
        Link(name="modelServiceRefs", to="ModelServiceRef", path="refs"),
        Link(name="modelService", to="ModelService", path="refs.service"),
        Link(name="modelServiceInstanceGroup", to="ModelServiceInstanceGroup", path="groups"),
    ),
    tags=TAGS,
    order=ORDER,
)
"""A model."""
