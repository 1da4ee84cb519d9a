"""Rows of comma-separated values."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.annotations.world import faults, reader, samples, write
from trivium.resources.datasets.ports import Columns, Sample, SampleKind


def test_a_header_names_the_columns_and_maps_rename_them(tmp_path: Path) -> None:
    write(tmp_path, {"t.csv": '\ufeffname, age\nAnn,7\n\n"B, or\n""C""",8\n'})
    columns = Columns(names=("who", "age"), maps={"name": "who"}, has_header=True)
    found = samples(reader(tmp_path).table(tmp_path / "t.csv", columns))
    assert [one.cells for one in found] == [{"who": "Ann", "age": "7"}, {"who": 'B, or\n"C"', "age": "8"}]
    assert [(one.path, one.line, one.kind) for one in found] == [
        (b"t.csv", 2, SampleKind.TABLE),
        (b"t.csv", 4, SampleKind.TABLE),
    ]


def test_without_a_header_columns_are_named_by_their_places(tmp_path: Path) -> None:
    write(tmp_path, {"in/a.csv": "1,2\n", "in/b/c.csv": "3,4", "in/d.txt": "5"})
    read = reader(tmp_path).table
    assert [one.cells for one in samples(read(tmp_path, Columns()))] == [{"1": "1", "2": "2"}, {"1": "3", "2": "4"}]
    named = samples(read(tmp_path / "in", Columns(names=("x", "y"))))
    assert [(one.path, one.cells) for one in named] == [
        (b"a.csv", {"x": "1", "y": "2"}),
        (b"b/c.csv", {"x": "3", "y": "4"}),
    ]


@pytest.mark.parametrize(
    ("header", "fault"),
    [("a", "columns"), ("a,b,c", "columns"), ("a,a", "duplicate"), ("a,", "duplicate"), ('"a', "malformed")],
)
def test_a_file_with_other_columns_is_refused(tmp_path: Path, header: str, fault: str) -> None:
    write(tmp_path, {"1.csv": f"{header}\n1,2\n", "2.csv": "b,a\n1,2\n"})
    found = list(reader(tmp_path).table(tmp_path, Columns(names=("a", "b"), has_header=True)))
    assert faults(found) == {"1.csv": fault}
    assert [one.cells for one in found if isinstance(one, Sample)] == [{"b": "1", "a": "2"}]


def test_a_row_that_cannot_be_read_is_refused_alone(tmp_path: Path) -> None:
    rows = [b"1,2", b"1", b'"1"x,2', b"\xff\xff,2", b"a\0,2", b'"' + b"x" * 140_000 + b'",2', b"x" * 400_000, b"3,4"]
    write(tmp_path, {"t.csv": b"\n".join(rows)})
    found = list(reader(tmp_path).table(tmp_path, Columns()))
    assert faults(found) == {
        "t.csv:2": "columns",
        "t.csv:3": "malformed",
        "t.csv:4": "encoding",
        "t.csv:5": "encoding",
        "t.csv:6": "malformed",
        "t.csv:7": "too_large",
    }
    assert [one.cells for one in found if isinstance(one, Sample)] == [{"1": "1", "2": "2"}, {"1": "3", "2": "4"}]


def test_a_quotation_that_never_ends_takes_no_row_with_it(tmp_path: Path) -> None:
    write(tmp_path, {"t.csv": '1,2\n1,"2\n' + "3,4\n" * 100_000})
    found = list(reader(tmp_path).table(tmp_path, Columns()))
    assert faults(found) == {"t.csv:2": "too_large"}
    assert len(found) == 100_002


def test_a_hundred_thousand_columns_are_too_many(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": ",".join("x" for _ in range(100_000)), "b.csv": "1\n" + "," * 100_000})
    found = list(reader(tmp_path).table(tmp_path, Columns()))
    assert faults(found) == {"a.csv": "too_large", "b.csv:2": "too_large"}
