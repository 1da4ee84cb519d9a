"""Whatever ZStack's query language asks of whatever rows: the databases answer what plain Python answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests import depot
from tests.rollback import rolled_back
from trivium.base.clock import SystemClock
from trivium.base.query import AllOf, AnyOf, Clause, Not, Offset, Op, Order, Query
from trivium.base.text import fold
from trivium.dialects.zstack import conditions, errors, queries, zql
from trivium.dialects.zstack.conditions import WORDS, Comparison
from trivium.dialects.zstack.inventories import Kind, Member
from trivium.store import Store, Write, query

Row = dict[str, Any]
World = dict[str, list[Row]]

TEXTS = some.text("aAbB%_\\ ,=测ßé1", max_size=4)
UUIDS = [UUID(int=(number << 124) | (4 << 76) | (8 << 60) | number) for number in (0, 1, 9, 10, 15)]
TIMES = [
    datetime(2025, 11, 4, 10, 20, 7, tzinfo=UTC),
    datetime(2025, 11, 4, 10, 20, 7, 500_000, UTC),
    datetime(2025, 11, 4, 10, 20, 8, tzinfo=UTC),
    datetime(2025, 11, 4, 16, 0, tzinfo=UTC),
    datetime(1969, 7, 20, 20, 17, 40, 1, UTC),
]
SOME_UUID = some.sampled_from(UUIDS)
OPTIONAL_UUID = some.none() | SOME_UUID


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store with the depot's tables."""
    opened = Store.open(database_url, SystemClock(), "cli")
    opened.write_now(depot.make)
    yield opened
    opened.close()


def rows_of(most: int, **fields: some.SearchStrategy[Any]) -> some.SearchStrategy[list[Row]]:
    rows = some.lists(some.fixed_dictionaries(fields), max_size=most)
    return rows.map(lambda found: [{"id": number, **row} for number, row in enumerate(found, 1)])


def unique(rows: some.SearchStrategy[list[Row]]) -> some.SearchStrategy[list[Row]]:
    return rows.map(lambda found: list({row["uuid"]: row for row in found}.values()))


