"""The cache of results: small results by their rows, texts by their bytes, each within its bounds."""

from __future__ import annotations

from trivium.store.result_cache import LONGEST, LONGEST_TEXT, MOST_BYTES, ResultCache


def test_results_and_texts_of_one_key_are_two_things() -> None:
    cache = ResultCache(1)
    cache.put("key", [], rows=0)
    cache.put_text("key", "text", size=4)
    assert (cache.get("key"), cache.get_text("key")) == ([], "text")


def test_what_is_too_long_is_not_kept() -> None:
    cache = ResultCache(1)
    cache.put("rows", [1], rows=LONGEST + 1)
    cache.put_text("text", "text", size=LONGEST_TEXT + 1)
    assert (cache.get("rows"), cache.get_text("text")) == (None, None)


def test_texts_stay_within_their_bytes_and_leave_results_alone() -> None:
    cache = ResultCache(1)
    cache.put("rows", [1], rows=1)
    number = MOST_BYTES // LONGEST_TEXT
    for index in range(number):
        cache.put_text(index, index, size=LONGEST_TEXT)
    assert [cache.get_text(index) for index in range(number)] == list(range(number))
    cache.put_text("one more", 1, size=1)
    assert (cache.get_text(0), cache.get_text("one more"), cache.get("rows")) == (None, 1, [1])
