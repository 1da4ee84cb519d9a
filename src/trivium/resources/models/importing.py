"""Imports: what is noted while a model's files are read, and what becomes of the model.

A worker reads them on the host that an import is for. It takes what waits there, notes how far it is, and at the end
finishes or refuses the import; each of these in a transaction in which nobody can take the host (`hosts.held`). An
import that is gone by then was of a model that somebody deleted.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from trivium.base.caller import SYSTEM, Caller
from trivium.base.reasons import Reason
from trivium.base.text import fold
from trivium.base.values import Value
from trivium.resources import events, operations, owning, stores
from trivium.resources.models import versions
from trivium.resources.models.asking import version_columns
from trivium.resources.models.errors import ModelImporting
from trivium.resources.models.service import family_of, lock_family, locked, remove
from trivium.resources.models.sizing import MemoryFigures
from trivium.resources.models.table import import_of, imports, kept_numbers, model_of, models
from trivium.resources.models.types import Facts, Import, Model, ModelKind, ModelStatus, Progress
from trivium.store import Read, Write

WAITING: Final = "imports"
"""What is woken when there is an import to do."""

PYTORCH: Final = frozenset({"safetensors", "pytorch"})
"""Formats of weights."""

LONGEST_FACT: Final = 255
"""Characters that are kept of a text that comes from a model's files."""


def begin_import(tx: Write, caller: Caller, uuid: UUID, *, host: str, operation: int | None = None) -> Import:
    """Have the files of a model read on a host; `operation` is what is finished with it.

    Raises `NoSuchModel`, `Forbidden`, and `ModelImporting` where that goes on already.
    """
    model = locked(tx, caller, uuid)
    if model.status is ModelStatus.IMPORTING:
        raise ModelImporting(name=model.name)
    id = tx.ids.next()
    told = {"host": host, "path": model.path, "operation_id": operation, "started_at": tx.now}
    tx.run(insert(imports).values(id=id, model_id=model.id, faults=0, **told))
    tx.run(update(models).where(models.c.id == model.id).values(status=ModelStatus.IMPORTING.value, reason=None))
    versions.settle(tx, family_of(model))
    events.record(tx, caller, "model.import", target=model.id, project=model.project, after={"path": model.path})
    tx.wake(WAITING)
    return get_import(tx, id)


def get_import(tx: Read, id: int) -> Import:
    """The import of that id, which is there."""
    return import_of(tx.all(_WANTED.where(imports.c.id == id))[0])


def note_progress(tx: Write, id: int, progress: Progress) -> bool:
    """Write down how far an import is; False when it is over, or was of a model that is gone."""
    kept = msgspec.json.encode(progress).decode()
    going = (imports.c.id == id, imports.c.finished_at.is_(None))
    if not tx.run(update(imports).where(*going).values(progress=kept)):
        return False
    operation = tx.value(select(imports.c.operation_id).where(imports.c.id == id))
    if operation is not None:
        share = progress.bytes_done * 100 // progress.bytes_total if progress.bytes_total else 0
        operations.advance(tx, operation, progress=min(share, 99))
    return True


def note_fault(tx: Write, id: int) -> int:
    """Count an attempt that ended by a fault of ours; how many there were. 0 for an import that is gone."""
    tx.run(update(imports).where(imports.c.id == id).values(faults=imports.c.faults + 1))
    return int(tx.value(select(imports.c.faults).where(imports.c.id == id)) or 0)


def finish_import(tx: Write, id: int, *, facts: Facts, figures: MemoryFigures | None) -> Model | None:
    """Write down what the files say where no caller said anything, and finish what waits for it.

    The model as it is then; None where it is gone. Doing it twice changes nothing.
    """
    found = _going(tx, id)
    if found is None:
        return None
    model = found.model
    told = _filled(model, facts, figures)
    tx.run(update(models).where(models.c.id == model.id).values(owning.folded_values(models, told)))
    tx.run(update(imports).where(imports.c.id == id).values(finished_at=tx.now, progress=None))
    stores.charge(tx, model.store, models=facts.size - (model.artifact_size or 0))
    versions.settle(tx, family_of(model))
    _end(tx, found, failure=None)
    told_of = {"checksum": facts.checksum, "size": facts.size}
    events.record(tx, SYSTEM, "model.imported", target=model.id, project=model.project, after=told_of)
    return model_of(tx.all(select(models).where(models.c.id == model.id))[0])


