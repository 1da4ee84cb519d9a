"""Large and hostile sources are imported by a server that is killed at random moments, and nothing is lost or doubled.

`--images 20000` and `--lines 1000000` import as much as users do; `--crash-seed` gives other moments.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psutil
import pytest

from tests.contract.annotations import world
from tests.flows.operator import Operator, site_in
from tests.serving import Server
from tests.waiting import until
from trivium.base.caller import SYSTEM
from trivium.base.query import After, Offset, Order, Query
from trivium.base.values import Value
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import Dataset
from trivium.resources.samples import KeptSample
from trivium.resources.transfers import SampleImport
from trivium.store import Store

KILLS: Final = 4
MOMENT: Final = 0.3  # seconds of a processor after which a server is killed that came so far: amid what it does next
LONG: Final = 3600  # seconds: what is large may take long
IN_ALL: Final = 6_000_000  # elements that say nothing, among all images: reading few takes as long as reading many
ENTITIES: Final = 300_000  # the same of labels among all lines
PAGE: Final = 1000
NAMES: Final = ("cat", "dog", "bird")

Broken = Callable[[Path], str]
"""Breaks what a path has, and gives the code of the refusal."""


class Source(Value, frozen=True):
    """What was written, and what must come of it."""

    path: Path
    samples: Mapping[str, int]  # how many labels each has, by its path in the source, or its text
    labels: Mapping[str, int]  # how many samples have which
    refused: Mapping[tuple[str, int | None], str]  # codes, by path and line
    size: int  # bytes of the samples


@pytest.fixture
def operator(database_url: str, tmp_path: Path) -> Iterator[Operator]:
    with site_in(tmp_path / "data", database_url, Operator) as made:
        yield made


def test_a_directory_of_images_is_imported_over_kills(
    operator: Operator, request: pytest.FixtureRequest, crash_seed: int
) -> None:
    dice = random.Random(crash_seed)
    source = write_images(operator.datasets / "images", request.config.option.images, dice)
    words = ["dataset", "import", str(source.path), "--name", "many", "--type", "object-detection"]
    check(operator, source, import_over_kills(operator, source, words, dice=dice))


def test_a_manifest_is_imported_over_kills(operator: Operator, request: pytest.FixtureRequest, crash_seed: int) -> None:
    dice = random.Random(crash_seed)
    source = write_manifest(operator.datasets / "many.manifest", request.config.option.lines, dice)
    words = ["dataset", "import", str(source.path), "--manifest", "--name", "many", "--type", "named-entity"]
    check(operator, source, import_over_kills(operator, source, words, dice=dice))


def write_images(root: Path, number: int, dice: random.Random) -> Source:
    """Images with Pascal VOC beside them; one in a hundred is broken, and at least one in each way."""
    broken = dict(zip(dice.sample(range(number), max(number // 100, len(WAYS))), _again(WAYS), strict=False))
    padding = "<a/>" * min(IN_ALL // number, 50_000)
    names: dict[str, int] = {}
    labels: Counter[str] = Counter()
    refused: dict[tuple[str, int | None], str] = {}
    for place in range(number):
        folder = root / f"{place % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        image = folder / f"{place:06}.png"
        image.write_bytes(world.png())
        said = dice.choices(NAMES, k=dice.randint(1, 4))
        image.with_suffix(".xml").write_text(world.voc(*map(world.thing, said), more=padding))
        if place in broken:
            spot, code = broken[place](image)
            refused[str(spot.relative_to(root)), None] = code
        else:
            names[str(image.relative_to(root))] = len(said)
            labels.update({*said})
    return Source(path=root, samples=names, labels=labels, refused=refused, size=len(names) * len(world.png()))


def write_manifest(file: Path, number: int, dice: random.Random) -> Source:
    """Lines with texts and entities in them; one in a hundred is broken, and at least one in each way."""
    broken = dict(zip(dice.sample(range(number), max(number // 100, len(LINES))), _again(LINES), strict=False))
    each = max(1, min(ENTITIES // number, 100))
    names: dict[str, int] = {}
    labels: Counter[str] = Counter()
    refused: dict[tuple[str, int | None], str] = {}
    with file.open("wb") as out:
        for place in range(number):
            text = f"text {place}" if place % 5 else f"texte numéroté {place}"  # escapes are read with more care
            said = dice.choices(NAMES, k=each)
            line = {"source": f"content://{text}", "usage": "train", "annotation": [_entity(name) for name in said]}
            if place in broken:
                raw, code = broken[place]
                out.write(raw + b"\n")
                refused[file.name, place + 1] = code
            else:
                out.write(json.dumps(line).encode() + b"\n")
                names[text] = len(said)
                labels.update({*said})
    size = sum(len(text.encode()) for text in names)
    return Source(path=file, samples=names, labels=labels, refused=refused, size=size)


def import_over_kills(operator: Operator, source: Source, words: list[str], *, dice: random.Random) -> SampleImport:
    """Import by servers of which all but the last are killed; the import as it is when it is over."""
    made = operator.tell(*words, "--no-wait")
    in_all = len(source.samples) + len(source.refused)
    far = [0, *sorted(dice.randrange(in_all) for _ in range(KILLS - 1))]
    amid: list[int] = []
    began = time.monotonic()
    for least in far:
        with operator.serving() as server, operator.store() as store:
            wait_for(store, made, least)
            work(
                server,
                dice.uniform(0, MOMENT),
                unless=lambda store=store: imported(store, made).finished_at is not None,
            )
            server.process.kill()
            server.process.wait()
            now = imported(store, made)
            amid += [now.counts.total] if now.finished_at is None else []
    assert max(amid), "no server was killed amid the import"
    with operator.serving(), operator.store() as store:
        wait_for(store, made)
        done = imported(store, made)
    seconds, rate = time.monotonic() - began, in_all / done.seconds
    print(f"{in_all} in {seconds:.0f} s, {rate:.0f} a second; servers were killed after {amid}")
    return done


def wait_for(store: Store, made: Mapping[str, Any], least: int | None = None) -> None:
    """Until so much of the source was read; to its end where nothing is said."""

    def is_there() -> bool:
        now = imported(store, made)
        return now.finished_at is not None or (least is not None and now.counts.total >= least)

    until(is_there, within=LONG, what="an import that goes on")


def work(server: Server, seconds: float, *, unless: Callable[[], bool]) -> None:
    """Let a server have so much of a processor, however busy the machine is."""
    process = psutil.Process(server.process.pid)

    def used() -> float:
        times = process.cpu_times()
        return times.user + times.system

    enough = used() + seconds
    until(lambda: used() >= enough or unless(), within=LONG, what="work of a server")


def check(operator: Operator, source: Source, done: SampleImport) -> None:
    """Hold all that is there against what was written."""
    found, refused = len(source.samples), len(source.refused)
    counts = done.counts
    assert (done.status.value, counts.total, counts.imported, counts.refused) == (
        "done",
        found + refused,
        found,
        refused,
    )
    assert (counts.same, counts.annotated, counts.size) == (0, found, source.size)
    with operator.store() as store:
        dataset = store.read_now(datasets.get, SYSTEM, dataset_of(operator))
        assert (dataset.counts.total, dataset.counts.annotated, dataset.counts.unconfirmed) == (found, found, 0)
        kept: Counter[str] = Counter()
        numbers: dict[str, int] = {}
        for sample in every(store, dataset):
            name = sample.text or str(Path(os.fsdecode(sample.path)).relative_to(source.path))
            kept[name] += 1
            numbers[name] = len(sample.labels)
        assert set(kept.values()) == {1}
        assert numbers == source.samples
        listed = store.read_now(transfers.list_refusals, done, most=refused + 1)
        assert [one.number for one in listed] == [*range(1, refused + 1)]
        codes = {(one.name, one.line): one.reason.code.removeprefix("dataset.source.") for one in listed}
        assert codes == source.refused
        labels = store.read_now(samples.list_labels, dataset, Query(order=(Order(field="id"),), page=Offset(limit=10)))
        assert {label.name: label.samples for label in labels.rows} == source.labels
        assert sum(label.number for label in labels.rows) == sum(source.samples.values())


def every(store: Store, dataset: Dataset) -> Iterator[KeptSample]:
    """All samples of a dataset."""
    page: Offset | After | None = Offset(limit=PAGE)
    while page is not None:
        asked = Query(order=(Order(field="id"),), page=page, total=False)
        found = store.read_now(samples.list_samples, dataset, asked)
        yield from found.rows
        page = None if found.next is None else After(limit=PAGE, key=found.next)


def dataset_of(operator: Operator) -> UUID:
    (made,) = operator.tell("dataset", "list")
    return UUID(made["id"])


def imported(store: Store, made: Mapping[str, Any]) -> SampleImport:
    dataset = store.read_now(datasets.get, SYSTEM, UUID(made["dataset_id"]))
    return store.read_now(transfers.get_import, dataset, UUID(made["import"]))


def _no_image(image: Path) -> tuple[Path, str]:
    image.write_bytes(b"none")
    return image, "malformed"


def _empty(image: Path) -> tuple[Path, str]:
    image.write_bytes(b"")
    return image, "malformed"


def _cut(image: Path) -> tuple[Path, str]:
    image.with_suffix(".xml").write_text("<annotation><object>")
    return image, "malformed"


def _growing(image: Path) -> tuple[Path, str]:
    image.with_suffix(".xml").write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>')
    return image, "entities"


def _outside(image: Path) -> tuple[Path, str]:
    image.with_suffix(".xml").write_text(world.voc(world.thing("cat", xmin=1, ymin=1, xmax=9000, ymax=2)))
    return image, "shape"


def _nameless(image: Path) -> tuple[Path, str]:
    image.with_suffix(".xml").write_text(world.voc(world.thing("")))
    return image, "label"


def _endless(image: Path) -> tuple[Path, str]:
    image.with_suffix(".xml").write_text(world.voc(world.thing("cat", xmin="1e400", ymin=1, xmax=2, ymax=2)))
    return image, "number"


def _alone(image: Path) -> tuple[Path, str]:
    image.unlink()
    return image.with_suffix(".xml"), "orphan"


def _led_astray(image: Path) -> tuple[Path, str]:
    image.unlink()
    image.symlink_to("/etc/passwd")
    return image, "link"


def _pipe(image: Path) -> tuple[Path, str]:
    image.unlink()
    os.mkfifo(image)
    return image, "special"


WAYS: Final = (
    _no_image,
    _empty,
    _cut,
    _growing,
    _outside,
    _nameless,
    _endless,
    _alone,
    _led_astray,
    _pipe,
)
"""Ways in which an image with its annotation is broken: each gives what is refused, and the code."""

LINES: Final = (
    (b"not JSON", "malformed"),
    (b'["a list"]', "field"),
    (b'{"annotation": []}', "field"),
    (b'{"source": "content://a", "source": "content://b"}', "duplicate"),
    (b'{"source": "content://a", "property": {"a": %s1%s}}' % (b"[" * 5000, b"]" * 5000), "nested"),
    (b'{"source": "content://%s"}' % (b"a" * 2**21), "too_large"),
    (b'{"source": "none.png"}', "absent"),
    (b'{"source": "obs://nowhere/a.png"}', "location"),
    (b'{"source": "../../../etc/passwd"}', "outside"),
    (b'{"source": "content://a\xff"}', "malformed"),
    (b'{"source": "content://a", "annotation": [{"type": "modelarts/none", "name": "a"}]}', "field"),
    (b'{"source": "content://a", "annotation": [{"type": "modelarts/text_entity", "name": " "}]}', "label"),
)
"""Lines that no sample comes of, and the codes of their refusals."""


def _entity(name: str) -> dict[str, Any]:
    property = {"@modelarts:start_index": 0, "@modelarts:end_index": 3}
    return {"type": "modelarts/text_entity", "name": name, "annotated-by": "human", "property": property}


def _again(ways: tuple[Any, ...]) -> Iterator[Any]:
    """One after the other, and all over again."""
    while True:
        yield from ways
