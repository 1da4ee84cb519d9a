"""Label selectors mean what they mean to Kubernetes, for labels and for the fields of rows alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.dialects.modelarts.errors import BadSelector
from trivium.dialects.modelarts.selectors import holds, parse

LABELS = {"os.modelarts/workspace.id": "0", "env": "prod", "empty": ""}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("", True),
        ("  ", True),
        ("env", True),
        ("!env", False),
        ("! tier", True),
        ("env=prod", True),
        ("env==prod", True),
        ("env = prod , os.modelarts/workspace.id=0", True),
        ("env!=prod", False),
        ("tier!=web", True),
        ("env in (dev,prod)", True),
        ("env in (dev)", False),
        ("env notin (dev, qa)", True),
        ("env notin (prod)", False),
        ("tier notin (web)", True),
        ("tier in (web)", False),
        ("tier", False),
        ("empty=", True),
        ("empty in (,x)", True),
        ("env=", False),
        ("in=notin", False),
        ("env=prod,tier", False),
    ],
)
def test_a_selector_holds_or_does_not(selector: str, expected: bool) -> None:
    assert holds(parse(selector), LABELS) is expected


@pytest.mark.parametrize(
    "selector",
    [
        ",",
        "env,",
        "=prod",
        "env in prod",
        "env in (prod",
        "env in prod)",
        "env notin",
        "env === prod",
        "env=a=b",
        "env prod",
        "!",
        "!!env",
        "!env=prod",
        "env=pr$od",
        "a/b/c",
        "-env",
        "env=-a",
        "e" * 64,
        "env=" + "v" * 64,
        "env=中",
        "x," * 65 + "x",
        " " * 5000 + "x",
    ],
)
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(BadSelector):
        parse(selector)


@given(st.text("abx=!,() in\tot/.-", max_size=60))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except BadSelector:
        return
    assert all(requirement.key for requirement in found)
