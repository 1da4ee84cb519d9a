"""A program that makes small pictures of large ones, each in a process of its own that has nothing to lose.

It is started by its path, with the number of a socket, and imports nothing of Trivium. Over the socket come what is
asked, as JSON, and three descriptors: the picture, where the small one goes, and where is told what became of it. For
each a process is forked that is held to little memory and time and reads nothing but the picture. Pictures come from
anybody: one that has its reader run away or crash takes that process with it, and nothing else.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from typing import IO, Any

from PIL import Image

MIB = 1024 * 1024
MEMORY = 1280 * MIB  # bytes of address space: twice the largest picture with four channels, and the program
OUTPUT = 32 * MIB  # bytes of a small picture
CPU = 20  # seconds
WALL = 30  # seconds
FILES = 0  # that may be opened, and sockets; what is open stays so
MOST_PIXELS = 100_000_000  # of the picture, as of those that are imported
MOST_DRAWN = 4096 * 4096  # pixels of the small one
LONGEST_SIDE = 16_383  # of a WebP
NOBODY = 65534
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
QUALITY = 85
GAP = 2.0  # as much larger than the small picture a quick, coarse reduction leaves it
ORIENTATION = 0x0112  # in EXIF
SET_DUMPABLE, NO_NEW_PRIVILEGES = 4, 38  # of prctl(2)
SIDEWAYS = (5, 6, 7, 8)
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WIDE = ("I;16", "I;16B", "I;16L", "I", "F")  # more than eight bits

Size = tuple[int, int]


class TooLarge(Exception):
    """A picture has too many pixels, or would have."""


def main(connection: socket.socket) -> None:
    """Draw what is asked for until the other side is gone."""
    _rehearse()
    _give_up_rights()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that draw
    while True:
        asked, descriptors, _, _ = socket.recv_fds(connection, 4096, 3)
        if not asked:
            return
        try:
            if os.fork() == 0:
                connection.close()
                _serve(asked, descriptors)
        except OSError:
            pass  # that no process could be made is told by nothing being told
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def geometry(size: Size, asked: dict[str, Any]) -> tuple[Size, Size]:
    """How large the whole picture is to be drawn, and how large what is shown of it, or the ground that it lies on.

    Raises `TooLarge`.
    """
    width, height = size
    fit, enlarges = asked.get("fit", "lfit"), bool(asked.get("enlarge"))
    wide, high = int(asked.get("width") or 0), int(asked.get("height") or 0)
    if fit == "fixed" and wide and high:
        drawn = (wide, high) if enlarges or (wide <= width and high <= height) else size
        return _bounded(drawn, drawn)
    ratios = [side / of for side, of in ((wide, width), (high, height)) if side]
    ratios += [asked["longest"] / max(size)] if asked.get("longest") else []
    ratios += [asked["shortest"] / min(size)] if asked.get("shortest") else []
    ratios += [asked["percent"] / 100] if asked.get("percent") else []
    ratio = (max if fit in ("mfit", "fill") else min)(ratios)
    ratio = ratio if enlarges else min(ratio, 1.0)
    drawn = max(1, round(width * ratio)), max(1, round(height * ratio))
    if fit == "fill":
        return _bounded(drawn, (min(wide, drawn[0]), min(high, drawn[1])))
    return _bounded(drawn, (wide, high) if fit == "pad" else drawn)


def draw(source: IO[bytes], asked: dict[str, Any]) -> bytes:
    """The small picture of one, upright and with nothing in it but its pixels. Raises whatever a reader does."""
    with Image.open(source, formats=FORMATS) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise TooLarge
        form, turn = picture.format, _turn(picture)
        drawn, shown = geometry(_turned(picture.size, turn), asked)
        picture.draft(None, _turned(drawn, turn))
        picture.load()
        plain = _plain(picture)
    fit = asked.get("fit")
    whole = _turned(drawn, turn)
    small = _upright(_scaled(plain, _turned(shown, turn) if fit == "fill" else whole, whole), turn)
    if fit == "pad":
        small = _padded(small, shown, bytes.fromhex(asked.get("color", "FFFFFF")))
    out = io.BytesIO()
    if form == "WEBP":
        small.save(out, "WEBP", quality=QUALITY)
    elif form in ("JPEG", "BMP") and small.mode in ("L", "RGB"):
        small.save(out, "JPEG", quality=QUALITY)
    else:
        small.save(out, "PNG")
    return out.getvalue()


def _bounded(drawn: Size, shown: Size) -> tuple[Size, Size]:
    if shown[0] * shown[1] > MOST_DRAWN or max(shown) > LONGEST_SIDE:
        raise TooLarge
    return drawn, shown


def _turn(picture: Image.Image) -> int:
    """How the picture is to be turned, as EXIF says it; what cannot be read turns nothing."""
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - notes that are broken are no reason not to show the picture
        return 1


def _turned(size: Size, turn: int) -> Size:
    return (size[1], size[0]) if turn in SIDEWAYS else size


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in eight bits of grey or of colours, with transparency where it has any."""
    if picture.mode in WIDE:
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if "transparency" in picture.info or picture.mode in ("LA", "PA", "RGBa", "La"):
        return picture.convert("RGBA")
    if picture.mode in ("RGB", "RGBA", "L"):
        return picture.copy()
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _scaled(picture: Image.Image, to: Size, whole: Size) -> Image.Image:
    """The middle of the picture at that size, of which the whole would be drawn so large."""
    wide, high = picture.width * to[0] / whole[0], picture.height * to[1] / whole[1]
    left, top = (picture.width - wide) / 2, (picture.height - high) / 2
    box = (left, top, left + wide, top + high)
    small = picture.resize(to, Image.Resampling.LANCZOS, box=box, reducing_gap=GAP)
    small.info.clear()
    return small


