"""What datasets a project has before a case, with their labels, imports and samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from tests.wire.modelarts import published
from tests.wire.zstack import things as zstack
from trivium.base.caller import Caller
from trivium.base.query import Offset, Query
from trivium.base.reasons import Reason
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import DatasetType, NewDataset
from trivium.resources.datasets.ports import Annotator, LabelType, Refusal, Sample, SampleKind, SampleLabel, SampleUsage
from trivium.resources.models import NOWHERE
from trivium.resources.samples import Named, NewLabel
from trivium.resources.transfers import NewImport, SampleImport, Way, importing, syncing
from trivium.store import Store, Write

ROOT: Final = f"{zstack.ROOT}/c"
BUCKETS: Final = frozenset({f"{ROOT}/pets", f"{ROOT}/out"})
"""The buckets that are there, in the store of models that cases call c."""

BROKEN: Final = Reason(code="dataset.source.absent", details={"file": "cats"})


def put(store: Store, caller: Caller, told: dict[str, Any], names: dict[str, Any]) -> bool:
    """Carry out a step that is about datasets; False for any other."""
    if "registered dataset" in told:
        names |= store.write_now(_registered, caller, told, names)
    elif "dataset label" in told:
        store.write_now(_labelled, caller, told, names)
    elif "import" in told:
        names |= store.write_now(_imported, caller, told, names)
    elif "sync" in told:
        names |= store.write_now(_synced, caller, told, names)
    elif "deleted label" in told:
        named = Named(LabelType(told.get("type", 0)), told["deleted label"])
        store.write_now(samples.delete_labels, caller, _dataset(told, names), wanted=[named])
    elif "purged" in told:
        store.write_now(datasets.delete, caller, _dataset({"in": told["purged"]}, names), users=transfers.DATASET_USERS)
        for room in (samples, transfers):
            assert store.read_now(room.is_anything_left)
            while store.write_now(room.purge):
                pass
    else:
        return published.put(store, caller, told, names, root=ROOT)
    return True


def _registered(tx: Write, caller: Caller, told: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    label = told["registered dataset"]
    at = told.get("at", "pets/cats")
    source = {"data_path": f"obs://{at}/", "data_type": 0}
    new = NewDataset(
        name=told.get("name", label),
        url=source["data_path"],
        store=NOWHERE,
        description=told.get("description"),
        type=DatasetType(told.get("type", 0)),
        workspace=names[f"{told['workspace']}.number"] if "workspace" in told else 0,
        work_path=None if told.get("without work path") else f"{ROOT}/out/work",
        settings={"data_sources": [source], "work_path": "/out/work/", **told.get("settings", {})},
    )
    made = datasets.register(tx, caller, new, path=f"{ROOT}/{at}")
    return {f"{label}.id": made.uuid.hex, f"{label}.dashed": str(made.uuid)}


def _labelled(tx: Write, caller: Caller, told: dict[str, Any], names: dict[str, Any]) -> None:
    new = NewLabel(
        name=told["dataset label"],
        type=LabelType(told.get("type", 0)),
        property=told.get("property", {}),
        attributes=tuple(told.get("attributes", ())),
    )
    samples.create_labels(tx, caller, _dataset(told, names), new=[new])


def _imported(tx: Write, caller: Caller, told: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """An import, as far as it is to be: waiting, running, done, failed or stopped."""
    dataset, label, state = _dataset(told, names), told["import"], told.get("state", "done")
    settings = {"import_path": "obs://pets/cats/", **told.get("settings", {})}
    new = NewImport(path=f"{ROOT}/pets/cats", way=Way(told.get("way", "directory")), settings=settings)
    begun = transfers.begin_import(tx, caller, dataset, new=new)
    if state != "waiting":
        _read(tx, begun, told)
    _end(tx, caller, dataset, begun, state=state)
    mine = datasets.get(tx, caller, dataset)
    every = samples.list_samples(tx, mine, Query(page=Offset(limit=100))).rows
    shown = {f"{sample.name.partition('.')[0]}.id": sample.uuid.hex for sample in every}
    return {f"{label}.id": begun.uuid.hex, f"{label}.dashed": str(begun.uuid)} | shown


def _synced(tx: Write, caller: Caller, told: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """A sync, as far as it is to be; `gone` are files that are there no more."""
    dataset, label, state = _dataset(told, names), told["sync"], told.get("state", "done")
    begun = transfers.begin_sync(tx, caller, dataset)
    if state != "waiting":
        _read(tx, begun, told)
    gone = {f"{ROOT}/pets/cats/{path}".encode() for path in told.get("gone", ())}
    if gone:
        taken = transfers.get_import(tx, datasets.get(tx, caller, dataset), begun.uuid)
        ids = [place.id for place in syncing.next_places(tx, taken, most=100) if place.path in gone]
        assert syncing.take_gone(tx, taken, gone=ids, last=max(ids), seconds=2.0) is not None
    _end(tx, caller, dataset, begun, state=state)
    return {f"{label}.id": begun.uuid.hex}


def _end(tx: Write, caller: Caller, dataset: UUID, begun: SampleImport, *, state: str) -> None:
    if state in ("done", "failed"):
        importing.finish(tx, begun.id, reason=BROKEN if state == "failed" else None)
    elif state == "stopped":
        transfers.stop_import(tx, caller, dataset, uuid=begun.uuid)


def _read(tx: Write, begun: SampleImport, told: dict[str, Any]) -> None:
    """Have samples come of an import, and others be refused."""
    taken = importing.take(tx, begun.id)
    assert taken is not None
    found: list[Sample | Refusal] = [_sample(**one) for one in told.get("found", ())]
    refused = [
        Refusal(
            position=b"x", path=path.encode(), reason=Reason(code="dataset.source.encoding", details={"file": path})
        )
        for path in told.get("refused", ())
    ]
    if found or refused:
        importing.keep(tx, taken, [*found, *refused], base=f"{ROOT}/pets/cats".encode(), seconds=2.5)


def _sample(
    path: str, kind: int = 0, size: int = 1000, usage: str | None = None, labels: Sequence[Any] = (), **more: Any
) -> Sample:
    """What a source has at a path."""
    return Sample(
        position=path.encode(),
        path=path.encode(),
        size=size,
        kind=SampleKind(kind),
        usage=None if usage is None else SampleUsage(usage),
        labels=tuple(_label(**one) for one in labels),
        **more,
    )


def _label(name: str, type: int, annotated_by: str = "human", **more: Any) -> SampleLabel:
    return SampleLabel(name=name, type=LabelType(type), annotated_by=Annotator(annotated_by), **more)


def _dataset(told: dict[str, Any], names: dict[str, Any]) -> UUID:
    return UUID(hex=names[f"{told.get('in', 'd')}.id"])
