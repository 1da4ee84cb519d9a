"""Which addresses answers may be sent to."""

from __future__ import annotations

import pytest

from trivium.dialects.zstack.hooks import is_allowed

ALLOWED = ("hooks.example", "https://ci.example/jobs/", "http://10.0.0.5:8080")


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example",
        "https://hooks.example:9000/any/path?x=1",
        "HTTP://Hooks.Example/",
        "https://ci.example/jobs/7",
        "https://ci.example:443/jobs/",
        "http://10.0.0.5:8080/x",
        "http://10.0.0.5:8080",
    ],
)
def test_what_the_operator_named_is_allowed(address: str) -> None:
    assert is_allowed(address, ALLOWED)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "http://hooks.example.evil/",
        "http://evil/hooks.example",
        "http://hooks.example@evil/",
        "http://evil@hooks.example/",
        "http://evil#hooks.example",
        "http://evil\\@hooks.example/",
        "http://hooks.example /",
        "http://hooks.example/\r\nx: y",
        "http://hooks.example:99999/",
        "https://ci.example/other",
        "https://ci.example/jobs/../other",
        "http://ci.example/jobs/7",
        "https://ci.example:444/jobs/7",
        "https://ci.example.evil/jobs/7",
        "http://10.0.0.5/x",
        "http://10.0.0.50:8080/x",
        "http://[::1/x",
        "http://hööks.example/",
        "http://hooks.example/" + "x" * 3000,
    ],
)
def test_nothing_else_is(address: str) -> None:
    assert not is_allowed(address, ALLOWED)


def test_nothing_is_allowed_where_nothing_was_named() -> None:
    assert not is_allowed("http://hooks.example/", ())