GPUS = some.lists(some.sampled_from(["1", "2", "12", "4"]), min_size=1, max_size=3, unique=True).map(",".join)
WORLDS = some.fixed_dictionaries(
    {
        "centers": unique(
            rows_of(3, uuid=SOME_UUID, name=TEXTS, state=some.none() | some.sampled_from([*depot.STATES.values()]))
        ),
        "models": unique(
            rows_of(
                6,
                uuid=SOME_UUID,
                name=TEXTS,
                note=some.none() | TEXTS,
                size=some.none() | some.sampled_from([-3, 0, 1, 12, (1 << 63) - 1]),
                latest=some.none() | some.booleans(),
                gpus=some.none() | GPUS,
                center_uuid=OPTIONAL_UUID,
                created_at=some.none() | some.sampled_from(TIMES),
            )
        ),
        "services": unique(rows_of(3, uuid=SOME_UUID, name=TEXTS, center_uuid=OPTIONAL_UUID)),
        "refs": unique(
            rows_of(4, uuid=SOME_UUID, model_uuid=SOME_UUID, service_uuid=SOME_UUID, is_default=some.booleans())
        ),
        "labels": rows_of(4, thing_uuid=SOME_UUID, tag=some.sampled_from(["a", "B", "aB", "b,a"])),
    }
)
PATHS = [
    *(name for name, member in depot.MODEL.members.items() if member.kind is not Kind.OBJECTS),
    "__userTag__",
    "modelCenter.name",
    "modelCenter.uuid",
    "modelCenter.status",
    "modelCenter.__userTag__",
    "modelServiceRefs.isDefault",
    "modelServiceRefs.modelUuid",
    "modelServiceRefs.modelServiceUuid",
    "modelService.name",
    "modelService.modelCenter.uuid",
    "modelService.modelCenter.model.createDate",
    "modelCenter.model.modelCenter.model.description",
    "modelCenter.model.recommendedGpuNum",
]
LITERALS: dict[Kind, some.SearchStrategy[str]] = {
    Kind.STRING: TEXTS,
    Kind.WORD: some.sampled_from(["Connected", "disCONNECTED", "C%", "%ed", "", "x", "Connecting"]),
    Kind.UUID: some.sampled_from([uuid.hex for uuid in UUIDS]).flatmap(
        lambda text: some.sampled_from(
            [text, text.upper(), text[:1], text[:9], text[:2] + "x", text + "0", "g", "", "~"]
        )
    ),
    Kind.LONG: some.sampled_from(["-3", "+1", "0", "12", "9223372036854775807", "007"]),
    Kind.INTEGER: some.sampled_from(["1000", "999"]),
    Kind.BOOLEAN: some.sampled_from(["true", "FALSE", "1", "0"]),
    Kind.LIST: some.sampled_from(["1", "2", "12", "1,2", "2,1", "", "1,", ",", "4"]),
    Kind.TIMESTAMP: some.sampled_from(
        [
            "2025-11-04",
            "2025-11-05",
            "2025-11-04 18:20:07",
            "2025-11-04T18:20:07.5",
            "Nov 4, 2025 6:20:08 PM",
            "1762251607",
            "1762251608000",
            "1969-07-21 04:17:40",
        ]
    ),
}
PATTERNS: dict[Kind, some.SearchStrategy[str]] = {
    Kind.TIMESTAMP: some.sampled_from(
        ["2025-11-04%", "%18:20:0_", "%", "2025-11-05 00:00:00", "1969%", "2025\\-%", "x"]
    ),
    Kind.UUID: some.sampled_from(["0%", "%1", "F%", "a_%", "%", "", "1000%8%", "9" + "_" * 31]),
    Kind.LONG: some.sampled_from(["1%", "-_", "%7", "12"]),
    Kind.INTEGER: some.sampled_from(["1%", "1000"]),
}


@some.composite
def comparisons(draw: some.DrawFn) -> Comparison:
    name = draw(some.sampled_from(PATHS))
    kind = Kind.STRING if name.endswith("__") else member_of(name).kind
    op = draw(
        some.sampled_from([op for op in WORDS.values() if kind is not Kind.BOOLEAN or op not in (Op.LIKE, Op.NOT_LIKE)])
    )
    if op in (Op.NULL, Op.NOT_NULL):
        return Comparison(name=name, op=op)
    if op in (Op.IN, Op.NOT_IN):
        return Comparison(name=name, op=op, value=tuple(draw(some.lists(LITERALS[kind], min_size=1, max_size=4))))
    strategies = PATTERNS if op in (Op.LIKE, Op.NOT_LIKE) and kind in PATTERNS else LITERALS
    return Comparison(name=name, op=op, value=draw(strategies[kind]))


Wish = Any
"""A comparison, or ("not", wish), ("and", wishes), ("or", wishes)."""

