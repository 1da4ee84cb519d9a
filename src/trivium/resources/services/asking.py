"""What callers say of services and groups, checked: as columns of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from trivium.base.errors import Invalid
from trivium.resources import owning
from trivium.resources.services.types import NewImage

LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "name": 255,
        "description": 2048,
        "readme": 65_536,
        "yaml": 65_536,
        "framework": 255,
        "gpu_compute_capability": 255,
        "install_path": 2048,
        "python_version": 255,
        "conda_version": 255,
        "start_command": 8192,
        "container_command": 8192,
        "container_args": 8192,
    }
)
"""Characters."""

GROUP_LIMITS: Final[Mapping[str, int]] = MappingProxyType({"name": 255, "description": 2048})
NEEDED: Final = frozenset({"name", "yaml", "install_path", "start_command"})
WORDS: Final = ("type", "source")
PLAIN: Final = ("system", "distributed")
MOST_IMAGES: Final = 32
MOST_ARCHITECTURES: Final = 16
MOST_CPU: Final = (1 << 31) - 1
LARGEST: Final = (1 << 63) - 1


def columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of what is said of a service. `Missing` or `Invalid`, with the name of the field."""
    told = texts(given, LIMITS)
    for name in ("request_cpu", "request_memory", "size"):
        if name in given:
            told[name] = _number(name, given[name], MOST_CPU if name == "request_cpu" else LARGEST)
    told |= {name: given[name].value for name in WORDS if name in given}
    told |= {name: given[name] for name in PLAIN if name in given}
    if "vendor_specs" in given:
        told["vendor_specs"] = owning.checked_document("vendor_specs", given["vendor_specs"])
    if given.get("architectures") is not None:
        told["architectures"] = _members(given["architectures"])
    return told


def texts(given: Mapping[str, Any], limits: Mapping[str, int]) -> dict[str, Any]:
    """The texts among what is given that have these limits. `Missing` or `Invalid`, with the name of the field."""
    told = {name: given[name] for name in limits if name in given}
    for name, value in told.items():
        owning.checked_text(name, value, limits[name], needed=name in NEEDED)
    return told


def image_columns(given: NewImage) -> dict[str, Any]:
    """The columns of an image. `Invalid` for one that names none."""
    if given.vm_image is None and not given.docker_image:
        raise Invalid("images", "each must name a docker image or one of a virtual machine")
    owning.checked_text("docker_image", given.docker_image, 512)
    owning.checked_text("gpu_vendor", given.gpu_vendor, 255)
    return {
        "architecture": given.architecture.value,
        "vm_image_uuid": given.vm_image,
        "docker_image": given.docker_image,
        "gpu_vendor": given.gpu_vendor,
    }


def _number(field: str, number: int | None, most: int) -> int | None:
    if number is not None and not 0 <= number <= most:
        message = f"must be a whole number from 0 to {most}"
        raise Invalid(field, message)
    return number


def _members(words: tuple[str, ...]) -> str | None:
    if len(words) > MOST_ARCHITECTURES or any(not word or not word.isprintable() or "," in word for word in words):
        message = f"must be at most {MOST_ARCHITECTURES} words without commas"
        raise Invalid("architectures", message)
    kept = ",".join(dict.fromkeys(word.lower() for word in words))
    owning.checked_text("architectures", kept, 512)
    return kept or None
