"""The page about settings says what is there, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from trivium.server.settings import KEYS, Flags, load, show

PAGE = Path(__file__).resolve().parents[4] / "docs" / "settings.md"
ROW = re.compile(r"^\| `([a-z_.]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def test_every_setting_has_its_row_and_every_row_its_setting() -> None:
    rows = ROW.findall(PAGE.read_text("utf-8"))
    assert [key for key, _, _ in rows] == list(KEYS)


def test_the_defaults_on_the_page_are_the_defaults(tmp_path: Path) -> None:
    told = {key: default for key, default, _ in ROW.findall(PAGE.read_text("utf-8"))}
    for one in show(load(Flags(data=str(tmp_path)), {})):
        literal = re.fullmatch(r"`([^`]+)`", told[one.key])
        if literal is not None:
            assert literal[1].lower() in (str(one.value).lower(), _as_size(one.value)), one.key
        else:
            assert one.value in (None, "") or one.key == "server.data", one.key


def _as_size(value: object) -> str:
    return f"{value >> 20}mib" if isinstance(value, int) else ""
