"""Labels that a dataset knows are made, changed and deleted, several at once or by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.errors import TriviumError
from trivium.base.values import Value
from trivium.dialects.modelarts.codes import told_of
from trivium.dialects.modelarts.datasets.finding import dataset_uuid, label_type, locked, the_label
from trivium.dialects.modelarts.datasets.labels import (
    ALL,
    AttributeShape,
    LabelBody,
    LabelPropertyBody,
    LabelPropertyShape,
)
from trivium.dialects.modelarts.errors import AttributeExists
from trivium.dialects.modelarts.spelling import Shape, Text, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Wire, Write
from trivium.dialects.reading import OutOfBounds
from trivium.resources import owning, samples, transfers
from trivium.resources.datasets import Dataset
from trivium.resources.samples import LabelDeletion, Named, NewLabel

ONE: Final = f"{ALL}/{{label_name}}"
AT_ONCE: Final = 1000
"""Labels that one call changes."""

ROUNDS: Final = 50
"""Transactions with a few thousand samples each that a caller waits for."""

COLOR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
SHAPES: Final = ("bndbox", "polygon", "circle", "line", "dashed", "point", "polyline")
ATTRIBUTE_TYPES: Final = ("text", "select")
LONGEST_ATTRIBUTE: Final = 64
BARRED: Final = frozenset("!<>=&\"'")  # in names of attributes
WITH_FILES: Final = 2
"""The policy by which files go along, too."""


class OutcomeShape(Shape, frozen=True, kw_only=True):
    """What became of one label."""

    success: bool
    error_code: Text = None
    error_msg: Text = None


class DoneShape(OutcomeShape, frozen=True, kw_only=True):
    """What became of labels; each is told of where one was refused."""

    results: tuple[OutcomeShape, ...] | None = None


class LabelsBody(Wire, frozen=True, kw_only=True):
    """Labels."""

    labels: tuple[LabelBody, ...]


class PolicyQuery(Wire, frozen=True, kw_only=True):
    """What goes along with labels: nothing (0), samples without another (1), their files, too (2)."""

    delete_policy: int | None = None


class TypeQuery(Wire, frozen=True, kw_only=True):
    """Which of the labels of a name."""

    label_type: int | None = None


class DeleteQuery(TypeQuery, frozen=True, kw_only=True):
    """The same, and whether files go along."""

    delete_source: bool = False


class Asked(Value, frozen=True):
    """What is asked for of a label, and by which name a fault in it is told."""

    dataset: Dataset
    body: LabelBody
    at: str

    @property
    def named(self) -> Named:
        """The label that is meant. `Missing`, `OutOfBounds`."""
        return Named(label_type(self.dataset, self.body.type, f"{self.at}.type"), self.body.name)


Change: TypeAlias = "Callable[[Write, Caller, Asked], object]"


async def create_labels(call: Call[LabelsBody, Nothing]) -> DoneShape:
    """Make labels; those that cannot be made do not keep the others."""
    return await call.write(_each, dataset_uuid(call), bodies=call.body.labels, do=_create)


async def update_labels(call: Call[LabelsBody, Nothing]) -> DoneShape:
    """Change labels, or call them otherwise."""
    return await call.write(_each, dataset_uuid(call), bodies=call.body.labels, do=_change)


async def delete_labels(call: Call[LabelsBody, PolicyQuery]) -> DoneShape:
    """Delete labels, alone, with the samples that have no other, or with the files of these, too."""
    uuid, delete = dataset_uuid(call), _deletion(call.query.delete_policy)
    done = await call.write(_each, uuid, bodies=call.body.labels, do=delete)
    await settled(call, uuid)
    return done


async def update_label(call: Call[LabelPropertyBody, TypeQuery]) -> None:
    """Change the properties of a label."""
    body = LabelBody(name=call.request.parameters["label_name"], type=call.query.label_type, property=call.body)
    await call.write(_update_named, dataset_uuid(call), body=body)


async def delete_label(call: Call[Nothing, DeleteQuery]) -> None:
    """Delete a label, and the samples that have no other; their files stay unless they are to go."""
    body = LabelBody(name=call.request.parameters["label_name"], type=call.query.label_type)
    uuid = dataset_uuid(call)
    delete = _with_files("delete_source") if call.query.delete_source else _without_files(LabelDeletion.SAMPLES)
    await call.write(_delete_named, uuid, body=body, delete=delete)
    await settled(call, uuid)


async def settled(call: Call[Any, Any], dataset: UUID) -> None:
    """Take deleted labels from the samples before the caller is told. Of very many, a worker does the rest."""
    for _ in range(ROUNDS):
        if not await call.core.store.write(samples.settle, dataset):
            return


def each_of(dataset: Dataset, bodies: Sequence[LabelBody], field: str) -> list[Asked]:
    """What is asked for in a field that has labels."""
    return [Asked(dataset=dataset, body=body, at=f"{field}[{place}]") for place, body in enumerate(bodies)]


def create_each(tx: Write, caller: Caller, every: Sequence[Asked]) -> None:
    """Make labels, all or none."""
    for asked in every:
        _create(tx, caller, asked)


def update_each(tx: Write, caller: Caller, every: Sequence[Asked]) -> None:
    """Change labels, all or none."""
    for asked in every:
        _change(tx, caller, asked)


def delete_each(tx: Write, caller: Caller, every: Sequence[Asked]) -> None:
    """Delete labels alone, all or none."""
    for asked in every:
        samples.delete_labels(tx, caller, asked.dataset.uuid, wanted=[asked.named])


OPERATIONS: Final = (
    Operation(
        name="CreateLabels",
        method="POST",
        path=ALL,
        handler=create_labels,
        mark=Mark.COMPANION,
        summary="Labels of a dataset",
        body=LabelsBody,
    ),
    Operation(
        name="UpdateLabels",
        method="PUT",
        path=ALL,
        handler=update_labels,
        mark=Mark.COMPANION,
        summary="Change labels, or call them otherwise",
        body=LabelsBody,
    ),
    Operation(
        name="DeleteLabels",
        method="POST",
        path=f"{ALL}/delete",
        handler=delete_labels,
        mark=Mark.COMPANION,
        summary="Delete labels, alone, with the samples that have no other, or with the files of these, too",
        body=LabelsBody,
        query=PolicyQuery,
    ),
    Operation(
        name="UpdateLabel",
        method="PUT",
        path=ONE,
        handler=update_label,
        mark=Mark.COMPANION,
        summary="Change the properties of a label",
        body=LabelPropertyBody,
        query=TypeQuery,
        ok=204,
    ),
    Operation(
        name="DeleteLabelAndSamples",
        method="DELETE",
        path=ONE,
        handler=delete_label,
        mark=Mark.COMPANION,
        summary="Delete a label, and the samples that have no other, maybe with their files",
        query=DeleteQuery,
        ok=204,
    ),
)


def _each(tx: Write, caller: Caller, uuid: UUID, *, bodies: Sequence[LabelBody], do: Change) -> DoneShape:
    """What became of each label. Raises why the first was refused, where all were."""
    if not 1 <= len(bodies) <= AT_ONCE:
        raise OutOfBounds("labels", f"1 to {AT_ONCE} labels")
    every = each_of(locked(tx, caller, uuid), bodies, "labels")
    refused = [owning.refusal_of(lambda asked=asked: do(tx, caller, asked)) for asked in every]
    first = next((error for error in refused if error is not None), None)
    if first is None:
        return DoneShape(success=True)
    if None not in refused:
        raise first
    told = told_of(first)
    return DoneShape(
        success=False, error_code=told.code, error_msg=told.words, results=tuple(_outcome(error) for error in refused)
    )


def _outcome(error: TriviumError | None) -> OutcomeShape:
    if error is None:
        return OutcomeShape(success=True)
    told = told_of(error)
    return OutcomeShape(success=False, error_code=told.code, error_msg=told.words)


def _create(tx: Write, caller: Caller, asked: Asked) -> None:
    body, named = asked.body, asked.named
    samples.check_name(named, field=f"{asked.at}.name")
    new = NewLabel(
        name=named.name,
        type=named.type,
        property=_filled(_property(body.property, f"{asked.at}.property.")),
        attributes=tuple(_attributes(body.attributes or (), f"{asked.at}.attributes")),
    )
    samples.create_labels(tx, caller, asked.dataset.uuid, new=[new])


def _change(tx: Write, caller: Caller, asked: Asked) -> None:
    """Change what is told of a label; what is not told stays, and what is told to be empty goes."""
    body, named, at = asked.body, asked.named, asked.at
    within = f"{at}.property." if at else ""
    told = _property(body.property, within)
    attributes = None if body.attributes is None else _attributes(body.attributes, f"{at}.attributes")
    before = samples.label_named(tx, asked.dataset, named)
    name = None if body.property is None else body.property.rename_to or None
    if name is not None and name != before.name:
        samples.check_name(Named(named.type, name), field=f"{within}@modelarts:rename_to")
    samples.change_label(
        tx,
        caller,
        asked.dataset.uuid,
        named=named,
        name=name,
        property=_filled({**before.property, **told}) if told else None,
        attributes=attributes,
    )


def _update_named(tx: Write, caller: Caller, uuid: UUID, *, body: LabelBody) -> None:
    dataset = locked(tx, caller, uuid)
    label = the_label(tx, dataset, body.name, type=body.type)
    body = msgspec.structs.replace(body, type=label.type.value)
    _change(tx, caller, Asked(dataset=dataset, body=body, at=""))


def _delete_named(tx: Write, caller: Caller, uuid: UUID, *, body: LabelBody, delete: Change) -> None:
    dataset = locked(tx, caller, uuid)
    label = the_label(tx, dataset, body.name, type=body.type)
    delete(tx, caller, Asked(dataset=dataset, body=msgspec.structs.replace(body, type=label.type.value), at=""))


def _property(given: LabelPropertyBody | None, at: str) -> dict[str, Any]:
    """What is told of a label's properties; an empty text takes one away. `OutOfBounds`, `NotOneOf`."""
    if given is None:
        return {}
    if given.color and not COLOR.fullmatch(given.color):
        raise OutOfBounds(f"{at}@modelarts:color", "of the form #RRGGBB")
    one_of(given.default_shape, f"{at}@modelarts:default_shape", SHAPES)
    told = {field.encode_name: getattr(given, field.name) for field in _KEPT}
    return {name: value for name, value in told.items() if value is not None}