TREES = some.recursive(
    comparisons(),
    lambda inner: some.one_of(
        some.tuples(some.just("not"), inner),
        some.tuples(some.sampled_from(["and", "or"]), some.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
ORDERS = some.lists(
    some.tuples(
        some.sampled_from(["name", "description", "size", "isLatestVersion", "createDate", "SAMPLE_SIZE", "uuid"]),
        some.booleans(),
    ),
    max_size=2,
    unique_by=lambda step: step[0],
)
GROUPS = some.lists(
    some.sampled_from(["name", "description", "isLatestVersion", "createDate", "modelCenterUuid"]),
    max_size=2,
    unique=True,
)
same = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


def member_of(name: str) -> Member:
    place = depot.CATALOGUE.place(depot.MODEL, name)
    return place.inventory.member(place.last)


@same
@given(world=WORLDS, flat=some.lists(comparisons(), max_size=3), tree=TREES, order=ORDERS, groups=GROUPS)
def test_conditions_trees_orders_and_groups_are_what_plain_python_makes_of_them(
    store: Store, world: World, flat: list[Comparison], tree: Wish, order: list[tuple[str, bool]], groups: list[str]
) -> None:
    wishes = ("and", (*flat, tree))
    wanted = shown(Depot(world), wishes, order=order, groups=groups)
    where, also = conditions.split([*conditions.clauses(depot.GRAMMAR, depot.MODEL, flat), clause_of(tree)])

    def look(tx: Write) -> None:
        depot.fill(tx, world)
        asked = Query(
            where=where,
            tree=also,
            order=queries.order(depot.MODEL, order),
            group=queries.groups(depot.MODEL, groups),
            page=Offset(limit=100),
            utc_offset=depot.GRAMMAR.utc_offset,
        )
        found = query.page(tx, depot.MODELS, asked)
        assert [row.id for row in found.rows] == wanted
        assert found.total == query.count(tx, depot.MODELS, asked) == len(wanted)

    rolled_back(store, look)


@same
@given(world=WORLDS, comparison=comparisons())
def test_one_condition_by_rest_rpc_and_zql_finds_the_same(store: Store, world: World, comparison: Comparison) -> None:
    wanted = shown(Depot(world), comparison, order=[], groups=[])
    by_rpc = {"name": comparison.name, "op": comparison.op.value, "value": _of_json(comparison)}
    asked = [queries.of_message(depot.GRAMMAR, depot.MODEL, {"conditions": [by_rpc]})]
    text = _as_rest(comparison)
    if text is not None:
        asked.append(queries.of_parameters(depot.GRAMMAR, depot.MODEL, {"q": [text]}))
    found = [each.query for each in asked]
    statement = _as_zql(comparison)
    if statement is not None:
        found.append(zql.statements(depot.GRAMMAR, f"query model where {statement}")[0].query)

    def look(tx: Write) -> None:
        depot.fill(tx, world)
        for each in found:
            assert [row.id for row in query.page(tx, depot.MODELS, each).rows] == wanted

    rolled_back(store, look)


@same
@given(world=WORLDS, comparison=comparisons(), descending=some.booleans())
def test_sums_and_numbers_of_groups_are_exact(
    store: Store, world: World, comparison: Comparison, *, descending: bool
) -> None:
    chosen = set(shown(Depot(world), comparison, order=[], groups=[]))
    rows = [row for row in world["models"] if row["id"] in chosen]
    wanted = []
    for latest in (None, False, True):
        of_group = [row for row in rows if row["latest"] is latest]
        sizes = [row["size"] for row in of_group if row["size"] is not None]
        if of_group:
            wanted.append(((latest,), len(of_group), (sum(sizes) if sizes else None,)))

    def look(tx: Write) -> None:
        depot.fill(tx, world)
        asked = Query(
            where=(),
            tree=clause_of(comparison),
            group=("latest",),
            order=(Order(field="latest", descending=descending),),
            page=Offset(limit=100),
            utc_offset=depot.GRAMMAR.utc_offset,
        )
        found = query.summed(tx, depot.MODELS, asked, of=("size",))
        assert [(each.by, each.rows, each.sums) for each in found] == (wanted[::-1] if descending else wanted)

    rolled_back(store, look)


RAW_VALUES = some.one_of(some.text(max_size=6), some.text("%_\\,0a-: 1", max_size=8), *LITERALS.values())
RAW = some.builds(
    lambda name, op, value: f"{name}{op}{value}",
    some.sampled_from([*PATHS, "modelServiceRefs", "uuid", "x"]),
    some.sampled_from([*conditions.SYMBOLS, " is null", " not null"]),
    RAW_VALUES,
)


@same
@given(texts=some.lists(RAW, min_size=1, max_size=3), descending=some.booleans())
def test_what_is_understood_is_answered_whatever_its_values(
    store: Store, texts: list[str], *, descending: bool
) -> None:
    given = {"q": texts, "sort": ["-name" if descending else "createDate"], "replyWithCount": ["true"]}
    try:
        asked = queries.of_parameters(depot.GRAMMAR, depot.MODEL, given)
    except tuple(errors.OF_QUERIES):
        return
    found = store.read_now(lambda tx: query.page(tx, depot.MODELS, asked.query))
    assert (found.rows, found.total) == ([], 0)


def clause_of(wish: Wish) -> Clause:
    if isinstance(wish, Comparison):
        return conditions.clause(depot.GRAMMAR, depot.MODEL, wish)
    word, rest = wish
    if word == "not":
        return Not(part=clause_of(rest))
    return (AllOf if word == "and" else AnyOf)(parts=tuple(map(clause_of, rest)))


REST_SYMBOLS = {op: symbol for symbol, op in conditions.SYMBOLS.items()}


def _as_rest(comparison: Comparison) -> str | None:
    """The condition's text; None where it cannot be written: items of lists with commas."""
    if comparison.value is None:
        return f" {comparison.name} {'is' if comparison.op is Op.NULL else 'not'} null"
    if isinstance(comparison.value, str):
        return f"{comparison.name}{REST_SYMBOLS[comparison.op]}{comparison.value}"
    if any("," in item for item in comparison.value):
        return None
    return f"{comparison.name}{REST_SYMBOLS[comparison.op]}{','.join(comparison.value)}"


def _of_json(comparison: Comparison) -> Any:
    return list(comparison.value) if isinstance(comparison.value, tuple) else comparison.value


def _as_zql(comparison: Comparison) -> str | None:
    if comparison.value is None:
        return f"{comparison.name} {'is null' if comparison.op is Op.NULL else 'is not null'}"
    if isinstance(comparison.value, str):
        return f"{comparison.name} {comparison.op.value} '{comparison.value}'"
    return f"{comparison.name} {comparison.op.value} ({', '.join(repr_of(item) for item in comparison.value)})"


def repr_of(item: str) -> str:
    return f'"{item}"'


# ---- the same, in plain Python ----------------------------------------------------------------------------------


def shown(world: Depot, wish: Wish, *, order: list[tuple[str, bool]], groups: list[str]) -> list[int]:
    """The ids of the rows that are shown, in their order."""
    rows = [row for row in world.rows["models"] if world.holds(row, wish)]
    rows.sort(key=lambda row: row["id"], reverse=not order or order[-1][1])
    order = order or [("createDate", False), ("uuid", False)]
    for name, descending in reversed(order):
        rows.sort(key=lambda row, name=name: place(row[column(name)]), reverse=descending)
    first: dict[Any, Row] = {}
    for row in rows:
        first.setdefault(tuple(of_group(row[column(name)]) for name in groups) if groups else row["id"], row)
    return [row["id"] for row in first.values()]


def column(name: str) -> str:
    return member_of(name).field


def place(value: Any) -> Any:
    """A value as orders see it: nulls before everything, text folded."""
    if value is None:
        return (False,)
    return (True, value.bytes if isinstance(value, UUID) else fold(value) if isinstance(value, str) else value)


def of_group(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    return fold(value) if isinstance(value, str) else value


class Depot:
    """The rows, and how they are related."""

    def __init__(self, rows: World) -> None:
        self.rows = {**rows, "models": [{**row, "sample_size": 1000} for row in rows["models"]]}

    def holds(self, row: Row, wish: Wish) -> bool:
        if isinstance(wish, Comparison):
            return self.satisfies(row, wish)
        word, rest = wish
        if word == "not":
            return not self.holds(row, rest)
        return (all if word == "and" else any)(self.holds(row, each) for each in rest)

    def satisfies(self, row: Row, comparison: Comparison) -> bool:
        *steps, last = comparison.name.split(".")
        if comparison.name.endswith("modelCenter.uuid"):  # our own side of the relation
            steps, last = steps[:-1], "modelCenterUuid"
        reached, here = [row], depot.MODEL
        for step in steps:
            link = here.links[step]
            for relation in link.path.split("."):
                reached = [there for each in reached for there in self._related(each, relation)]
            here = depot.CATALOGUE.of(link.to)
        if last == "__userTag__":
            return any(self._is_tagged(each, comparison) for each in reached)
        member = here.member(last)
        return any(compares(member, each[member.field], comparison) for each in reached)

    def _is_tagged(self, row: Row, comparison: Comparison) -> bool:
        tag = Member(name="tag", kind=Kind.STRING, field="tag")
        found = [label["tag"] for label in self.rows["labels"] if label["thing_uuid"] == row["uuid"]]
        positive = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.NOT_LIKE: Op.LIKE, Op.NULL: Op.NOT_NULL}.get(comparison.op)
        asked = Comparison(name=comparison.name, op=positive or comparison.op, value=comparison.value)
        return any(compares(tag, text, asked) for text in found) is (positive is None)

    def _related(self, row: Row, relation: str) -> list[Row]:
        table, theirs, ours = {
            "center": ("centers", "uuid", "center_uuid"),
            "models": ("models", "center_uuid", "uuid"),
            "model": ("models", "uuid", "model_uuid"),
            "service": ("services", "uuid", "service_uuid"),
            "refs": ("refs", "model_uuid" if "size" in row else "service_uuid", "uuid"),
        }[relation]
        return [each for each in self.rows[table] if row[ours] is not None and each[theirs] == row[ours]]


def compares(member: Member, mine: Any, comparison: Comparison) -> bool:
    """Whether the value of a field satisfies the comparison, as the language says of its type."""
    op = comparison.op
    if op is Op.NULL:
        return mine is None
    if mine is None:
        return False
    if op is Op.NOT_NULL:
        return True
    if op in (Op.LIKE, Op.NOT_LIKE):
        (pattern,) = comparison.values
        return is_like(written(member, mine), pattern) is (op is Op.LIKE)
    own = read(member, mine, is_ours=True)
    values = [read(member, value) for value in comparison.values]
    if op in (Op.EQ, Op.IN, Op.NE, Op.NOT_IN):
        equal = own in values
        if member.kind is Kind.LIST:
            equal = equal or any(value in own.split(",") for value in values)
        return equal is (op in (Op.EQ, Op.IN))
    return {Op.LT: own < values[0], Op.LE: own <= values[0], Op.GT: own > values[0], Op.GE: own >= values[0]}[op]


def written(member: Member, mine: Any) -> str:
    """The value as LIKE sees it."""
    if isinstance(mine, datetime):
        return (mine + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(mine, UUID):
        return mine.hex
    if member.kind is Kind.WORD:
        return next(word for word, own in (member.words or {}).items() if own == mine)
    return str(mine)


def read(member: Member, value: Any, *, is_ours: bool = False) -> Any:
    """The value as it is compared; those of the comparison are text."""
    if member.kind in (Kind.STRING, Kind.WORD, Kind.UUID, Kind.LIST):
        return fold(written(member, value) if is_ours else value)
    if member.kind is Kind.TIMESTAMP:
        return value.replace(microsecond=0) if is_ours else moment(value)
    if is_ours:
        return value
    return value.lower() in ("true", "1") if member.kind is Kind.BOOLEAN else int(value)


def moment(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text) / (1000 if len(text) > 11 else 1), UTC)
    is_shown = text.endswith("PM")
    local = datetime.strptime(text, "%b %d, %Y %I:%M:%S %p") if is_shown else datetime.fromisoformat(text)  # noqa: DTZ007 - the zone comes next
    return (local - timedelta(hours=8)).replace(tzinfo=UTC)


def is_like(written: str, pattern: str) -> bool:
    expression, plain, at = "", "", 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character in "%_":
            expression += re.escape(fold(plain)) + {"%": ".*", "_": "."}[character]
            plain = ""
            continue
        if character == "\\" and at < len(pattern):
            character = pattern[at]
            at += 1
        plain += character
    return re.fullmatch(expression + re.escape(fold(plain)), fold(written), re.DOTALL) is not None
