"""What samples are sought by holds of rows in a database as it does of samples one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import update

from tests.builders import Place, place
from tests.plans import noted
from tests.seeded_plans import all_scans
from tests.sources import Shelf
from trivium.base.query import Offset, Order, Query
from trivium.resources import samples
from trivium.resources.datasets import Dataset, DatasetType
from trivium.resources.datasets.ports import Annotator, Json, LabelType, Sample, SampleKind, SampleLabel
from trivium.resources.samples import KeptSample, Range, Sought, SoughtLabel, SoughtLabels, SoughtProperties
from trivium.resources.samples import table as tables
from trivium.store import Write

NUMBER: Final = 60
ONE: Final = LabelType.IMAGE_CLASSIFICATION
TWO: Final = LabelType.OBJECT_DETECTION
NAMES: Final = (b"a.png", b"b.png", b"\xff\xfe.png", "猫.png".encode(), b"o'clock.png")
FOLDERS: Final = ("", "deep", "deep/er", "deep0", "dé")
VALUES: Final[tuple[Json, ...]] = ("", "1", 1, 1.0, 0.5, True, None, "true", [1], {"a": "b"}, 'x"y', "ü", "0.50")
KEYS: Final = ("a", "b.c", "$d", "@modelarts:hard_coefficient", "ключ", "0")


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    root.mkdir()
    return Shelf(here, root)


def sample(dice: random.Random, number: int) -> Sample:
    folder = dice.choice(FOLDERS)
    said = [
        SampleLabel(
            name=dice.choice(("cat", "dog", "ÖL")),
            type=dice.choice((ONE, TWO)),
            score=dice.choice((None, 0.1, 0.5, 1.0)),
            annotated_by=dice.choice([*Annotator]),
            property={"@modelarts:hard": True} if dice.random() < 0.2 else {},
        )
        for _ in range(dice.randrange(4))
    ]
    path = b"/".join(part for part in (folder.encode(), b"%d" % number, dice.choice(NAMES)) if part)
    if dice.random() < 0.8:
        path = path.replace(b"/%d/" % number, b"/%d-" % number)
    return Sample(
        position=b"",
        path=path,
        size=1,
        kind=dice.choice((SampleKind.IMAGE, SampleKind.FREE)),
        labels=tuple(said),
        is_confirmed=dice.random() < 0.7,
        metadata={key: dice.choice(VALUES) for key in KEYS if dice.random() < 0.5},
    )


def filled(shelf: Shelf, dice: random.Random) -> Dataset:
    """A dataset of many samples, which came in the course of some days."""
    dataset = shelf.dataset(DatasetType.FREE)

    def put(tx: Write) -> None:
        samples.put(tx, dataset.id, [sample(dice, number) for number in range(NUMBER)], base=bytes(shelf.root))

    def age(tx: Write, every: tuple[KeptSample, ...]) -> None:
        for each in every:
            came = tx.now - timedelta(days=dice.randrange(9), seconds=dice.randrange(3))
            tx.run(update(tables.samples).where(tables.samples.c.id == each.id).values(created_at=came))

    shelf.store.write_now(put)
    shelf.store.write_now(age, shelf.all(dataset))
    return dataset


def sought(dice: random.Random, every: tuple[KeptSample, ...], root: Path) -> Sought:
    """A few things at a time, mostly such as some sample has."""
    one = dice.choice(every)
    label = SoughtLabel(name=dice.choice(("cat", "dog", "ÖL", "none")), type=dice.choice((None, ONE, TWO)))
    other = SoughtLabel(name=dice.choice(("cat", "dog")))
    folder = f"{root}/{dice.choice(FOLDERS)}".rstrip("/")
    value = dice.choice(("", "1", "1.0", "0.5", "0.50", "true", "null", 'x"y', "ü", "[1]", "nan", "1e999"))
    wanted = {dice.choice(KEYS): dice.choice((None, (value,), (value, "1"), ())) for _ in range(dice.randrange(1, 3))}
    choices: dict[str, Any] = {
        "states": dice.choice(((0,), (1, 2), (3,))),
        "kind": dice.choice((0, 9)),
        "since": one.created_at,
        "before": one.created_at + timedelta(days=dice.randrange(3)),
        "score": Range(dice.choice((0.0, 0.1, 0.2)), dice.choice((0.1, 0.5, 1.0))),
        "coefficient": Range(dice.choice((0.0, 0.5, 0.6)), dice.choice((0.5, 1.0))),
        "hard": dice.random() < 0.5,
        "name": one.name,
        "folder": folder,
        "labels": SoughtLabels(labels=(label, other)[: dice.randrange(1, 3)], every=dice.random() < 0.5),
        "type": dice.choice((ONE, TWO)),
        "properties": SoughtProperties(values=wanted, every=dice.random() < 0.5),
    }
    return Sought(**{name: choices[name] for name in dice.sample([*choices], dice.choice((1, 1, 1, 2, 3)))})


@pytest.mark.parametrize("seed", range(4))
async def test_a_database_finds_what_fits(shelf: Shelf, seed: int) -> None:
    dice = random.Random(seed)
    dataset = filled(shelf, dice)
    every = shelf.all(dataset)
    assert len(every) == NUMBER
    found_some = 0
    for _ in range(150):
        wanted = [sought(dice, every, shelf.root) for _ in range(dice.choice((1, 1, 2)))]
        fitting = {one.id for one in every if all(samples.fits(each, one) for each in wanted)}
        page = Offset(limit=dice.choice((NUMBER, 3)), offset=dice.choice((0, 2)))
        asked = Query(order=(Order(field="id", descending=True),), page=page)
        found = shelf.store.search_now(samples.list_samples, dataset, asked, sought=wanted)
        assert found.total == len(fitting), wanted
        whole = Query(order=(Order(field="id", descending=True),), page=Offset(limit=NUMBER))
        rows = shelf.store.search_now(samples.list_samples, dataset, whole, sought=wanted).rows
        assert {row.id for row in rows} == fitting, wanted
        assert found.rows == rows[page.offset : page.offset + page.limit]
        keys = [(row.created_at, row.id) for row in rows]
        if any(one.since or one.before for one in wanted):
            assert keys == sorted(keys, reverse=True)
        found_some += bool(fitting)
    assert found_some > 50


async def test_samples_of_a_time_are_found_by_an_index(shelf: Shelf, tmp_path: Path) -> None:
    dataset = filled(shelf, random.Random(1))
    now = shelf.store.clock.now()
    wanted = [Sought(since=now - timedelta(days=2), before=now - timedelta(days=1))]
    asked = Query(order=(Order(field="id", descending=True),), page=Offset(limit=2))
    with noted() as statements:
        assert shelf.store.search_now(samples.list_samples, dataset, asked, sought=wanted).total
    assert all_scans(statements, tmp_path) == []


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "1e999"])
async def test_a_number_that_json_has_not_is_no_null(shelf: Shelf, value: str) -> None:
    dataset = shelf.dataset(DatasetType.FREE)
    one = Sample(position=b"", path=b"a", size=1, kind=SampleKind.FREE, metadata={"height": None})
    shelf.store.write_now(lambda tx: samples.put(tx, dataset.id, [one], base=bytes(shelf.root)))
    wanted = Sought(properties=SoughtProperties(values={"height": (value,)}))
    assert not samples.fits(wanted, shelf.all(dataset)[0])
    assert shelf.store.read_now(samples.list_samples, dataset, Query(), sought=[wanted]).total == 0
