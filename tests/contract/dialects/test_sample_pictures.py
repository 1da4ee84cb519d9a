"""Small pictures of samples over HTTP: sizes as object storage has them, of pictures that mean no good, too."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from PIL import Image

from tests.builders import Place, place
from tests.contract.annotations import world
from tests.gallery import Visit
from tests.listening import Answer
from tests.waiting import until_async
from trivium.drivers.samples.kept import NEW, Kept
from trivium.resources.datasets import Dataset
from trivium.resources.datasets.ports import SampleKind

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(f"sqlite:///{tmp_path / 'trivium.db'}") as made:
        yield made


def picture(form: str, size: tuple[int, int] = (80, 40), mode: str = "RGB", **more: Any) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    out = io.BytesIO()
    made = Image.new("RGB", size, RED)
    made.paste(BLUE, (size[0] // 2, 0, *size))
    (made if mode == "RGB" else made.convert(mode)).save(out, form, **more)
    return out.getvalue()


async def drawn(visit: Visit, cats: Dataset, content: bytes, process: str = "image/resize,h_20") -> Answer:
    sample = visit.gallery.put(cats, visit.gallery.cats / "a.img", content)
    return await visit.get(await visit.source(cats, sample, f"&process_parameter={quote(process)}"))


def shown(answer: Answer) -> Image.Image:
    assert answer.status == 200, answer.body
    made = Image.open(io.BytesIO(answer.body))
    made.load()
    return made


FORMS: Final = [
    ("JPEG", "RGB", "JPEG"),
    ("JPEG", "L", "JPEG"),
    ("JPEG", "CMYK", "JPEG"),
    ("PNG", "RGB", "PNG"),
    ("PNG", "RGBA", "PNG"),
    ("PNG", "P", "PNG"),
    ("PNG", "1", "PNG"),
    ("PNG", "I;16", "PNG"),
    ("GIF", "P", "PNG"),
    ("BMP", "RGB", "JPEG"),
    ("WEBP", "RGB", "WEBP"),
    ("WEBP", "RGBA", "WEBP"),
]


@pytest.mark.parametrize(("form", "mode", "becomes"), FORMS)
async def test_every_form_of_picture_becomes_smaller(
    visit: Visit, cats: Dataset, form: str, mode: str, becomes: str
) -> None:
    found = await drawn(visit, cats, picture(form, mode=mode))
    made = shown(found)
    assert (made.size, made.format) == ((40, 20), becomes)
    assert found.header("content-type") == f"image/{becomes.lower()}"
    assert found.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    ("process", "size"),
    [
        ("image/resize,m_lfit,h_20", (40, 20)),
        ("image/resize,w_8", (8, 4)),
        ("image/resize,w_20,h_20", (20, 10)),
        ("image/resize,m_mfit,w_20,h_20", (40, 20)),
        ("image/resize,m_fill,w_20,h_20", (20, 20)),
        ("image/resize,m_pad,w_20,h_20,color_00FF00", (20, 20)),
        ("image/resize,m_fixed,w_20,h_30", (20, 30)),
        ("image/resize,m_fixed,w_20", (20, 10)),
        ("image/resize,l_20", (20, 10)),
        ("image/resize,s_20", (40, 20)),
        ("image/resize,p_50", (40, 20)),
        ("image/resize,h_400", (80, 40)),
        ("image/resize,h_80,limit_0", (160, 80)),
        ("image/resize,m_fill,w_200,h_20", (80, 20)),
        ("image/resize,m_fixed,w_20,h_300", (80, 40)),
        ("image/resize,m_fixed,w_20,h_300,limit_0", (20, 300)),
    ],
)
async def test_sizes_are_those_of_object_storage(
    visit: Visit, cats: Dataset, process: str, size: tuple[int, int]
) -> None:
    assert shown(await drawn(visit, cats, picture("PNG"), process)).size == size


async def test_what_fills_is_cut_in_the_middle_and_what_is_padded_lies_there(visit: Visit, cats: Dataset) -> None:
    filled = shown(await drawn(visit, cats, picture("PNG"), "image/resize,m_fill,w_20,h_20"))
    assert (filled.getpixel((0, 10)), filled.getpixel((19, 10))) == (RED, BLUE)
    padded = shown(await drawn(visit, cats, picture("PNG"), "image/resize,m_pad,w_20,h_20,color_00FF00"))
    assert [padded.getpixel((0, y)) for y in (0, 10, 19)] == [GREEN, RED, GREEN]


@pytest.mark.parametrize(
    ("turn", "size", "corner"),
    [(1, (40, 20), RED), (3, (40, 20), BLUE), (6, (20, 40), RED), (8, (20, 40), BLUE), (99, (40, 20), RED)],
)
async def test_a_photograph_is_shown_upright_and_says_nothing_of_where_it_was_taken(
    visit: Visit, cats: Dataset, turn: int, size: tuple[int, int], corner: tuple[int, int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = turn, "at home"
    made = shown(await drawn(visit, cats, picture("JPEG", exif=exif, quality=100), "image/resize,l_40"))
    assert made.size == size
    pixel = made.getpixel((2, 2))
    assert isinstance(pixel, tuple)
    assert all(abs(one - other) < 40 for one, other in zip(pixel, corner, strict=True))
    assert dict(made.getexif()) == {}
    assert set(made.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def bomb() -> bytes:
    """A PNG whose header tells of few pixels, and whose data and text never end."""
    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    zeros = zlib.compress(bytes(64 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, data)
        for kind, data in ((b"IHDR", head), (b"zTXt", b"a\0\0" + zeros), (b"IDAT", zeros), (b"IEND", b""))
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def claims(width: int, height: int) -> bytes:
    """A PNG that says that it is so large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, raw) for kind, raw in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    )


