"""Where stores and what is in them are, by spelling: nothing leads out of the roots or out of the store."""

from __future__ import annotations

import pytest

from trivium.base.errors import Invalid
from trivium.resources.stores import path_within, spot_of

ROOTS = ("/srv/models", "/ai")


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("/srv/models", None, "/srv/models"),
        ("/srv/models/", None, "/srv/models"),
        ("//srv//models/./a/", None, "/srv/models/a"),
        ("file:///ai/center", None, "/ai/center"),
        ("10.0.0.5:/ai/center", "10.0.0.5", "/ai/center"),
        ("nfs-1.local:/ai", "nfs-1.local", "/ai"),
        ("[fe80::1]:/ai/x", "[fe80::1]", "/ai/x"),
    ],
)
def test_a_url_names_a_directory(url: str, host: str | None, path: str) -> None:
    found = spot_of(url, ROOTS)
    assert (found.host, found.path) == (host, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "models",
        "/etc",
        "/srv/modelsx",
        "/srv/models/../../etc",
        "/srv",
        "file://host/ai",
        "http://host/ai",
        "10.0.0.5:ai",
        "10.0.0.5:/etc",
        "/ai/\0",
        "/ai/" + "x" * 3000,
    ],
)
def test_what_is_in_no_root_is_refused_by_the_name_of_its_field(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        spot_of(url, ROOTS)
    assert caught.value.field == "url"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("qwen", "/ai/center/qwen"),
        ("a/b.gguf", "/ai/center/a/b.gguf"),
        ("/ai/center/qwen/", "/ai/center/qwen"),
        ("10.0.0.5:/ai/center/qwen", "/ai/center/qwen"),
        ("file:///ai/center/q", "/ai/center/q"),
        ("模型/一", "/ai/center/模型/一"),
    ],
)
def test_a_model_is_absolute_or_relative_to_its_store(given: str, path: str) -> None:
    assert path_within("/ai/center", {"10.0.0.5"}, given) == path


@pytest.mark.parametrize(
    "given",
    [
        "",
        ".",
        "..",
        "../x",
        "a/../../x",
        "/ai/center",
        "/ai/centerx",
        "/ai",
        "/etc/passwd",
        "10.0.0.6:/ai/center/x",
        "a\nb",
    ],
)
def test_what_is_outside_its_store_is_refused(given: str) -> None:
    with pytest.raises(Invalid) as caught:
        path_within("/ai/center", {"10.0.0.5"}, given)
    assert caught.value.field == "install_path"


def test_a_store_may_be_the_whole_disk() -> None:
    assert path_within("/", (), "a") == "/a"
    assert spot_of("/ai", ("/",)).path == "/ai"