def _filled(property: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in property.items() if value}


def _attributes(given: Sequence[AttributeShape], at: str) -> list[dict[str, Any]]:
    """The attributes as they are kept, each with an id. `OutOfBounds`, `NotOneOf`, `AttributeExists`."""
    names: set[str] = set()
    for place, one in enumerate(given):
        name = one.name or ""
        if not 1 <= len(name) <= LONGEST_ATTRIBUTE or BARRED & {*name}:
            bounds = f"of 1 to {LONGEST_ATTRIBUTE} characters, without ! < > = & \" and '"
            raise OutOfBounds(f"{at}[{place}].name", bounds)
        if name in names:
            raise AttributeExists(name=name)
        names.add(name)
        one_of(one.type, f"{at}[{place}].type", ATTRIBUTE_TYPES)
    kept: list[dict[str, Any]] = msgspec.to_builtins(given)
    for place, one in enumerate(kept):
        one.setdefault("id", str(place))
        for number, value in enumerate(one.get("values", ())):
            value.setdefault("id", str(number))
    return kept


def _deletion(policy: int | None) -> Change:
    """How a label is deleted by that policy. `OutOfBounds`."""
    if policy not in (None, 0, 1, WITH_FILES):
        raise OutOfBounds("delete_policy", "0, 1 or 2")
    return _with_files("delete_policy") if policy == WITH_FILES else _without_files(LabelDeletion(policy or 0))


def _without_files(along: LabelDeletion) -> Change:
    def delete(tx: Write, caller: Caller, asked: Asked) -> None:
        samples.delete_labels(tx, caller, asked.dataset.uuid, wanted=[asked.named], along=along)

    return delete


def _with_files(field: str) -> Change:
    """How it is deleted with the samples that have no other, and their files; that is asked for in the field."""

    def delete(tx: Write, caller: Caller, asked: Asked) -> None:
        transfers.delete_label_with_files(tx, caller, asked.dataset.uuid, named=asked.named, field=field)

    return delete


_KEPT: Final = msgspec.structs.fields(LabelPropertyShape)
