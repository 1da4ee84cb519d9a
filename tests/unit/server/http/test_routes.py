from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tongues import Tongue, operation
from trivium.server.http.routes import Found, Missed, Routes, RoutesConflict

LIST = operation("list", "GET", "/t/notebooks")
CREATE = operation("create", "POST", "/t/notebooks")
SHOW = operation("show", "GET", "/t/notebooks/{id}")
DELETE = operation("delete", "DELETE", "/t/notebooks/{id}")
COUNT = operation("count", "GET", "/t/notebooks/count")
TAG = operation("tag", "PUT", "/t/notebooks/{id}/tags/{tag}")
DEEP = operation("deep", "GET", "/t/notebooks/count/deep")
TONGUE = Tongue("one", (LIST, CREATE, SHOW, DELETE, COUNT, TAG, DEEP))


def find(method: str, target: str, *tongues: Tongue) -> Found | Missed:
    return Routes(tongues or (TONGUE,)).find(method, unquote(target), target.encode())


def name(method: str, target: str) -> str | None:
    found = find(method, target)
    return found.operation.name if isinstance(found, Found) else None


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/t/notebooks", "list"),
        ("POST", "/t/notebooks", "create"),
        ("GET", "/t/notebooks/7", "show"),
        ("DELETE", "/t/notebooks/7", "delete"),
        ("PUT", "/t/notebooks/7/tags/a", "tag"),
    ],
)
def test_each_operation_is_found_by_method_and_path(method: str, target: str, expected: str) -> None:
    assert name(method, target) == expected
    assert name(method, target + "/") == expected


def test_a_trailing_slash_makes_no_difference_but_an_empty_segment_does() -> None:
    assert name("GET", "/t/notebooks/") == "list"
    assert name("GET", "/t/notebooks//") is None
    assert name("GET", "/t//notebooks") is None
    assert name("PUT", "/t/notebooks//tags/a") is None


def test_a_literal_goes_before_a_name() -> None:
    assert name("GET", "/t/notebooks/count") == "count"


def test_a_method_that_the_literal_lacks_is_looked_for_under_the_name() -> None:
    found = find("DELETE", "/t/notebooks/count")
    assert isinstance(found, Found)
    assert (found.operation.name, found.parameters) == ("delete", {"id": "count"})


def test_a_literal_that_leads_nowhere_gives_way_to_the_name() -> None:
    found = find("PUT", "/t/notebooks/count/tags/x")
    assert isinstance(found, Found)
    assert found.parameters == {"id": "count", "tag": "x"}


def test_head_is_answered_by_get() -> None:
    assert name("HEAD", "/t/notebooks") == "list"
    assert name("HEAD", "/t/notebooks/7") == "show"


def test_an_encoded_slash_stays_in_its_segment() -> None:
    found = find("PUT", "/t/notebooks/a%2Fb/tags/%E6%B5%8B%20%25")
    assert isinstance(found, Found)
    assert found.parameters == {"id": "a/b", "tag": "测 %"}


def test_an_encoded_letter_is_the_letter() -> None:
    assert name("GET", "/t/%6Eotebooks") == "list"


@pytest.mark.parametrize("segment", ["%00", "%ff", "a%00b", "%ed%a0%80"])
def test_what_is_no_text_names_nothing(segment: str) -> None:
    found = find("GET", f"/t/notebooks/{segment}")
    assert isinstance(found, Missed)
    assert (found.dialect, found.allowed) == (TONGUE, ())


def test_a_wrong_method_is_told_which_would_do() -> None:
    found = find("PATCH", "/t/notebooks/count")
    assert isinstance(found, Missed)
    assert (found.dialect, found.allowed) == (TONGUE, ("DELETE", "GET", "HEAD"))


@pytest.mark.parametrize("target", ["/t", "/t/", "/t/other", "/t/notebooks/1/2/3/4/5"])
def test_an_unknown_path_under_a_prefix_is_its_dialects(target: str) -> None:
    found = find("GET", target)
    assert isinstance(found, Missed)
    assert (found.dialect, found.allowed) == (TONGUE, ())


@pytest.mark.parametrize("target", ["/", "/other", "/tt", "/notebooks", "*", "//t"])
def test_a_path_under_no_prefix_is_nobodys(target: str) -> None:
    found = find("GET", target)
    assert isinstance(found, Missed)
    assert found.dialect is None


def test_the_longest_prefix_owns_a_path() -> None:
    outer = Tongue("outer", (), prefixes=("/v1",))
    inner = Tongue("inner", (), prefixes=("/v1/inner",))
    found = find("GET", "/v1/inner/x", outer, inner)
    assert isinstance(found, Missed)
    assert found.dialect is inner


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/v1/a", "/v1/a"),
        ("/v1/{x}", "/v1/{y}"),
        ("/v1/{x}/b", "/v1/a/{y}"),
        ("/v1/a/", "/v1/a"),
        ("/v1/{x}/b", "/v1/a/b"),
    ],
)
def test_two_dialects_with_one_path_do_not_start(one: str, other: str) -> None:
    first = Tongue("first", (operation("one", "GET", one),), prefixes=("/v1",))
    second = Tongue("second", (operation("other", "GET", other),), prefixes=("/v1/{y}", "/v1/a", "/v1/{x}"))
    with pytest.raises(RoutesConflict, match="answer the same path"):
        Routes((first, second))


def test_two_dialects_may_have_a_path_by_different_methods() -> None:
    first = Tongue("first", (operation("one", "GET", "/v1/a"),), prefixes=("/v1",))
    second = Tongue("second", (operation("two", "POST", "/v1/a"),), prefixes=("/v1/a",))
    assert isinstance(find("POST", "/v1/a", first, second), Found)


def test_one_dialect_may_not_say_a_path_twice() -> None:
    with pytest.raises(RoutesConflict, match="answer the same path"):
        Routes((Tongue("one", (operation("a", "GET", "/t/{x}"), operation("b", "GET", "/t/{y}"))),))


def test_two_dialects_with_one_prefix_do_not_start() -> None:
    with pytest.raises(RoutesConflict, match="prefix"):
        Routes((Tongue("one", ()), Tongue("two", ())))


@pytest.mark.parametrize("path", ["t/a", "/t/a-{id}", "/t/{}", "/t//a", "/t/{a}/{a}", "/other", "/tt/a"])
def test_an_operation_that_cannot_be_served_does_not_start(path: str) -> None:
    with pytest.raises(RoutesConflict):
        Routes((Tongue("one", (operation("a", "GET", path),)),))


def test_an_operation_on_a_path_of_the_platform_does_not_start() -> None:
    tongue = Tongue("one", (operation("a", "GET", "/healthz"),), prefixes=("/",))
    with pytest.raises(RoutesConflict, match="platform"):
        Routes((tongue,), reserved=("/healthz",))


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_whatever_is_in_a_segment_comes_out_as_it_went_in(text: str) -> None:
    found = find("PUT", f"/t/notebooks/{quote(text, safe='')}/tags/x")
    assert isinstance(found, Found)
    assert found.parameters["id"] == text


@given(st.text(st.sampled_from("/t%2Fnotebks{}.\0é"), max_size=40), st.sampled_from(["GET", "PUT", "LINK"]))
def test_no_path_makes_it_stumble(path: str, method: str) -> None:
    assert isinstance(find(method, "/" + path), (Found, Missed))
