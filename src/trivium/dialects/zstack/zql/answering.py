"""ZQL's statements, answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from trivium.base.caller import Caller
from trivium.dialects.operation import Mark, Read, Wire
from trivium.dialects.zstack import listing
from trivium.dialects.zstack.apis import Api, Listing, Look, Sums, at
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.errors import NoSuchResource, NotInZql
from trivium.dialects.zstack.inventories import Kind, Member, word_of
from trivium.dialects.zstack.queries import Asked
from trivium.dialects.zstack.spelling import time_text
from trivium.dialects.zstack.zql.parsing import Statement, Verb, statements


class ZqlAsked(Wire, frozen=True, kw_only=True):
    """Statements, with semicolons between them."""

    zql: Annotated[str, Meta(min_length=1)]


def apis(grammar: Grammar, others: Iterable[Api]) -> tuple[Api, ...]:
    """The call, about everything that the others query."""
    by_inventory = {api.handler.inventory.name: api.handler for api in others if isinstance(api.handler, Listing)}

    def look(tx: Read, caller: Caller, asked: ZqlAsked) -> Result:
        found = statements(grammar, asked.zql)
        answering = _Answering(tx, caller, by_inventory, utc_offset=grammar.utc_offset)
        return {"results": [answering.answer(statement) for statement in found]}

    return (
        Api(
            name="ZQLQuery",
            places=(at("GET", "/zql"),),
            handler=Look(look=look, grows=True),
            mark=Mark.BEYOND,
            summary="The query language as statements of text",
            shape=ZqlAsked,
        ),
    )


class _Answering:
    """Answers statements, in one transaction and for one caller."""

    def __init__(self, tx: Read, caller: Caller, by_inventory: Mapping[str, Listing], *, utc_offset: timedelta) -> None:
        self._tx = tx
        self._caller = caller
        self._by_inventory = by_inventory
        self._utc_offset = utc_offset

    def answer(self, statement: Statement) -> dict[str, Any]:
        """The answer, with the name that the statement gives it."""
        listed = self._by_inventory.get(statement.inventory.name)
        if listed is None:  # it is asked about across relations only
            raise NoSuchResource("zql", name=statement.inventory.name)
        name = {} if statement.name is None else {"name": statement.name}
        return {**name, **self._found(statement, listed)}

    def _found(self, statement: Statement, listed: Listing) -> Result:
        is_count = statement.verb is Verb.COUNT
        if statement.verb is Verb.SUM or (is_count and statement.group):
            return {"inventories": self._groups(statement, listed)}
        fields = () if is_count else statement.fields
        asked = Asked(inventory=statement.inventory, query=statement.query, fields=fields, only_total=is_count)
        return listing.answer(self._tx, self._caller, listed, asked=asked)

    def _groups(self, statement: Statement, listed: Listing) -> list[dict[str, Any]]:
        """What the rows of each group are equal in, and their number or their sums."""
        if listed.summed is None:
            raise NotInZql(statement.verb.value, part=f"{statement.verb} by groups of {statement.inventory.name}")
        keys = [statement.inventory.member(name) for name in statement.group]
        added = () if statement.verb is Verb.COUNT else statement.fields
        of = [statement.inventory.member(name).field for name in added]
        found = listed.summed(self._tx, self._caller, statement.query, of)
        return [self._group(keys, group, added=added, counts=statement.verb is Verb.COUNT) for group in found]

    def _group(self, keys: Sequence[Member], group: Sums, *, added: Sequence[str], counts: bool) -> dict[str, Any]:
        by = {key.name: self._written(key, value) for key, value in zip(keys, group.by, strict=True)}
        sums = {"total": group.rows} if counts else dict(zip(added, group.sums, strict=True))
        return {name: value for name, value in {**by, **sums}.items() if value is not None}

    def _written(self, member: Member, value: object) -> object:
        """A value of the core's as it is written; text comes folded, as groups are made without regard to case."""
        if isinstance(value, UUID):
            return value.hex
        if member.kind is Kind.TIMESTAMP and isinstance(value, int):  # groups of times are made by the second
            return time_text(datetime.fromtimestamp(value, UTC), self._utc_offset)
        return word_of(member.words or {}, str(value)) if member.kind is Kind.WORD and value is not None else value
