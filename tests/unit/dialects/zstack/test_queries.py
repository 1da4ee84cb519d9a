"""Whole queries: the parameters of REST, the members of an RPC message, and what is refused of both."""

from __future__ import annotations

from typing import Any

import pytest

from tests import depot
from trivium.base.query import Condition, Offset, Op, Order
from trivium.dialects.zstack import errors, queries
from trivium.dialects.zstack.queries import Asked

OWN_ORDER = (Order(field="created_at"), Order(field="uuid"))


def rest(**parameters: str | list[str]) -> Asked:
    given = {name: [value] if isinstance(value, str) else value for name, value in parameters.items()}
    return queries.of_parameters(depot.GRAMMAR, depot.MODEL, given)


def rpc(**message: Any) -> Asked:
    return queries.of_message(depot.GRAMMAR, depot.MODEL, message)


def test_without_parameters_it_is_the_first_thousand_in_the_order_of_their_making() -> None:
    for asked in (rest(), rpc()):
        assert asked.query.where == ()
        assert asked.query.tree is None
        assert asked.query.order == OWN_ORDER
        assert asked.query.page == Offset(limit=1000)
        assert asked.fields == ()
        assert not asked.query.total
        assert not asked.only_total


def test_conditions_that_are_plain_stay_flat_and_the_rest_is_one_clause() -> None:
    asked = rest(q=["name=a", "__userTag__!=x", "size>1"]).query
    assert [each.field for each in asked.where] == ["name", "size"]
    assert asked.tree is not None
    assert asked.utc_offset == depot.GRAMMAR.utc_offset


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("size", (Order(field="size"), Order(field="id"))),
        ("+size", (Order(field="size"), Order(field="id"))),
        (" size", (Order(field="size"), Order(field="id"))),  # a plus that was not encoded
        ("-size", (Order(field="size", descending=True), Order(field="id", descending=True))),
        ("", OWN_ORDER),
    ],
)
def test_a_sort_has_its_direction_before_the_field(sort: str, expected: tuple[Order, ...]) -> None:
    assert rest(sort=sort).query.order == expected


def test_a_sort_of_rpc_stands_for_one_of_rest_that_is_absent() -> None:
    descending = (Order(field="size", descending=True), Order(field="id", descending=True))
    assert rest(sortBy="size", sortDirection="DESC").query.order == descending
    assert rest(sort="size", sortBy="name", sortDirection="desc").query.order[0] == Order(field="size")
    assert rpc(sortBy="size", sortDirection="desc").query.order == descending
    assert rpc(sortBy="size").query.order[0] == Order(field="size")


def test_pages_totals_and_fields_are_asked_alike() -> None:
    of_rest = rest(limit="50", start="7", replyWithCount="TRUE", fields=[" uuid , name", "size,uuid"])
    of_rpc = rpc(limit=50, start="7", replyWithCount=True, fields=["uuid", "name", "size"])
    for asked in (of_rest, of_rpc):
        assert asked.query.page == Offset(limit=50, offset=7)
        assert asked.query.total
        assert not asked.only_total
        assert asked.fields == ("uuid", "name", "size")


def test_a_count_wants_nothing_but_the_total() -> None:
    assert rest(count="true").only_total
    assert rest(count="true").query.total
    assert rpc(count=True).only_total
    assert not rest(count="yes").only_total


def test_the_first_of_each_parameter_counts_and_unknown_ones_are_passed_over() -> None:
    asked = rest(limit=["5", "x"], start=[], sort=["size", "-name"], unknown="x", **{"limit ": "x"})
    assert asked.query.page == Offset(limit=5)
    assert asked.query.order[0] == Order(field="size")


def test_groups_are_made_by_fields_of_the_resource_itself() -> None:
    assert rest(groupBy="modelCenterUuid").query.group == ("center_uuid",)
    assert rpc(groupBy="name,size").query.group == ("name", "size")


def test_a_word_makes_groups_and_no_order_that_the_core_does_not_have() -> None:
    center = depot.CATALOGUE.of("ModelCenter")
    assert queries.of_parameters(depot.GRAMMAR, center, {"groupBy": ["status"]}).query.group == ("state",)
    with pytest.raises(errors.NotComparable):
        queries.of_parameters(depot.GRAMMAR, center, {"sort": ["status"]})


def test_a_row_is_asked_by_its_uuid_and_nothing_else() -> None:
    text = "274fec2ef4bc4815a6544d1ee27d7899"
    (condition,) = queries.of_row(depot.GRAMMAR, depot.MODEL, text).query.where
    assert (condition.field, condition.op) == ("uuid", Op.EQ)
    absent = queries.of_row(depot.GRAMMAR, depot.MODEL, "x").query
    assert absent.where == (Condition(field="uuid", op=Op.IN, value=()),)


@pytest.mark.parametrize(
    ("parameters", "error", "field"),
    [
        ({"limit": "x"}, errors.BadParameter, "limit"),
        ({"limit": ""}, errors.BadParameter, "limit"),
        ({"limit": "-1"}, errors.BadParameter, "limit"),
        ({"limit": "2147483648"}, errors.BadParameter, "limit"),
        ({"limit": "٣"}, errors.BadParameter, "limit"),
        ({"start": "1.5"}, errors.BadParameter, "start"),
        ({"start": "-1"}, errors.BadParameter, "start"),
        ({"sort": "foo"}, errors.NoSuchField, "foo"),
        ({"sort": "-modelCenter.name"}, errors.NoSuchField, "modelCenter.name"),
        ({"sort": "__userTag__"}, errors.NoSuchField, "__userTag__"),
        ({"sort": "modelServiceRefs"}, errors.NotComparable, "modelServiceRefs"),
        ({"sortDirection": "up", "sortBy": "size"}, errors.BadParameter, "sortDirection"),
        ({"fields": "uuid,foo"}, errors.NoSuchField, "foo"),
        ({"fields": "modelCenter.name"}, errors.NoSuchField, "modelCenter.name"),
        ({"fields": "__systemTag__"}, errors.NoSuchField, "__systemTag__"),
        ({"groupBy": "foo"}, errors.NoSuchField, "foo"),
        ({"groupBy": "modelServiceRefs"}, errors.NotComparable, "modelServiceRefs"),
        ({"filterName": "x"}, errors.BadFilter, "filterName"),
        ({"filterName": "x:y"}, errors.NoSuchFilter, "filterName"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(
    parameters: dict[str, str], error: type[errors.BadParameter], field: str
) -> None:
    with pytest.raises(error) as refused:
        rest(**parameters)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"conditions": "name=x"}, "conditions"),
        ({"limit": True}, "limit"),
        ({"limit": 1.5}, "limit"),
        ({"start": -1}, "start"),
        ({"count": 1}, "count"),
        ({"fields": 7}, "fields"),
        ({"fields": [7]}, "fields"),
        ({"groupBy": {}}, "groupBy"),
        ({"sortBy": 7}, "sortBy"),
        ({"sortBy": "size", "sortDirection": 7}, "sortDirection"),
    ],
)
def test_a_member_of_a_message_that_is_of_another_type_is_refused(message: dict[str, Any], field: str) -> None:
    with pytest.raises(errors.BadParameter) as refused:
        rpc(**message)
    assert refused.value.field == field


def test_no_fields_are_all_fields() -> None:
    assert rest(fields="").fields == ()
    assert rest(fields="modelServiceRefs,SAMPLE_SIZE").fields == ("modelServiceRefs", "SAMPLE_SIZE")
