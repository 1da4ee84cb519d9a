"""What versions and exports datasets have before a case."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from trivium.base.caller import Caller
from trivium.base.query import Condition, Offset, Op, Query
from trivium.base.reasons import Reason
from trivium.resources import datasets, transfers
from trivium.resources.transfers import Chosen, NewExport, NewVersion, exporting, publishing
from trivium.resources.transfers.exporting import Put
from trivium.store import Store, Write

FULL: Final = Reason(code="transfer.target.not_empty", details={"file": "/out/there"})
GONE: Final = Reason(code="transfer.target.absent", details={"file": "b.jpg"})


def put(store: Store, caller: Caller, told: dict[str, Any], names: dict[str, Any], *, root: str) -> bool:
    """Carry out a step that is about versions or exports; False for any other."""
    if "published version" in told:
        names |= store.write_now(_published, caller, told, names, root=root)
    elif "begun export" in told:
        names |= store.write_now(_exported, caller, told, names, root=root)
    else:
        return False
    return True


def _published(tx: Write, caller: Caller, told: dict[str, Any], names: dict[str, Any], *, root: str) -> dict[str, Any]:
    """A version, as far as it is to be: making, ready or failed."""
    label, state = told["published version"], told.get("state", "ready")
    new = NewVersion(
        name=told.get("name"),
        description=told.get("description"),
        path=f"{root}/out/work",
        settings=told.get("settings", {}),
    )
    made = transfers.publish(tx, caller, _dataset(told, names), new=new)
    if state != "making":
        wanted = Query(where=(Condition(field="version", op=Op.EQ, value=made.id),), page=Offset(limit=1))
        (going,) = transfers.list_exports(tx, datasets.get(tx, caller, _dataset(told, names)), wanted).rows
        publishing.end_export(tx, going.id, reason=FULL if state == "failed" else None)
    return {f"{label}.id": made.uuid.hex, f"{label}.dashed": str(made.uuid)}


def _exported(tx: Write, caller: Caller, told: dict[str, Any], names: dict[str, Any], *, root: str) -> dict[str, Any]:
    """An export, as far as it is to be: waiting, running, done or failed."""
    label, state = told["begun export"], told.get("state", "done")
    settings = {"path": "obs://out/there/", **told.get("settings", {})}
    new = NewExport(
        path=f"{root}/out/there", manifest="x.manifest", chosen=Chosen(told.get("chosen", 2)), settings=settings
    )
    begun = transfers.begin_export(tx, caller, _dataset(told, names), new=new)
    taken = begun if state == "waiting" else exporting.take(tx, begun.id)
    assert taken is not None
    if "written" in told:
        refused = told.get("refused", 0)
        put = Put(written=told["written"], refused=refused, first=GONE if refused else None, position=9)
        exporting.note(tx, taken, put, last=1, passed=0)
    if state in ("done", "failed"):
        publishing.end_export(tx, begun.id, reason=FULL if state == "failed" else None)
    return {f"{label}.id": begun.uuid.hex, f"{label}.dashed": str(begun.uuid)}


def _dataset(told: dict[str, Any], names: dict[str, Any]) -> UUID:
    return UUID(hex=names[f"{told.get('in', 'd')}.id"])
