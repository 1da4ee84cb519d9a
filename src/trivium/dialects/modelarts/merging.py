"""Changes as JSON merge patches (RFC 7396), by which pools, node pools and networks are changed."""

from __future__ import annotations

from typing import Any, Final, cast

from msgspec import UNSET

from trivium.dialects.modelarts.errors import BadContentType
from trivium.dialects.operation import Request, Wire
from trivium.dialects.reading import shape_reader

TYPES: Final = ("application/merge-patch+json", "application/json")
"""Huawei's client sends the second and means the first."""


class Patch(Wire, frozen=True, kw_only=True):
    """What shall be other than it is; null is a value here, so what is absent has one of its own."""

    metadata: Any = UNSET
    spec: Any = UNSET


def patched(present: dict[str, Any], patch: Patch, request: Request, *, shape: type[Any]) -> Any:  # noqa: ANN401 - the shape
    """The document as the patch makes it. `BadContentType`, and what reading the shape raises."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise BadContentType("Content-Type")
    given = {"metadata": patch.metadata, "spec": patch.spec}
    told = {name: part for name, part in given.items() if part is not UNSET}
    return shape_reader(shape)(merged(present, told), "")


def merged(target: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON
    """The target with the patch over it: objects are merged, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    found: dict[str, Any] = dict(cast("dict[str, Any]", target)) if isinstance(target, dict) else {}
    for name, part in cast("dict[str, Any]", patch).items():
        if part is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), part)
    return found
