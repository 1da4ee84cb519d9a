from __future__ import annotations

from tools.coverage_page import PAGE, page


def test_the_page_tells_what_is_served_now() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make docs`"