HOSTILE: Final = {
    "200 megapixels": claims(20_000, 10_000),
    "more than can be counted": claims(2**31 - 1, 2**31 - 1),
    "a bomb": bomb(),
    "half of a JPEG": picture("JPEG", (800, 400))[:2000],
    "a JPEG without its end": picture("JPEG")[:-40],
    "the header of a JPEG": world.jpeg(),
    "the header of a PNG": world.png(),
    "nothing": b"",
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a drawing": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) print\n",
    "a GIF of no size": b"GIF89a\0\0\0\0\0\0\0;",
    "a WebP of nothing": b"RIFF\x10\0\0\0WEBPVP8 \0\0\0\0",
    "a TIFF": b"II*\0\x08\0\0\0\0\0",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
async def test_a_picture_that_means_no_good_is_refused_and_the_next_one_is_drawn(
    visit: Visit, cats: Dataset, content: bytes
) -> None:
    refused = await drawn(visit, cats, content)
    assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4396")
    assert "x-image-process" in refused.json["error_msg"]
    sample = visit.gallery.put(cats, visit.gallery.cats / "b.png", picture("PNG"))
    assert shown(await visit.get(await visit.source(cats, sample, "&process_parameter=image/resize,h_20")))


async def test_a_picture_of_a_hundred_megapixels_is_drawn(visit: Visit, cats: Dataset) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (10_000, 10_000), (1, 2, 3, 128)).save(out, "PNG", compress_level=1)
    assert shown(await drawn(visit, cats, out.getvalue())).size == (20, 20)


async def test_what_would_become_too_large_is_refused(visit: Visit, cats: Dataset) -> None:
    thin = picture("PNG", (4, 4000))
    refused = await drawn(visit, cats, thin, "image/resize,m_mfit,w_4096,limit_0")
    assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4396")


async def test_one_that_was_drawn_is_kept_until_the_picture_is_another(visit: Visit, cats: Dataset) -> None:
    first = await drawn(visit, cats, picture("PNG"))
    kept = visit.gallery.root.parent / "thumbnails"
    (file,) = kept.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    again = await drawn(visit, cats, picture("PNG"), "image/resize,h_20")
    file.write_bytes(picture("PNG", (3, 3)))
    sample = visit.gallery.put(cats, visit.gallery.cats / "a.img")
    source = await visit.source(cats, sample, "&process_parameter=image/resize,h_20")
    assert {first.status, again.status} == {200}
    assert len(list(kept.iterdir())) == 2  # the file was written anew, and is another
    part = await visit.get(source, {"Range": "bytes=0-3"})
    assert (part.status, part.body) == (206, b"\x89PNG")
    tag = part.header("etag") or ""
    assert (await visit.get(source, {"If-None-Match": tag})).status == 304


