from __future__ import annotations

from tools.coverage_page import FOLDER, pages


def test_the_pages_tell_what_is_served_now() -> None:
    expected = pages()
    assert {path: path.read_text("utf-8") for path in FOLDER.glob("*.md")} == expected, "run `make docs`"
