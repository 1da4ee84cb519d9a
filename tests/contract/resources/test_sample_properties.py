"""What metadata samples have is counted, whatever becomes of them, and little is kept of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import func, select, text

from tests.builders import Place, place
from tests.sources import Shelf
from tests.upgrading import add, at_revision, upgraded
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import Dataset, DatasetType
from trivium.resources.datasets.ports import Json, LabelType, Sample, SampleKind, SampleLabel
from trivium.resources.samples import Annotation, LabelDeletion, Named
from trivium.resources.samples.properties import LONGEST, NAMES, VALUES
from trivium.resources.samples.table import properties
from trivium.store import Write
from trivium.store.database import engine_for

NAMED: Final = ("a", "b.c", "ключ", 'x"y', "@modelarts:size")
SAID: Final[tuple[Json, ...]] = ("", "1", 1, 1.5, 1e300, True, None, "true", "猫", [8, 9, 3], {"a": 1})
CAT: Final = Named(LabelType.IMAGE_CLASSIFICATION, "cat")


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    root.mkdir()
    return Shelf(here, root)


def put(shelf: Shelf, dataset: Dataset, *said: dict[str, Json], start: int = 0, **more: Any) -> None:
    """Samples with these metadata, those of a number anew where they are there."""
    found = [
        Sample(position=b"", path=b"%d.png" % number, size=1, kind=SampleKind.IMAGE, metadata=metadata, **more)
        for number, metadata in enumerate(said, start)
    ]

    def act(tx: Write) -> None:
        datasets.locked(tx, shelf.alice, dataset.uuid)
        samples.put(tx, dataset.id, found, base=b"/b")

    shelf.store.write_now(act)


def counted(shelf: Shelf, dataset: Dataset) -> dict[str, dict[str, int]]:
    return {name: dict(own) for name, own in shelf.store.read_now(samples.count_properties, dataset).items()}


def kept(shelf: Shelf, dataset: Dataset) -> int:
    mine = select(func.count()).select_from(properties).where(properties.c.dataset_id == dataset.id)
    return shelf.store.read_now(lambda tx: int(tx.value(mine) or 0))


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_those_of_the_samples_whatever_becomes_of_them(shelf: Shelf, seed: int) -> None:
    dice = random.Random(seed)
    dataset = shelf.dataset(DatasetType.FREE)

    def metadata() -> dict[str, Json]:
        return {name: dice.choice(SAID) for name in NAMED if dice.random() < 0.4}

    for _ in range(12):
        label = SampleLabel(name="cat", type=LabelType.IMAGE_CLASSIFICATION)
        labels = dice.choice(((), (label,)))
        put(shelf, dataset, *(metadata() for _ in range(8)), start=dice.randrange(12), labels=labels)
        shelf.check(dataset)
        some = dice.sample(shelf.all(dataset), 4)
        said = [Annotation(uuid=one.uuid, metadata=dice.choice((None, metadata()))) for one in some]
        shelf.store.write_now(samples.annotate, shelf.alice, dataset.uuid, said=said)
        shelf.check(dataset)
        shelf.store.write_now(samples.remove, shelf.alice, dataset.uuid, uuids=[one.uuid for one in some[:2]])
        shelf.check(dataset)
    put(shelf, dataset, {"a": "left"}, start=90, labels=(SampleLabel(name=CAT.name, type=CAT.type),))
    delete = {"wanted": [CAT], "along": LabelDeletion.SAMPLES}
    shelf.store.write_now(samples.delete_labels, shelf.alice, dataset.uuid, **delete)
    while shelf.store.write_now(samples.settle, dataset.uuid):
        pass
    shelf.check(dataset)
    assert "left" not in counted(shelf, dataset).get("a", {})


def test_of_too_many_values_and_of_long_ones_none_is_kept(shelf: Shelf) -> None:
    dataset = shelf.dataset(DatasetType.FREE)
    put(shelf, dataset, *({"few": number % VALUES, "id": number, "text": "x"} for number in range(VALUES + 1)))
    assert len(counted(shelf, dataset)["few"]) == VALUES
    assert counted(shelf, dataset) == {
        "few": {"0": 2, **{str(number): 1 for number in range(1, VALUES)}},
        "id": {},
        "text": {"x": VALUES + 1},
    }
    put(shelf, dataset, {"text": "y" * LONGEST}, {"few": "one more"}, {"id": 1}, start=200)
    assert counted(shelf, dataset) == {"few": {}, "id": {}, "text": {}}
    assert kept(shelf, dataset) == 3
    shelf.store.write_now(samples.remove, shelf.alice, dataset.uuid, uuids=[one.uuid for one in shelf.all(dataset)])
    assert counted(shelf, dataset) == {}
    assert kept(shelf, dataset) == 3  # what was left out stays left out: it would be counted wrongly


def test_values_that_nothing_has_any_more_are_as_good_as_none(shelf: Shelf) -> None:
    dataset = shelf.dataset(DatasetType.FREE)
    put(shelf, dataset, {"a": 1}, {"a": 2})
    put(shelf, dataset, {"a": 3}, {"a": 3})
    assert counted(shelf, dataset) == {"a": {"3": 2}}
    put(shelf, dataset, {"a": 3}, {"a": 3})  # as they were
    assert counted(shelf, dataset) == {"a": {"3": 2}}


def test_so_many_names_are_counted_and_none_that_cannot_be_shown(shelf: Shelf) -> None:
    dataset = shelf.dataset(DatasetType.FREE)
    put(
        shelf, dataset, {"": 1, "a\0b": 2, "n" * (LONGEST + 1): 3}, {f"{number:03}": "x" for number in range(NAMES - 1)}
    )
    put(shelf, dataset, {"last": 1, "one more": 2}, {"one more": 2}, start=10)
    found = counted(shelf, dataset)
    assert list(found) == [f"{number:03}" for number in range(NAMES - 1)] + ["last"]
    shelf.store.write_now(samples.remove, shelf.alice, dataset.uuid, uuids=[one.uuid for one in shelf.all(dataset)])
    put(shelf, dataset, {"one more": 2})
    assert counted(shelf, dataset) == {}


def test_what_is_counted_goes_with_its_dataset(shelf: Shelf) -> None:
    dataset, other = shelf.dataset(DatasetType.FREE), shelf.dataset(DatasetType.FREE, name="other")
    for one in (dataset, other):
        put(shelf, one, {"a": "b"})
    shelf.store.write_now(datasets.delete, shelf.alice, dataset.uuid, users=transfers.DATASET_USERS)
    while shelf.store.write_now(samples.purge):
        pass
    assert (kept(shelf, dataset), counted(shelf, other)) == (0, {"a": {"b": 1}})


def test_an_upgrade_counts_what_is_there(empty_database_url: str) -> None:
    engine = engine_for(empty_database_url)
    every = ['{"a":"b","n":1e300}', '{"a":"b","size":[1]}', "{}", '{"long":"%s"}' % ("x" * LONGEST)]
    many = [f'{{"a":{number}}}' for number in range(VALUES + 1)]
    with at_revision(engine, "0022", loose=()) as connection:
        for number, said in enumerate([*every, *many], start=1):
            dataset = 7 if number <= len(every) else 8
            add(connection, "samples", id=number, dataset_id=dataset, metadata=said, labels="[]")
        upgraded(connection, "0024")
        rows = connection.execute(text("SELECT dataset_id, name, value, samples, number, many FROM sample_properties"))
        found = sorted((*row[:5], bool(row[5])) for row in rows)
    engine.dispose()
    assert found == [
        (7, "a", "", 2, 1, False),
        (7, "a", '"b"', 2, 0, False),
        (7, "long", "", 1, 0, True),
        (7, "n", "", 1, 1, False),
        (7, "n", "1e300", 1, 0, False),
        (7, "size", "", 1, 0, False),
        (8, "a", "", VALUES + 1, 0, True),
    ]