async def test_pictures_alone_are_made_smaller(visit: Visit, cats: Dataset) -> None:
    sound = visit.gallery.put(cats, visit.gallery.cats / "a.wav", b"RIFF\0\0\0\0WAVEfmt ", kind=SampleKind.AUDIO)
    source = await visit.source(cats, sound, "&process_parameter=image/resize,h_20")
    assert "x-image-process" not in source
    assert (await visit.get(source)).status == 200
    text = visit.gallery.put(cats, b"", text="told", kind=SampleKind.TEXT)
    for one in (sound, text):
        path = visit.gallery.path(cats, f"/{one}/file?x-image-process=image/resize,h_20")
        assert (await visit.get(path, visit.token)).json["error_code"] == "ModelArts.4396"


async def test_the_size_of_a_link_cannot_be_changed(visit: Visit, cats: Dataset) -> None:
    sample = visit.gallery.put(cats, visit.gallery.cats / "a.png", picture("PNG"))
    source = await visit.source(cats, sample, "&process_parameter=image/resize,h_20")
    assert (await visit.get(source.replace("h_20", "h_21"))).status == 401
    assert (await visit.get(source.replace("&x-image-process=image%2Fresize%2Ch_20", ""))).status == 401


async def test_many_at_once_are_drawn_or_told_to_ask_again(visit: Visit, cats: Dataset) -> None:
    sample = visit.gallery.put(cats, visit.gallery.cats / "a.png", picture("PNG", (2000, 2000)))
    path = visit.gallery.path(cats, f"/{sample}/file")
    asked = [visit.get(f"{path}?x-image-process=image/resize,h_{size}", visit.token) for size in range(1, 201)]
    answers = await asyncio.gather(*asked)
    assert {answer.status for answer in answers} <= {200, 429}
    assert sum(answer.status == 200 for answer in answers) >= 64
    assert {answer.json["error_code"] for answer in answers if answer.status == 429} <= {"ModelArts.4395"}
    assert {answer.status for answer in answers if answer.status == 429}


async def test_a_process_that_draws_and_dies_is_replaced(visit: Visit, cats: Dataset) -> None:
    assert shown(await drawn(visit, cats, picture("PNG")))
    process = visit.gallery.files._thumbnails._studio._process
    assert process is not None
    process.kill()
    process.wait()
    assert shown(await drawn(visit, cats, picture("PNG"), "image/resize,h_10"))


@pytest.mark.root
async def test_whoever_draws_is_nobody_and_ends_with_the_server(visit: Visit, cats: Dataset) -> None:
    assert shown(await drawn(visit, cats, picture("PNG")))
    process = visit.gallery.files._thumbnails._studio._process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")  # noqa: ASYNC240 - a file of the kernel's
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (told["Uid"].split(), told["Gid"].split(), told["Groups"].split()) == (["65534"] * 4, ["65534"] * 4, [])
    assert (told["CapEff"], told["NoNewPrivs"]) == ("0" * 16, "1")
    visit.gallery.files.close()

    async def ended() -> bool:
        return process.poll() is not None

    await until_async(ended, within=10, what="an end")


@pytest.mark.parametrize("does", ["open('/etc/passwd')", "socket.socket()", "os.pipe()"])
def test_whoever_draws_opens_nothing(does: str) -> None:
    program = f"import os, socket, errno\nfrom trivium.drivers.samples import drawing\ndrawing._bound()\n{does}"
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert ended.returncode != 0
    assert b"Too many open files" in ended.stderr


def test_the_server_itself_reads_no_pictures() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)


IMPORTS: Final = "import sys, trivium.drivers.samples, trivium.server.compose; assert 'PIL' not in sys.modules"


def test_what_is_kept_is_bounded_and_what_was_left_half_written_goes(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    left, going = folder / f"{NEW}left", folder / f"{NEW}going"
    for file in (left, going):
        file.write_bytes(b"half")
    os.utime(left, (1, 1))
    kept = Kept(folder, most=100_000)
    for number in range(40):
        kept.put(f"{number:02}", bytes(10_000))
        os.utime(folder / f"{number:02}", (number + 1_000_000, number + 1_000_000))
        os.close(kept.find("00") or -1) if number == 5 else None
    there = sorted(file.name for file in folder.iterdir())
    assert there[0] == going.name
    assert len(there) <= 11
    assert "39" in there
    assert "00" in there  # it was asked for since
    assert kept.find("01") is None
    assert kept.find("../secret") is None
