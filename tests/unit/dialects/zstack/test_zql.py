"""ZQL: statements become the same queries as REST's, and what is wrong with them is told by its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests import depot
from trivium.base.query import AllOf, AnyOf, Condition, Not, Offset, Op, Order
from trivium.dialects.zstack import errors, zql
from trivium.dialects.zstack.zql import Statement, Verb

NAME = Condition(field="name", op=Op.EQ, value="a")
SIZE = Condition(field="size", op=Op.GT, value=1)
NOTE = Condition(field="note", op=Op.NULL)


def one(text: str) -> Statement:
    (found,) = zql.statements(depot.GRAMMAR, text)
    return found


def test_a_statement_says_resource_fields_conditions_order_and_page() -> None:
    found = one(
        "query model.uuid,name where name like 'q%' and size >= 1000 return with (total) order by size desc limit 10 "
        "offset 5 named as 'mine';"
    )
    assert found.verb is Verb.QUERY
    assert found.inventory is depot.MODEL
    assert found.fields == ("uuid", "name")
    assert found.name == "mine"
    like, size = found.query.where
    assert like == Condition(field="name", op=Op.LIKE, value="q%")
    assert size == Condition(field="size", op=Op.GE, value=1000)
    assert found.query.order == (Order(field="size", descending=True), Order(field="id", descending=True))
    assert found.query.page == Offset(limit=10, offset=5)
    assert found.query.total


def test_what_is_not_said_is_as_in_rest() -> None:
    found = one("query MODEL").query
    assert found.order == depot.MODEL.order
    assert found.page == Offset(limit=1000)
    assert not found.total


@pytest.mark.parametrize(
    ("text", "where", "tree"),
    [
        ("name = 'a'", (NAME,), None),
        ('name="a" and size>1', (NAME, SIZE), None),
        ("NAME='a'", None, None),
        ("name='a' or size>1", (), AnyOf(parts=(NAME, SIZE))),
        ("name='a' or size>1 and description is null", (), AnyOf(parts=(NAME, AllOf(parts=(SIZE, NOTE))))),
        ("(name='a' or size>1) and description IS  NULL", (NOTE,), AnyOf(parts=(NAME, SIZE))),
        ("((name='a'))", (NAME,), None),
        ("not name='a'", (), Not(part=NAME)),
        ("not not (name='a')", (NAME,), None),
        ("not (name='a' and size>1)", (), Not(part=AllOf(parts=(NAME, SIZE)))),
        ("__userTag__ has ('a')", (Condition(field="tags.tag", op=Op.EQ, value="a"),), None),
    ],
)
def test_and_binds_more_tightly_than_or_and_parentheses_most(text: str, where: object, tree: object) -> None:
    if where is None:
        with pytest.raises(errors.NoSuchField):
            one(f"query model where {text}")
        return
    found = one(f"query model where {text}").query
    assert found.where == where
    assert found.tree == tree


@pytest.mark.parametrize(
    ("text", "op", "value"),
    [
        ("size in (1, -2, 3)", Op.IN, (1, -2, 3)),
        ("size in 5", Op.IN, (5,)),
        ("size not in (1)", Op.NOT_IN, (1,)),
        ("size = -5", Op.EQ, -5),
        ("size='5'", Op.EQ, 5),
        ("size not like '1%'", Op.NOT_LIKE, "1%"),
        ("size is not null", Op.NOT_NULL, None),
        ("size != 5", Op.NE, 5),
    ],
)
def test_values_are_read_as_their_fields_types(text: str, op: Op, value: object) -> None:
    (condition,) = one(f"query model where {text}").query.where
    assert (condition.op, condition.value) == (op, value)


def test_a_text_holds_anything_but_its_quotes() -> None:
    (condition,) = one('query model where name = "a\' ; or (\n"').query.where
    assert condition.value == "a' ; or (\n"


def test_a_row_has_all_tags_that_it_is_asked_to_have() -> None:
    found = one("query model where __userTag__ has ('a', 'b')").query
    assert [condition.value for condition in found.where] == ["a", "b"]
    assert isinstance(one("query model where __userTag__ not has ('a', 'b')").query.tree, Not)


def test_a_count_is_a_total_and_with_a_group_the_numbers_of_its_groups() -> None:
    found = one("count model where size > 1")
    assert found.verb is Verb.COUNT
    assert found.query.total
    grouped = one("count model group by name order by name desc")
    assert grouped.query.group == ("name",)
    assert grouped.query.order == (Order(field="name", descending=True),)
    assert grouped.group == ("name",)


def test_a_sum_says_what_and_by_what() -> None:
    found = one("sum model.size by isLatestVersion where size > 1 limit 3")
    assert found.verb is Verb.SUM
    assert found.fields == ("size",)
    assert found.group == ("isLatestVersion",)
    assert found.query.group == ("latest",)
    assert found.query.order == ()


def test_distinct_rows_are_groups() -> None:
    assert one("query distinct(model.name) order by name").query.group == ("name",)


def test_statements_stand_in_a_row() -> None:
    found = zql.statements(depot.GRAMMAR, "query model; count modelcenter where status = 'connected'; ")
    assert [each.inventory.name for each in found] == ["Model", "ModelCenter"]
    assert found[1].query.where == (Condition(field="state", op=Op.IN, value=("up",)),)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", errors.BadStatement),
        ("select model", errors.BadStatement),
        ("query", errors.BadStatement),
        ("query unknown", errors.NoSuchResource),
        ("query model.", errors.BadStatement),
        ("query model where", errors.BadStatement),
        ("query model where name", errors.BadStatement),
        ("query model where name = ", errors.BadStatement),
        ("query model where name = a", errors.BadStatement),
        ("query model where name = 'a", errors.BadStatement),
        ("query model where name ~= 'a'", errors.BadStatement),
        ("query model where (name = 'a'", errors.BadStatement),
        ("query model where name = 'a' name = 'b'", errors.BadStatement),
        ("query model where name = 'a' where name = 'b'", errors.BadStatement),
        ("query model where name. = 'a'", errors.BadStatement),
        ("query model where foo = 'a'", errors.NoSuchField),
        ("query model where foo.a = 'a'", errors.NoSuchRelation),
        ("query model where size = 'a'", errors.BadValue),
        ("query model where size = 1.5", errors.BadValue),
        ("query model where name in (query modelcenter.name)", errors.NotInZql),
        ("query model limit x", errors.BadParameter),
        ("query model limit -1", errors.BadParameter),
        ("query model limit 99999999999999999999999", errors.BadParameter),
        ("query model limit", errors.BadParameter),
        ("query model order by foo", errors.NoSuchField),
        ("query model order by modelServiceRefs desc", errors.NotComparable),
        ("query model group by foo", errors.NoSuchField),
        ("query model.foo", errors.NoSuchField),
        ("query model return with (zwatch{x})", errors.NotInZql),
        ("query model restrict by (x = 'y')", errors.NotInZql),
        ("query model filter by x{y}", errors.NotInZql),
        ("query model named as x", errors.BadStatement),
        ("sum model by name", errors.BadStatement),
        ("sum model.size", errors.BadStatement),
        ("sum model.name by size", errors.NotComparable),
        ("sum model.size by name order by size", errors.NotComparable),
        ("query model {", errors.BadStatement),
        ("query model;;", errors.BadStatement),
        ("query model;" * 17, errors.TooMuch),
        ("query model where " + "(" * 9 + "name='a'" + ")" * 9, errors.TooMuch),
        ("query model where name='a'" + " or name='a'" * 64, errors.TooMuch),
        (" " * 65_537, errors.TooMuch),
    ],
)
def test_what_is_wrong_with_a_statement_is_told(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        zql.statements(depot.GRAMMAR, text)


def test_an_error_shows_where_it_is() -> None:
    with pytest.raises(errors.BadStatement) as refused:
        zql.statements(depot.GRAMMAR, "query model where name == 'a'")
    assert refused.value.details["place"] == 25
    assert refused.value.details["near"] == "= 'a'"


WORDS = (
    "query count sum model modelcenter where name size createDate = != in like not has is null and or ( ) , . ; 'a' 1",
    "-1 1.5 order by desc limit offset group return with total named as distinct restrict filter true __userTag__",
)
PIECES = some.sampled_from([word for line in WORDS for word in line.split()])
RAW = some.one_of(
    some.text(),
    some.lists(PIECES, max_size=14).map(" ".join),
    some.lists(PIECES, max_size=9).map(lambda rest: " ".join(["query model where", *rest])),
)


@given(text=RAW)
def test_raw_statements_are_understood_or_refused_as_declared(text: str) -> None:
    try:
        zql.statements(depot.GRAMMAR, text)
    except tuple(errors.OF_QUERIES):
        return


@pytest.mark.parametrize(
    ("written", "meant"),
    [("'it''s'", "it's"), ("''''", "'"), ('"a""b"', 'a"b'), ("''", ""), ("'a\"b'", 'a"b'), ("'a' ", "a")],
)
def test_a_doubled_quote_within_quotes_is_one(written: str, meant: str) -> None:
    (found,) = zql.statements(depot.GRAMMAR, f"query model where name = {written}")
    assert [condition.value for condition in found.query.where] == [meant]
