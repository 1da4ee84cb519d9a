"""Conditions of REST and RPC: how they are taken apart, what their values are read as, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests import depot
from trivium.base.query import AllOf, AnyOf, Clause, Condition, Not, Op, Related
from trivium.base.text import Language, say
from trivium.dialects.zstack import INVENTORIES, conditions, errors, queries
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.inventories import Catalogue
from trivium.dialects.zstack.times import FIRST, LAST
from trivium.dialects.zstack.values import Comparison

UUID_TEXT = "274fec2ef4bc4815a6544d1ee27d7899"
UUID_VALUE = UUID(UUID_TEXT)


def clauses(*texts: str) -> tuple[Any, ...]:
    comparisons = [conditions.of_text(text) for text in texts]
    return conditions.clauses(depot.GRAMMAR, depot.MODEL, comparisons)


def plain(text: str) -> tuple[str, Op, Any]:
    """The one condition that a text becomes."""
    (found,) = clauses(text)
    assert isinstance(found, Condition)
    return found.field, found.op, found.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name=qwen", ("name", Op.EQ, "qwen")),
        ("name!=qwen", ("name", Op.NE, "qwen")),
        ("name>q", ("name", Op.GT, "q")),
        ("name>=q", ("name", Op.GE, "q")),
        ("name<q", ("name", Op.LT, "q")),
        ("name<=q", ("name", Op.LE, "q")),
        ("name?=a,b, c", ("name", Op.IN, ("a", "b", " c"))),
        ("name!?=a", ("name", Op.NOT_IN, ("a",))),
        ("name?=", ("name", Op.IN, ("",))),
        ("name~=qwen%", ("name", Op.LIKE, "qwen%")),
        ("name!~=qwen", ("name", Op.NOT_LIKE, "qwen")),
        ("name is null", ("name", Op.NULL, None)),
        ("name not null", ("name", Op.NOT_NULL, None)),
        ("name is not null", ("name", Op.NOT_NULL, None)),
        ("  name  is null  ", ("name", Op.NULL, None)),
        (" name =x", ("name", Op.EQ, "x")),
        ("name= x ", ("name", Op.EQ, " x ")),  # the name is trimmed, the value is not
        ("name=", ("name", Op.EQ, "")),
        ("name==x", ("name", Op.EQ, "=x")),
        ("name=a!=b", ("name", Op.EQ, "a!=b")),  # the leftmost operator counts
        ("name=null", ("name", Op.EQ, "null")),
        ("name=x is null", ("name", Op.EQ, "x is null")),
        ("name<>x", ("name", Op.LT, ">x")),
        ("name~==", ("name", Op.LIKE, "=")),
        (UUID_TEXT, ("uuid", Op.EQ, UUID_VALUE)),  # as in the samples of the manual
        (UUID_TEXT.upper(), ("uuid", Op.EQ, UUID_VALUE)),
    ],
)
def test_a_condition_is_taken_apart_at_its_leftmost_operator(text: str, expected: tuple[str, Op, Any]) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size=+12", ("size", Op.EQ, 12)),
        ("size?=1,-2", ("size", Op.IN, (1, -2))),
        ("size~=1%", ("size", Op.LIKE, "1%")),
        ("isLatestVersion=TRUE", ("latest", Op.EQ, True)),
        ("isLatestVersion!=0", ("latest", Op.NE, False)),
        ("isLatestVersion?=1,false", ("latest", Op.IN, (True, False))),
        ("isLatestVersion>false", ("latest", Op.IN, (True,))),
        ("isLatestVersion<=true", ("latest", Op.IN, (False, True))),
        ("modelCenterUuid=x", ("center_uuid", Op.IN, ())),
        ("modelCenterUuid!=x", ("center_uuid", Op.NOT_IN, ())),
        (f"modelCenterUuid?=x,{UUID_TEXT}", ("center_uuid", Op.IN, (UUID_VALUE,))),
        ("modelCenterUuid>f", ("center_uuid", Op.GE, UUID(hex="f" + "0" * 31))),
        ("modelCenterUuid<=1G", ("center_uuid", Op.LT, UUID(hex="2" + "0" * 31))),
        ("modelCenterUuid>g", ("center_uuid", Op.IN, ())),
        ("modelCenterUuid<g", ("center_uuid", Op.NOT_NULL, None)),
        ("recommendedGpuNum=1,2,4", ("gpus", Op.EQ, "1,2,4")),
        ("recommendedGpuNum?=1,2", ("gpus", Op.IN, ("1", "2"))),
        ("modelCenter.status~=%connected", ("center.state", Op.IN, ("up", "down"))),
        ("modelCenter.status!=connected", ("center.state", Op.IN, ("coming", "down"))),
        ("modelService.name=x", ("refs.service.name", Op.EQ, "x")),
        ("modelServiceRefs.isDefault=true", ("refs.is_default", Op.EQ, True)),
        ("__userTag__=x", ("tags.tag", Op.EQ, "x")),
        ("__userTag__ not null", ("tags.tag", Op.NOT_NULL, None)),
        ("modelCenter.__userTag__~=x%", ("center.tags.tag", Op.LIKE, "x%")),
        ("SAMPLE_SIZE=1000", ("sample_size", Op.EQ, 1000)),
    ],
)
def test_a_value_is_read_as_the_type_of_its_field(text: str, expected: tuple[str, Op, Any]) -> None:
    assert plain(text) == expected


AT = datetime(2025, 11, 4, 10, 20, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "op", "value"),
    [
        ("createDate=2025-11-04 18:20:07", Op.EQ, AT),
        ("createDate=2025-11-04T18:20:07.000", Op.EQ, AT),
        ("createDate=2025-11-04T10:20:07Z", Op.EQ, AT),
        ("createDate=2025-11-04T05:20:07-05:00", Op.EQ, AT),
        ("createDate<9999-12-31", Op.LT, LAST),
        ("createDate<=9999-12-31T23:59:59-12:00", Op.LE, LAST),
        ("createDate>Dec 31, 9999 11:59:59 PM", Op.GT, LAST),
        ("createDate>0001-01-01", Op.GT, FIRST),
        ("createDate=Nov 4, 2025 6:20:07 PM", Op.EQ, AT),
        ("createDate=nov 4, 2025 6:20:07\u202fpm", Op.EQ, AT),
        ("createDate=Nov 4, 2025 12:20:07 AM", Op.EQ, AT - timedelta(hours=18)),
        ("createDate=1762251607", Op.EQ, AT),
        ("createDate=1762251607000", Op.EQ, AT),
        ("createDate>=2025-11-04", Op.GE, datetime(2025, 11, 3, 16, tzinfo=UTC)),
        ("createDate=2025-11-04 18:20:07.5", Op.IN, ()),  # seconds are all there is
        ("createDate!=2025-11-04 18:20:07.5", Op.NOT_NULL, None),
        ("createDate<2025-11-04 18:20:07.5", Op.LE, AT),
        ("createDate>=2025-11-04 18:20:07.5", Op.GT, AT),
        ("createDate?=1762251607,2025-11-04 18:20:07.5", Op.IN, (AT,)),
        ("createDate~=2025-11-04%", Op.LIKE, "2025-11-04%"),
    ],
)
def test_a_time_is_read_in_each_form_that_is_seen_by_the_servers_clock(text: str, op: Op, value: Any) -> None:
    assert plain(text) == ("created_at", op, value)


@pytest.mark.parametrize("op", ["!=", "!?="])
def test_a_negative_condition_on_tags_wants_no_tag_that_matches(op: str) -> None:
    (own,) = clauses(f"__userTag__{op}x")
    assert isinstance(own, Not)
    assert isinstance(own.part, Condition)
    assert (own.part.field, own.part.op) == ("tags.tag", Op.EQ if op == "!=" else Op.IN)
    (across,) = clauses(f"modelCenter.__userTag__{op}x")
    assert across == Related(path="center", part=own)


def test_the_same_condition_counts_once_and_others_all() -> None:
    assert len(clauses("name=a", "name=a", "name=b")) == 2
    assert len(clauses(UUID_TEXT, "0" * 32)) == 2


@pytest.mark.parametrize(
    ("text", "error", "field"),
    [
        ("name", errors.NoOperator, "q"),
        ("", errors.NoOperator, "q"),
        ("name is", errors.NoOperator, "q"),
        ("is null", errors.NoOperator, "q"),
        (UUID_TEXT[:-1], errors.NoOperator, "q"),
        ("=x", errors.NoName, "q"),
        (" ?=x", errors.NoName, "q"),
        (" is null", errors.NoName, "q"),
        ("foo=x", errors.NoSuchField, "foo"),
        ("name is null=x", errors.NoSuchField, "name is null"),
        ("Name=x", errors.NoSuchField, "Name"),
        ("modelCenter=x", errors.NoSuchField, "modelCenter"),
        ("modelCenter.foo=x", errors.NoSuchField, "modelCenter.foo"),
        ("modelCenter.=x", errors.NoSuchField, "modelCenter."),
        ("__other__=x", errors.NoSuchField, "__other__"),
        ("foo.name=x", errors.NoSuchRelation, "foo.name"),
        ("modelcenter.name=x", errors.NoSuchRelation, "modelcenter.name"),
        ("name.name=x", errors.NoSuchRelation, "name.name"),
        (".name=x", errors.NoSuchRelation, ".name"),
        ("modelCenter.model." * 3 + "modelCenter.name=x", errors.TooManyRelations, None),
        ("modelService.model." * 2 + "name=x", errors.TooManyRelations, None),  # two hops each
        ("size=x", errors.BadValue, "size"),
        ("size=", errors.BadValue, "size"),
        ("size=1.5", errors.BadValue, "size"),
        ("size=1_0", errors.BadValue, "size"),
        ("size= 1", errors.BadValue, "size"),
        ("size=٣", errors.BadValue, "size"),
        ("size=9223372036854775808", errors.BadValue, "size"),
        ("size?=1,x", errors.BadValue, "size"),
        ("isLatestVersion=yes", errors.BadValue, "isLatestVersion"),
        ("isLatestVersion~=t%", errors.NotComparable, "isLatestVersion"),
        ("createDate=yesterday", errors.BadValue, "createDate"),
        ("createDate=2025-13-04", errors.BadValue, "createDate"),
        ("createDate=2025-11-04 25:00:00", errors.BadValue, "createDate"),
        ("createDate=Nov 31, 2025 6:20:07 PM", errors.BadValue, "createDate"),
        ("createDate=Nov 4, 2025 13:20:07 PM", errors.BadValue, "createDate"),
        ("createDate=9999-12-32", errors.BadValue, "createDate"),
        ("createDate=2025-11-04T18:20:07+24:00", errors.BadValue, "createDate"),
        ("createDate=2025-11-04Z", errors.BadValue, "createDate"),
        ("createDate=999999999999999999", errors.BadValue, "createDate"),
        ("name=a\0b", errors.BadValue, "name"),
        ("name=\ud800", errors.BadValue, "name"),
        ("__userTag__=\0", errors.BadValue, "__userTag__"),
        ("name=" + "x" * 4097, errors.TooMuch, "name"),
        ("name=" + "\ufdfa" * 300, errors.TooMuch, "name"),  # eighteen characters each, when it is folded
        ("name?=" + "x," * 1024, errors.TooMuch, "name"),
        ("createDate?=" + "1," * 64, errors.TooMuch, "createDate"),
        ("modelServiceRefs=x", errors.OnlyWithin, "modelServiceRefs"),
        ("modelServiceRefs is null", errors.OnlyWithin, "modelServiceRefs"),
    ],
)
def test_what_is_wrong_with_a_condition_is_told_with_its_field(
    text: str, error: type[errors.NoOperator], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        clauses(text)
    assert type(refused.value) is error
    assert field is None or refused.value.field == field


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("foo=x", "inventory class[ModelInventory] not having field[foo]"),
        ("foo.a=x", "inventory class[ModelInventory] have no expanded query[foo], which the field foo.a goes across"),
        (
            "foo",
            "[foo] has no query operator; the operators are !?=, !~=, !=, >=, <=, ~=, ?=, =, >, <, is null, not null",
        ),
        ("modelServiceRefs=x", "modelServiceRefs.modelUuid, modelServiceRefs.modelServiceUuid"),
        ("size=x", "[x] is no value for the field size, which needs a whole number."),
    ],
)
def test_an_error_names_the_resource_and_the_field(text: str, words: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        clauses(text)
    for language in Language:
        told = say(refused.value.code, language, **refused.value.details)
        assert "{" not in told
        assert language is Language.ZH or words in told


def test_there_are_only_so_many_conditions_and_values() -> None:
    many = [f"size={number}" for number in range(64)]
    assert len(clauses(*many)) == 64
    with pytest.raises(errors.TooMuch):
        clauses(*many, "name=x")
    lists = [f"name!?={number}" + ",x" * 1000 for number in range(9)]
    with pytest.raises(errors.TooMuch):
        clauses(*lists)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "name", "op": "like", "value": "qwen%"}, Comparison(name="name", op=Op.LIKE, value="qwen%")),
        ({"name": " size ", "op": ">", "value": 12}, Comparison(name="size", op=Op.GT, value="12")),
        ({"name": "latest", "op": "=", "value": True}, Comparison(name="latest", op=Op.EQ, value="true")),
        ({"name": "size", "op": "in", "value": "1,2"}, Comparison(name="size", op=Op.IN, value=("1", "2"))),
        ({"name": "size", "op": "not in", "value": [1, "2"]}, Comparison(name="size", op=Op.NOT_IN, value=("1", "2"))),
        ({"name": "name", "op": "is null"}, Comparison(name="name", op=Op.NULL)),
        ({"name": "name", "op": "is not null", "value": "x"}, Comparison(name="name", op=Op.NOT_NULL)),
        ("name=x", Comparison(name="name", op=Op.EQ, value="x")),
    ],
)
def test_a_condition_of_rpc_has_words_for_operators_and_any_plain_value(given: object, expected: Comparison) -> None:
    assert conditions.of_object(given) == expected


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": "name", "op": "?=", "value": "x"}, errors.NoSuchOperator),
        ({"name": "name", "op": "contains", "value": "x"}, errors.NoSuchOperator),
        ({"name": "name", "value": "x"}, errors.NoSuchOperator),
        ({"name": "name", "op": ["="], "value": "x"}, errors.NoSuchOperator),
        ({"name": "name", "op": "="}, errors.NoValue),
        ({"name": "name", "op": "in", "value": None}, errors.NoValue),
        ({"name": "name", "op": "=", "value": {}}, errors.BadParameter),
        ({"name": "name", "op": "=", "value": ["x"]}, errors.BadParameter),
        ({"name": "name", "op": "in", "value": [None]}, errors.BadParameter),
        ({"op": "=", "value": "x"}, errors.NoName),
        ({"name": " ", "op": "=", "value": "x"}, errors.NoName),
        (7, errors.BadParameter),
    ],
)
def test_a_condition_of_rpc_that_is_none_is_refused(given: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        conditions.of_object(given)


def test_each_error_of_queries_has_a_status_and_a_code() -> None:
    own = {each for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__}
    assert own - {errors.Told} == set(errors.OF_QUERIES)


NAMES = some.sampled_from([*depot.MODEL.members, "modelCenter.name", "modelCenter.status", "__userTag__", "x", ""])
OPERATORS = some.sampled_from([*conditions.SYMBOLS, " is null", " not null", "", "!", " is"])
RAW = some.one_of(some.text(), some.builds(lambda *parts: "".join(parts), NAMES, OPERATORS, some.text()))


@given(
    texts=some.lists(RAW, max_size=4),
    rest=some.dictionaries(
        some.sampled_from(
            [
                "limit",
                "start",
                "count",
                "sort",
                "fields",
                "groupBy",
                "filterName",
                "replyWithCount",
                "sortBy",
                "sortDirection",
            ]
        ),
        some.lists(some.text(max_size=8), max_size=2),
    ),
)
def test_raw_parameters_are_understood_or_refused_as_declared(texts: list[str], rest: dict[str, list[str]]) -> None:
    try:
        queries.of_parameters(depot.GRAMMAR, depot.MODEL, {**rest, "q": texts})
    except tuple(errors.OF_QUERIES):
        return


SERVED = Grammar(catalogue=Catalogue(INVENTORIES), utc_offset=timedelta())
ALWAYS, NEVER = AllOf(parts=()), AnyOf(parts=())


def served(resource: str, text: str) -> Clause:
    """The clause of a condition on one of the resources that are served."""
    return conditions.clause(SERVED, SERVED.catalogue.of(resource), conditions.of_text(text))


@pytest.mark.parametrize(
    ("resource", "text", "expected"),
    [
        ("GpuDevice", "parentUuid is null", ALWAYS),
        ("GpuDevice", "parentUuid not null", NEVER),
        ("GpuDevice", f"parentUuid={UUID_TEXT}", NEVER),
        ("GpuDevice", f"parentUuid!={UUID_TEXT}", NEVER),  # what has no value satisfies nothing but `is null`
        ("GpuDevice", "rev~=%", NEVER),
        ("Host", "ipmiPort!?=1,2", NEVER),
        ("Cluster", "host.ipmiPort is null", Related(path="nodes", part=ALWAYS)),
        ("Cluster", "host.ipmiPort=1", Related(path="nodes", part=NEVER)),
        ("ModelCenter", "zdfs is null", ALWAYS),
        ("Zone", "isDefault=TRUE", ALWAYS),
        ("Zone", "isDefault=1", ALWAYS),
        ("Zone", "isDefault!=true", NEVER),
        ("Zone", "isDefault>false", ALWAYS),
        ("Zone", "isDefault not null", ALWAYS),
        ("Zone", "isDefault is null", NEVER),
        ("SystemTag", "inherent?=0", ALWAYS),
    ],
)
def test_what_no_row_has_and_what_all_rows_have_is_compared_without_the_core(
    resource: str, text: str, expected: Clause
) -> None:
    assert served(resource, text) == expected


@pytest.mark.parametrize(
    ("resource", "text", "error"),
    [
        ("Host", "ipmiPort=x", errors.BadValue),
        ("Zone", "isDefault=maybe", errors.BadValue),
        ("Zone", "isDefault~=t%", errors.NotComparable),
    ],
)
def test_a_value_that_the_field_could_not_have_is_refused_there_too(
    resource: str, text: str, error: type[errors.BadValue | errors.NotComparable]
) -> None:
    with pytest.raises(error):
        served(resource, text)


@pytest.mark.parametrize("resource", ["Zone", "Cluster", "Host", "GpuDevice", "UserTag", "Account", "ModelServiceRef"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("__userTag__=x", NEVER),
        ("__systemTag__~=%", NEVER),
        ("__tagUuid__ not null", NEVER),
        ("__userTag__!=x", ALWAYS),
        ("__systemTag__!?=x,y", ALWAYS),
        ("__tagUuid__ is null", ALWAYS),
    ],
)
def test_what_can_have_no_tags_matches_as_what_has_none(resource: str, text: str, expected: Clause) -> None:
    assert served(resource, text) == expected


def test_tags_at_the_end_of_a_path_to_what_can_have_none_need_a_related_row() -> None:
    assert served("Zone", "cluster.__userTag__!=x") == Related(path="pools", part=ALWAYS)
