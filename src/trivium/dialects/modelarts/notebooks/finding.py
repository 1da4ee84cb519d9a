"""The notebook that a path names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from trivium.base.ids import uuid_of
from trivium.dialects.operation import Call
from trivium.resources import notebooks
from trivium.resources.notebooks import NoSuchNotebook, Notebook


def notebook_uuid(text: str) -> UUID:
    """The notebook that a path names. `NoSuchNotebook` for what no notebook could be called."""
    found = uuid_of(text)
    if found is None or str(found) != text.lower():
        raise NoSuchNotebook
    return found


async def named(call: Call[Any, Any], parameter: str = "id") -> Notebook:
    """The notebook that the path of a call names. `NoSuchNotebook`."""
    return await call.read(notebooks.by_uuid, notebook_uuid(call.request.parameters[parameter]))