def _upright(picture: Image.Image, turn: int) -> Image.Image:
    method = TURNS.get(turn)
    return picture if method is None else picture.transpose(method)


def _padded(picture: Image.Image, shown: Size, color: bytes) -> Image.Image:
    ground = Image.new("RGB", shown, (color[0], color[1], color[2]))
    at = ((shown[0] - picture.width) // 2, (shown[1] - picture.height) // 2)
    mask = picture.getchannel("A") if picture.mode == "RGBA" else None
    ground.paste(picture.convert("RGB"), at, mask)
    return ground


def _rehearse() -> None:
    """Load what reading and writing pictures takes: those who draw may not read files any more."""
    Image.MAX_IMAGE_PIXELS = None  # `draw` looks itself
    Image.init()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for form in FORMATS:
        out = io.BytesIO()
        Image.new("RGB", (8, 8)).save(out, form, **({"exif": exif} if form in ("JPEG", "PNG", "WEBP") else {}))
        raw = out.getvalue()
        for part in (raw, raw[: len(raw) // 2]):
            with suppress(Exception):
                draw(io.BytesIO(part), {"fit": "pad", "width": 4, "height": 4})


def _give_up_rights() -> None:
    """Be nobody, if this is root; with no way back, and out of reach of others who are nobody."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    library = ctypes.CDLL(None)
    library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    library.prctl(SET_DUMPABLE, 0, 0, 0, 0)
    os.chdir("/")


def _serve(asked: bytes, descriptors: list[int]) -> None:
    """Draw one, tell what became of it, and end."""
    source, target, told = descriptors
    fault = "failed"
    try:
        _bound()
        with os.fdopen(source, "rb") as file:
            small = draw(file, json.loads(asked))
        with os.fdopen(target, "wb") as out:
            out.write(small)
        fault = ""
    except (TooLarge, MemoryError):
        fault = "too_large"
    except BaseException:  # noqa: BLE001 - whatever a reader raises, the picture is none
        fault = "malformed"
    finally:
        with suppress(BaseException):
            os.write(told, fault.encode() or b"done")
        os._exit(0)


def _bound() -> None:
    signal.alarm(WALL)
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU),
        (resource.RLIMIT_FSIZE, OUTPUT),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
