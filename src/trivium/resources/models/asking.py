"""What callers say of models, checked: as columns of the table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from trivium.base.errors import Invalid
from trivium.resources import owning
from trivium.resources.models.table import kept_numbers
from trivium.resources.models.versions import version_of

LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "name": 255,
        "install_path": 2048,
        "description": 2048,
        "parameters": 2048,
        "logo": 1_048_576,
        "vendor": 255,
        "model_id": 255,
        "introduction": 65_536,
        "version": 255,
        "gpu_constraint": 512,
    }
)
"""Characters, in a new model."""

CHANGED_LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {**LIMITS, "install_path": 255, "description": 255, "parameters": 255}
)
"""Characters, in what a model is to have from now on."""

LARGEST: Final = (1 << 63) - 1
LONGEST_NUMBERS: Final = 255
"""Characters of a list of numbers."""


def columns(given: Mapping[str, Any], limits: Mapping[str, int]) -> dict[str, Any]:
    """The columns of what is given, and of what follows from it. `Missing` or `Invalid`, with the name of the field."""
    told = {name: given[name] for name in limits if name in given}
    for name, value in told.items():
        owning.checked_text(name, value, limits[name], needed=name in ("name", "install_path"))
    if "size" in given:
        told["size"] = _size(given["size"])
    if "recommended_gpu_num" in given:
        told["recommended_gpu_num"] = _numbers(given["recommended_gpu_num"])
    if "version" in told:
        told |= version_columns(told["version"])
    return told


def version_columns(version: str | None) -> dict[str, Any]:
    """The columns of a version: as it is written, as a semantic one, and its place among others."""
    read = version_of(version)
    return {
        "version": version,
        "version_semver": None if read is None else read.semver,
        "version_key": "" if read is None else read.key,
    }


def _size(size: int | None) -> int | None:
    if size is not None and not 0 <= size <= LARGEST:
        raise Invalid("size", "must be a number of bytes, of at most 63 bits")
    return size


def _numbers(numbers: tuple[int, ...] | None) -> str | None:
    kept = kept_numbers(numbers or ())
    if any(number <= 0 for number in numbers or ()) or len(kept or "") > LONGEST_NUMBERS:
        message = f"must be positive whole numbers, together of at most {LONGEST_NUMBERS} characters"
        raise Invalid("recommended_gpu_num", message)
    return kept
