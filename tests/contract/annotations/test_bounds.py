"""Memory stays within 64 MiB, however much a source holds: measured in a real process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.annotations.world import jpeg, voc, write
from trivium.base.units import MIB

EXTRA = 64 * MIB
MEASURED = Path(__file__).with_name("measured.py")
LINE = b'{"source":"content://%d","annotation":[{"type":"modelarts/text_classification","name":"x"}]}\n'


def _many_lines(root: Path) -> dict[str, int]:
    (root / "in").write_bytes(b"".join(LINE % number for number in range(100_000)))
    return {"sample": 100_000}


def _long_lines(root: Path) -> dict[str, int]:
    lists = b'{"source":"content://a","property":{"x":[' + b"[]," * 330_000 + b"[]]}}\n"
    boxes = b'{"source":"content://a","annotation":[' + b'{"type":"text_entity","name":"x"},' * 30_000 + b"{}]}\n"
    endless = b'{"source":"content://' + b"x" * 50_000_000 + b'"}\n'
    (root / "in").write_bytes(lists + boxes + endless)
    return {"too_large": 2, "field": 1}


def _many_names(root: Path) -> dict[str, int]:
    (root / "in").mkdir()
    for number in range(20_000):
        (root / "in" / f"{number:0200}.wav").touch()
    return {"sample": 20_000}


def _long_annotations(root: Path) -> dict[str, int]:
    points = "".join(f"<x{number}>1</x{number}><y{number}>1</y{number}>" for number in range(1, 20_000))
    boxes = "<object><name>x</name><point><x>1</x><y>1</y></point></object>" * 11_000
    write(root / "in", {"1.jpg": jpeg(), "1.xml": voc(f"<object><name>x</name><polygon>{points}</polygon></object>")})
    write(
        root / "in", {"2.jpg": jpeg(), "2.xml": voc(boxes), "3.jpg": jpeg(), "3.xml": "<annotation>" + "<a>" * 300_000}
    )
    return {"sample": 1, "too_large": 1, "nested": 1}


def _long_rows(root: Path) -> dict[str, int]:
    (root / "in").write_bytes(b"a,b\n" + b"," * 250_000 + b"\n" + b'"' * 10_000_001 + b"\n" + b'x"\n' * 100_000)
    return {"sample": 1, "too_large": 2, "malformed": 99_999, "columns": 1}


@pytest.mark.parametrize(
    ("way", "fill"),
    [
        ("manifest", _many_lines),
        ("manifest", _long_lines),
        ("sound_classification", _many_names),
        ("object_detection", _long_annotations),
        ("table", _long_rows),
    ],
)
def test_a_source_of_any_size_is_read_in_little_memory(
    tmp_path: Path, way: str, fill: Callable[[Path], dict[str, int]]
) -> None:
    expected = fill(tmp_path)
    done = subprocess.run([sys.executable, MEASURED, way, tmp_path / "in"], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    print(f"{said['extra'] / MIB:.1f} MiB of memory, {said['counts']}")
    assert said["counts"] == expected
    assert said["extra"] < EXTRA