def refuse_import(tx: Write, id: int, reason: Reason) -> None:
    """End an import whose files are not taken, and what waits for it, with the reason.

    A model whose files were never read goes where the operation that it was made by tells why; else it has failed. One
    that had been read before stays as it was. Repeatable.
    """
    found = _going(tx, id)
    if found is None:
        return
    model = found.model
    if model.checksum is None and found.made_by:
        remove(tx, model)
    else:
        tx.run(update(models).where(models.c.id == model.id).values(_left(model, reason)))
        tx.run(update(imports).where(imports.c.id == id).values(finished_at=tx.now, progress=None))
    _end(tx, found, failure=reason)
    told = {"name": model.name, "path": model.path, "reason": reason.code, "details": reason.details}
    events.record(tx, SYSTEM, "model.refused", target=model.id, project=model.project, before=told)


_WANTED: Final = select(imports, models.c.uuid.label("model_uuid"), models.c.kind, models.c.project_id).select_from(
    imports.join(models, models.c.id == imports.c.model_id)
)


_ABOUT: Final = select(operations.operations.c.target_id)


class _Going(Value, frozen=True):
    """An import that goes on."""

    model: Model
    operation: int | None  # that waits for it, perhaps for others besides
    made_by: bool  # whether that is about this model alone, which was made with it
    host: str


def _going(tx: Write, id: int) -> _Going | None:
    """An import with its model, which is locked with its store; None where it is over."""
    row = tx.first(_WANTED.where(imports.c.id == id, imports.c.finished_at.is_(None)))
    if row is None:
        return None
    place = tx.value(select(models.c.store_uuid).where(models.c.id == row.model_id))
    lock_family(tx, place, row.project_id)
    model = tx.lock(select(models).where(models.c.id == row.model_id))
    still = tx.lock(select(imports.c.id).where(imports.c.id == id, imports.c.finished_at.is_(None)))
    if model is None or still is None:
        return None
    about = None if row.operation_id is None else tx.value(_ABOUT.where(operations.operations.c.id == row.operation_id))
    return _Going(model=model_of(model), operation=row.operation_id, made_by=about == row.model_id, host=row.host)


def _end(tx: Write, ended: _Going, *, failure: Reason | None) -> None:
    """End what waits for an import that ended: at once where that failed, else with the last that it waits for."""
    if ended.operation is None:
        return
    others = (imports.c.host == ended.host, imports.c.finished_at.is_(None), imports.c.operation_id == ended.operation)
    if failure is not None or tx.first(select(imports.c.id).where(*others).limit(1)) is None:
        operations.finish(tx, ended.operation, failure=failure)


def _left(model: Model, reason: Reason) -> dict[str, Any]:
    """The columns of a model that stays although its files were refused."""
    if model.checksum is not None:
        return {"status": ModelStatus.READY.value}
    return {"status": ModelStatus.FAILED.value, "reason": msgspec.json.encode(reason).decode()}


def _filled(model: Model, facts: Facts, figures: MemoryFigures | None) -> dict[str, Any]:
    """The columns that the files decide."""
    told: dict[str, Any] = {
        "status": ModelStatus.READY.value,
        "checksum": facts.checksum,
        "artifact_size": facts.size,
        "architecture": _short(facts.architecture),
        "pipeline_tag": _short(facts.pipeline_tag),
        "framework_version": _short(facts.framework_version),
        "facts": msgspec.json.encode(facts).decode(),
        "min_gpu_memory": None if figures is None else figures.minimum,
        "recommended_gpu_memory": None if figures is None else figures.recommended,
    }
    said = model.said
    if "size" not in said:
        told["size"] = facts.size
    if "kind" not in said:
        told["kind"] = _kind(facts).value
    if "vendor" not in said:
        told["vendor"] = _short(facts.vendor)
    if "version" not in said:
        told |= version_columns(_short(facts.version))
    if "parameters" not in said:
        told["parameters"] = _parameters(facts)
    if "recommended_gpu_num" not in said:
        told["recommended_gpu_num"] = None if figures is None else kept_numbers(figures.cards)
    return told


def _kind(facts: Facts) -> ModelKind:
    """What a model is made with, by its weights: what PyTorch writes, and what it reads."""
    return ModelKind.PYTORCH if PYTORCH & set(facts.formats) else ModelKind.CUSTOM


def _short(text: str | None) -> str | None:
    """What is kept of a text of a file's: one that an index can have."""
    if text is None:
        return None
    kept = "".join(character for character in text[:LONGEST_FACT] if character.isprintable()).strip()
    while len(fold(kept).encode()) > owning.LARGEST_KEY:
        kept = kept[: len(kept) // 2]
    return kept or None


def _parameters(facts: Facts) -> str | None:
    """The number of parameters with their types: `8030261248 (BF16)`."""
    if facts.parameters is None:
        return None
    types = ", ".join(one.dtype for one in facts.weights[:8])
    return f"{facts.parameters} ({types})"
