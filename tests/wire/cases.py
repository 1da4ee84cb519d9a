"""Wire cases: data that say what is there before, what is asked, and exactly what is answered.

A case is a JSON file: `given` (steps that build the prior state), `request`, `reply`, and `page` (where the vendor says
so). `{names}` in texts are filled in from the prior state; `<kinds>` in the reply stand for what differs each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

NAME: Final = re.compile(r"\{([A-Za-z0-9_.]+)\}")
TIME: Final = re.compile(r"20\d\d-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d")

KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "<any>": lambda _value: True,
    "<count>": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "<digest>": lambda value: _is(r"sha256:[0-9a-f]{64}", value),
    "<digits>": lambda value: _is(r"\d+", value),
    "<flag>": lambda value: isinstance(value, bool),
    "<hex32>": lambda value: _is(r"[0-9a-f]{32}", value),
    "<hex64>": lambda value: _is(r"[0-9a-f]{64}", value),
    "<id>": lambda value: _is(r"\d{19}", value),
    "<jwt>": lambda value: _is(r"[\w-]+\.[\w-]+\.[\w-]+", value),
    "<percent>": lambda value: isinstance(value, int) and 0 <= value <= 100,
    "<rfc>": lambda value: _is(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ", value),
    "<rfc6>": lambda value: _is(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{6}Z", value),
    "<ms>": lambda value: isinstance(value, int) and not isinstance(value, bool) and 10**12 < value < 10**13,
    "<uuid>": lambda value: _is(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value),
    "<text>": lambda value: isinstance(value, str) and value != "",
    "<time>": lambda value: isinstance(value, str) and TIME.fullmatch(value) is not None,
    "<url>": lambda value: _is(r"http://127\.0\.0\.1:\d+/\S+", value),
}
"""What may stand in a reply for a value that nobody can know before."""


def load(folder: Path) -> dict[str, dict[str, Any]]:
    """Every case under the folder, by its name `<resource>/<operation>-<case>`."""
    found = sorted(folder.rglob("*-*.json"))
    return {str(path.relative_to(folder).with_suffix("")): json.loads(path.read_text("utf-8")) for path in found}


def filled(told: Any, names: Mapping[str, Any]) -> Any:
    """The same with every `{name}` filled in; a text that is nothing but a name becomes the value itself."""
    if isinstance(told, dict):
        return {key: filled(value, names) for key, value in told.items()}
    if isinstance(told, list):
        return [filled(value, names) for value in told]
    if not isinstance(told, str):
        return told
    whole = NAME.fullmatch(told)
    if whole:
        return names[whole[1]]
    return NAME.sub(lambda match: str(names[match[1]]), told)


def differences(expected: Any, found: Any, at: str = "$") -> list[str]:
    """Where the answer is not what is expected; no field may be missing and none may be there beyond."""
    if isinstance(expected, str) and expected in KINDS:
        return [] if KINDS[expected](found) else [f"{at}: {found!r} is no {expected}"]
    if isinstance(expected, dict) and isinstance(found, dict):
        lacking = [f"{at}.{key} is missing" for key in expected if key not in found]
        beyond = [f"{at}.{key} is there with {found[key]!r}" for key in found if key not in expected]
        inner = [
            said for key in expected if key in found for said in differences(expected[key], found[key], f"{at}.{key}")
        ]
        return lacking + beyond + inner
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [said for place, (one, other) in pairs for said in differences(one, other, f"{at}[{place}]")]
    same = type(expected) is type(found) and expected == found
    return [] if same else [f"{at}: {found!r} instead of {expected!r}"]


def _is(pattern: str, value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None
