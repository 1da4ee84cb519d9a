"""How fast samples are imported into datasets and copied out of them, beside what only copies or counts the same.

A directory of images with Pascal VOC, which is referred to in place, against `cp -r` and `sha256sum` of the same tree,
one after the other; an export that copies the files, and writes what is said of them anew, against `cp -r` alone. The
lines of a manifest against what decodes each line and writes it into one table with one unique index. Trivium imports
and exports as its command does, where no server is; its times are those that the command tells. Then the memory that
the command takes at most while it imports a manifest of as many lines as are wanted.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.plan import Plan
from benchmarks.processes import Place, administer, scratch, trivium
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, span, sqlite
from benchmarks.rounds import interleaved, median, ratio

IMAGES: Final = 5_000
SIZE: Final = 20_000  # bytes of an image
LINES: Final = 100_000
OF_EACH: Final = 1_000  # images of a directory
LABELS: Final = 20
BATCH: Final = 1_000
VOC: Final = (
    "<annotation><size><width>640</width><height>480</height><depth>3</depth></size><object><name>{name}</name>"
    "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>110</xmax><ymax>220</ymax></bndbox></object></annotation>"
)
AS_TEXTS: Final = ("--manifest", "--type", "text-classification")
SUMS: Final = "find . -type f -print0 | xargs -0 sha256sum >/dev/null"
COPY: Final = "cp -r"
BOTH: Final = "cp -r, then sha256sum"
PLAIN: Final = "decode, executemany"
DIRECTORY: Final = "trivium, a directory"
EXPORT: Final = "trivium, an export with copies"
MANIFEST: Final = "trivium, a manifest"
NUMBERS: Final = {COPY: IMAGES, BOTH: IMAGES, DIRECTORY: IMAGES, EXPORT: IMAGES, PLAIN: LINES, MANIFEST: LINES}
BASES: Final = {DIRECTORY: BOTH, EXPORT: COPY, MANIFEST: PLAIN}
WANTED: Final = (2, 0.7, 0.5)  # how many times as fast each is to be
LIBRARIES: Final = ("msgspec", "sqlalchemy", "blake3")


def run(plan: Plan) -> None:
    """Measure and print."""
    with scratch() as folder:
        place = Place(data=folder / "data")
        bucket = place.data / "datasets" / "bench"
        images, manifest = bucket / "images", bucket / "lines.manifest"
        _write_images(images)
        _write_lines(manifest, LINES)
        names = (f"bench-{number}" for number in count())
        boxes = [str(images), "--type", "object-detection"]
        ways: dict[str, Callable[[], float]] = {
            COPY: partial(_copied, images, folder / "copy", sums=False),
            BOTH: partial(_copied, images, folder / "copy", sums=True),
            DIRECTORY: partial(_imported, place, names, boxes, expected=IMAGES),
            EXPORT: partial(_exported, place, "bench-0", bucket / "out"),
            PLAIN: partial(_plain, manifest, folder / "plain.db"),
            MANIFEST: partial(_imported, place, names, [str(manifest), *AS_TEXTS], expected=LINES),
        }
        _print(interleaved(ways, plan.rounds), plan)
        lines = plan.sizes[-1]
        _write_lines(manifest, lines)
        _print_memory(lines, _memory_of_import(place, manifest))


def _write_images(folder: Path) -> None:
    chance = random.Random(1)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 640, 480, 8, 2, 0, 0, 0) + bytes(4)
    for number in range(IMAGES):
        there = folder / f"{number // OF_EACH:03}"
        there.mkdir(parents=True, exist_ok=True)
        (there / f"{number:06}.png").write_bytes(header + chance.randbytes(SIZE))
        (there / f"{number:06}.xml").write_text(VOC.format(name=f"thing-{number % LABELS}"))


def _write_lines(manifest: Path, lines: int) -> None:
    with manifest.open("w") as out:
        for number in range(lines):
            label = {"type": "modelarts/text_classification", "name": f"thing-{number % LABELS}"}
            line = {"source": f"content://what is said in line {number}", "usage": "TRAIN", "annotation": [label]}
            out.write(json.dumps(line) + "\n")


def _copied(images: Path, to: Path, *, sums: bool) -> float:
    began = time.perf_counter()
    subprocess.run(["cp", "-r", images, to], check=True)
    if sums:
        subprocess.run(["sh", "-c", SUMS], cwd=images, check=True)
    seconds = time.perf_counter() - began
    shutil.rmtree(to)
    return seconds


def _imported(place: Place, names: Iterator[str], arguments: Sequence[str], *, expected: int) -> float:
    told = administer(place, "dataset", "import", *arguments, "--name", next(names))
    assert told["imported"] == expected, told
    return float(told["seconds"])


def _exported(place: Place, name: str, to: Path) -> float:
    told = administer(place, "dataset", "export", name, str(to), "--copy")
    assert told["written"] == IMAGES, told
    shutil.rmtree(to)
    return float(told["seconds"])


def _memory_of_import(place: Place, manifest: Path) -> float:
    """MiB that the command that imports a manifest has at most."""
    command = trivium("dataset", "import", str(manifest), *AS_TEXTS, "--name", "large", "-o", "json", *place.options)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1024


def _plain(manifest: Path, file: Path) -> float:
    """Each line decoded, and written with its text and label into a table whose text is unique."""
    file.unlink(missing_ok=True)
    began = time.perf_counter()
    with sqlite3.connect(file) as database, manifest.open("rb") as lines:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE samples (id INTEGER PRIMARY KEY, source TEXT UNIQUE, labels TEXT)")
        while some := [*islice(lines, BATCH)]:
            decoded = map(msgspec.json.decode, some)
            rows = [(one["source"], msgspec.json.encode(one["annotation"]).decode()) for one in decoded]
            database.executemany("INSERT INTO samples (source, labels) VALUES (?, ?)", rows)
            database.commit()
    return time.perf_counter() - began


def _print(found: Mapping[str, list[float]], plan: Plan) -> None:
    print_head(
        f"samples: {IMAGES:,} images of {SIZE:,} bytes with Pascal VOC, and a manifest of {LINES:,} lines",
        (
            f"baselines: {COPY}, and {BOTH}, of the same tree; {PLAIN} into one uniquely indexed table",
            f"medians of {plan.rounds} interleaved rounds; all files are in the page cache",
        ),
        packages=LIBRARIES,
        database=sqlite(),
    )
    print_table(
        ("", "samples/s", "least–most", "of the baseline"),
        [
            (
                name,
                f"{NUMBERS[name] / median(times, float):.0f}",
                span([NUMBERS[name] / one for one in times]),
                f"{_ratio(found, name, BASES.get(name, name)):.2f}",
            )
            for name, times in found.items()
        ],
    )
    print_targets(
        [
            Target(name=f"{name} / {base}", measured=_ratio(found, name, base), bound=Bound.LEAST, wanted=wanted)
            for (name, base), wanted in zip(BASES.items(), WANTED, strict=True)
        ]
    )


def _print_memory(lines: int, most: float) -> None:
    told = f"memory at most while {lines:,} lines are imported"
    print_targets([Target(name=told, measured=most, bound=Bound.MOST, wanted=200, unit=" MiB")])


def _ratio(found: Mapping[str, list[float]], name: str, base: str) -> float:
    """How many times as fast."""
    return ratio(found[base], found[name], float)
