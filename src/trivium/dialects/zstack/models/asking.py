"""What callers give of models, and what the core is asked with."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Final, cast
from uuid import UUID

import msgspec
from msgspec import Meta

from trivium.dialects.operation import Wire
from trivium.dialects.zstack.errors import BadValue
from trivium.dialects.zstack.things import Name, Named, NewThing, Path, Short, Text, Uuids, Words
from trivium.resources.models import ModelChange, NewModel

LONGEST_NUMBERS: Final = 255
LARGEST_NUMBER: Final = (1 << 31) - 1
_NUMBERS: Final = re.compile(r"\s*\[?(?P<numbers>[^\[\]]*)\]?\s*")
_NUMBER: Final = re.compile(r"\s*[0-9]{1,10}\s*")

Constraint = Annotated[str, Meta(max_length=512)]
Installed = Annotated[str, Meta(min_length=1, max_length=255)]


class ShareMode(StrEnum):
    """Who besides is to see something new."""

    PUBLIC = "Public"


class AddModelAsked(NewThing, frozen=True, kw_only=True):
    """A new model. A `token` may come along, with which ZStack's server fetches files: they are there already."""

    name: Name
    install_path: Path
    model_center_uuid: UUID
    description: Text | None = None
    parameters: Text | None = None
    logo: Annotated[str, Meta(max_length=1_048_576)] | None = None
    vendor: Short | None = None
    introduction: Annotated[str, Meta(max_length=65_536)] | None = None
    size: Annotated[int, Meta(ge=0)] | None = None
    version: Short | None = None
    model_service_uuids: Uuids | None = None
    default_model_service_uuid: UUID | None = None
    recommended_gpu_num: Any = None
    gpu_constraint_description: Constraint | None = None
    model_id: Short | None = None
    share_mode: ShareMode | None = None


class UpdateModelAsked(Named, frozen=True, kw_only=True):
    """What is to be otherwise of a model."""

    name: Name | None = None
    install_path: Installed | None = None
    description: Short | None = None
    parameters: Short | None = None
    model_center_uuid: UUID | None = None
    vendor: Short | None = None
    model_classifications: Words | None = None
    recommended_gpu_num: Any = None
    gpu_constraint_description: Constraint | None = None
    model_id: Name | None = None
    default_model_service_uuid: UUID | None = None
    clear_default_model_service: bool = False


class OfPair(Wire, frozen=True, kw_only=True, rename="camel"):
    """Which model and which service."""

    model_uuid: str
    model_service_uuid: str


class GenerateMetadataAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """The models whose files are to be read again: these, or all that lie in the centre."""

    model_center_uuid: UUID
    model_uuids: Uuids | None = None


def new_model(asked: AddModelAsked) -> NewModel:
    """The model that is asked for. `BadValue`."""
    return NewModel(
        name=asked.name,
        install_path=asked.install_path,
        store=asked.model_center_uuid,
        uuid=asked.chosen,
        public=asked.share_mode is ShareMode.PUBLIC,
        description=asked.description,
        parameters=asked.parameters,
        logo=asked.logo,
        vendor=asked.vendor,
        model_id=asked.model_id or None,
        introduction=asked.introduction,
        size=asked.size,
        version=asked.version,
        recommended_gpu_num=gpu_numbers(asked.recommended_gpu_num),
        gpu_constraint=asked.gpu_constraint_description,
    )


def model_change(asked: UpdateModelAsked) -> ModelChange:
    """The change that is asked for. `BadValue`."""
    return ModelChange(
        name=asked.name,
        install_path=asked.install_path,
        store=asked.model_center_uuid,
        description=asked.description,
        parameters=asked.parameters,
        vendor=asked.vendor,
        model_id=asked.model_id,
        recommended_gpu_num=gpu_numbers(asked.recommended_gpu_num),
        gpu_constraint=asked.gpu_constraint_description,
    )


def gpu_numbers(given: object) -> tuple[int, ...] | None:
    """Numbers of GPUs: `"4"`, `"1,2,4"`, `"[1,2,4]"`, a list or a number; None where nothing is said. `BadValue`."""
    if given is None:
        return None
    items = _items(given)
    numbers = [int(item) for item in items if _NUMBER.fullmatch(item)]
    told = ",".join(map(str, numbers))
    if len(numbers) != len(items) or len(told) > LONGEST_NUMBERS or not all(0 < n <= LARGEST_NUMBER for n in numbers):
        expected = f"positive whole numbers like 1,2,4, of at most {LONGEST_NUMBERS} characters"
        told = given if isinstance(given, str) else msgspec.json.encode(given).decode()
        raise BadValue("recommendedGpuNum", value=told[:100], expected=expected)
    return tuple(numbers)


def _items(given: object) -> list[str]:
    if isinstance(given, list):
        return [_written(item) for item in cast("list[object]", given)]
    text = _written(given)
    matched = _NUMBERS.fullmatch(text)
    inner = text if matched is None else matched["numbers"]
    return inner.split(",") if inner.strip() else []


def _written(item: object) -> str:
    """The item as text; what is neither text nor a number is written as what is no number."""
    return str(item) if isinstance(item, (str, int, float)) and not isinstance(item, bool) else "?"
