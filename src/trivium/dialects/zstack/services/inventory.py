"""Model services and their images, as queries see them."""

from __future__ import annotations

from typing import Final

from trivium.dialects.zstack.inventories import Inventory, Kind, Link, Member
from trivium.dialects.zstack.things import NAMING, ORDER, TAGS, TIMES, UUID_MEMBER
from trivium.resources.services import Architecture, ServiceSource, ServiceType

TYPES: Final = {
    "Endpoint": ServiceType.ENDPOINT.value,
    "FineTune": ServiceType.FINE_TUNE.value,
    "ModelEval": ServiceType.MODEL_EVAL.value,
    "App": ServiceType.APP.value,
}
SOURCES: Final = {
    "Other": ServiceSource.OTHER.value,
    "Bentoml": ServiceSource.BENTOML.value,
    "HuggingFace": ServiceSource.HUGGING_FACE.value,
}
ARCHITECTURES: Final = {"X86_64": Architecture.X86_64.value, "AARCH64": Architecture.AARCH64.value}

SERVICE: Final = Inventory(
    "ModelService",
    (
        UUID_MEMBER,
        *NAMING,
        Member(name="readme", kind=Kind.STRING, field="readme"),
        Member(name="yaml", kind=Kind.STRING, field="yaml"),
        Member(name="requestCpu", kind=Kind.INTEGER, field="request_cpu"),
        Member(name="requestMemory", kind=Kind.LONG, field="request_memory"),
        Member(name="modelCenterUuid", kind=Kind.UUID, field="store_uuid"),
        Member(name="type", kind=Kind.WORD, field="type", words=TYPES),
        Member(name="framework", kind=Kind.STRING, field="framework"),
        Member(name="source", kind=Kind.WORD, field="source", words=SOURCES),
        Member(name="size", kind=Kind.LONG, field="size"),
        Member(name="system", kind=Kind.BOOLEAN, field="system"),
        Member(name="gpuComputeCapability", kind=Kind.STRING, field="gpu_compute_capability"),
        Member(name="installPath", kind=Kind.STRING, field="install_path"),
        Member(name="pythonVersion", kind=Kind.STRING, field="python_version"),
        Member(name="condaVersion", kind=Kind.STRING, field="conda_version"),
        Member(name="startCommand", kind=Kind.STRING, field="start_command"),
        Member(name="containerCommand", kind=Kind.STRING, field="container_command"),
        Member(name="containerArgs", kind=Kind.STRING, field="container_args"),
        Member(name="supportDistributed", kind=Kind.BOOLEAN, field="distributed"),
        Member(name="cpuArchitectures", kind=Kind.LIST, field="architectures"),
        Member(name="vendorToSpecUuidsMap", kind=Kind.STRING, field="vendor_specs"),
        Member(name="modelServiceRefs", kind=Kind.OBJECTS),
        Member(name="modelServiceImages", kind=Kind.OBJECTS),
        *TIMES,
    ),
    links=(
        Link(name="modelCenter", to="ModelCenter", path="store"),
        Link(name="modelServiceRefs", to="ModelServiceRef", path="refs"),
        Link(name="model", to="Model", path="refs.model"),
        Link(name="modelServiceImages", to="ModelServiceTemplate", path="images"),
        Link(name="modelServiceInstanceGroup", to="ModelServiceInstanceGroup", path="groups"),
    ),
    tags=TAGS,
    order=ORDER,
)
"""A model service. The map from vendors to specifications is compared as the JSON that it is."""

TEMPLATE: Final = Inventory(
    "ModelServiceTemplate",
    (
        UUID_MEMBER,
        Member(name="modelServiceUuid", kind=Kind.UUID, field="service_uuid"),
        Member(name="cpuArchitecture", kind=Kind.WORD, field="architecture", words=ARCHITECTURES),
        Member(name="vmImageUuid", kind=Kind.UUID, field="vm_image_uuid"),
        Member(name="dockerImage", kind=Kind.STRING, field="docker_image"),
        Member(name="gpuVendor", kind=Kind.STRING, field="gpu_vendor"),
        *TIMES,
    ),
    links=(Link(name="modelService", to="ModelService", path="service"),),
)
"""An image of a service for some processors. It is asked about across relations only."""
