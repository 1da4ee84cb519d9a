"""Rows of statements."""

from __future__ import annotations

from trivium.store.statements import row_type


def test_statements_of_the_same_columns_share_the_type_of_their_rows() -> None:
    first, second = row_type(("id", "name"))((1, "one")), row_type(("id", "name"))((2, "two"))
    assert type(first) is type(second)
    assert (first.id, second.name) == (1, "two")
    assert type(row_type(("name", "id"))(("one", 1))) is not type(first)
