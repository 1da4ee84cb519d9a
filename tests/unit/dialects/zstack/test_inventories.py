"""Declarations of inventories: what they must be, and what can be asked of them."""

from __future__ import annotations

import pytest

from tests import depot
from trivium.dialects.zstack.inventories import Catalogue, Inventory, Kind, Link, Member, absent, queryable, word_of

UUID = Member(name="uuid", kind=Kind.UUID, field="uuid")


def test_what_can_be_asked_is_what_is_declared() -> None:
    found = queryable(depot.MODEL)
    assert ("size", "Long") in found.fields
    assert ("uuid", "String") in found.fields
    assert ("recommendedGpuNum", "List") in found.fields
    assert {"__systemTag__", "__userTag__", "__tagUuid__"} <= dict(found.fields).keys()
    assert "modelServiceRefs" not in dict(found.fields)  # a relation, which has a name of its own
    assert ("modelService", "ModelService") in found.relations
    assert "replyWithCount" in found.parameters


@pytest.mark.parametrize(
    "member",
    [
        Member(name="a", kind=Kind.STRING),
        Member(name="a", kind=Kind.STRING, field="center.name"),
        Member(name="a", kind=Kind.OBJECTS, field="a"),
        Member(name="a", kind=Kind.WORD, field="a"),
        Member(name="a", kind=Kind.STRING, field="a", words={}),
    ],
)
def test_a_field_that_contradicts_itself_is_refused_where_it_is_declared(member: Member) -> None:
    with pytest.raises(ValueError, match=r"X\.a cannot be"):
        Inventory("X", (UUID, member))


def test_words_that_the_core_sorts_otherwise_are_not_sorted_by() -> None:
    with pytest.raises(ValueError, match="would be sorted"):
        Inventory("X", (Member(name="a", kind=Kind.WORD, field="a", words={"A": "z", "B": "a"}),))
    Inventory("X", (Member(name="a", kind=Kind.WORD, field="a", words={"B": "z", "a": "a"}),))


def test_a_name_stands_for_one_thing() -> None:
    with pytest.raises(ValueError, match="X has uuid twice"):
        Inventory("X", (UUID, UUID))
    with pytest.raises(ValueError, match="X twice"):
        Catalogue((Inventory("X", ()), Inventory("X", ())))


def test_a_relation_leads_to_an_inventory_that_there_is() -> None:
    with pytest.raises(ValueError, match=r"X\.y leads to Y"):
        Catalogue((Inventory("X", (), links=(Link(name="y", to="Y", path="y"),)),))


def test_a_word_may_stand_for_several_of_the_cores_and_is_then_not_sorted_by() -> None:
    words = {"A": ("a", "b"), "C": "c"}
    Inventory("X", (Member(name="a", kind=Kind.WORD, field="a", words=words, sortable=False),))
    with pytest.raises(ValueError, match="would be sorted"):
        Inventory("X", (Member(name="a", kind=Kind.WORD, field="a", words=words),))
    assert [word_of(words, own) for own in "abc"] == ["A", "A", "C"]


@pytest.mark.parametrize(
    "member",
    [
        Member(name="a", kind=Kind.STRING, field="a", constant="x"),
        Member(name="a", kind=Kind.LONG, constant="1"),
        Member(name="a", kind=Kind.OBJECTS, field="a", constant="x"),
        Member(name="a", kind=Kind.STRING, field="a", absent=True),
    ],
)
def test_what_is_the_same_in_all_rows_is_a_text_or_truth_value_of_no_field(member: Member) -> None:
    with pytest.raises(ValueError, match=r"X\.a "):
        Inventory("X", (member,))
    Inventory("X", (Member(name="a", kind=Kind.STRING, constant="x"),))
    Inventory("X", (Member(name="a", kind=Kind.BOOLEAN, constant="true"), *absent(Kind.LONG, "b", "c")))
