"""How large an image is, from its header alone: nothing is decoded, and of a file of any size a few bytes are read.

JPEG (ITU-T T.81, B.2), PNG (ISO/IEC 15948, 11.2), GIF (GIF89a, 18), BMP (BITMAPINFOHEADER), WebP (RFC 9649, 2).
"""

from __future__ import annotations

import struct
from typing import Final

from trivium.base.values import Value
from trivium.drivers.annotations import limits
from trivium.drivers.annotations.files import File
from trivium.resources.datasets import SourceFault, SourceRefused

HEAD: Final = 4096  # bytes, where most headers end
PNG_HEADER: Final = 13  # bytes
BMP_OF_OS2: Final = 12  # bytes of its header
WEBP_LOSSLESS: Final = 0x2F  # what it begins with
WEBP_HEADER: Final = 30  # bytes
PALETTE: Final = 8  # bits; as few choose among colours
PNG_CHANNELS: Final = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type; a palette has colours
NO_FRAMES: Final = frozenset((0xC4, 0xC8, 0xCC))  # markers among those of frames that are none
FILL: Final = 0xFF
FIRST_FRAME, LAST_FRAME = 0xC0, 0xCF  # markers
ALONE: Final = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
SCAN: Final = frozenset((0xD9, 0xDA))  # where the picture itself begins, or nothing comes


class Size(Value, frozen=True):
    """Pixels and channels."""

    width: int
    height: int
    depth: int


def size_of(file: File, *, most: int) -> Size:
    """How large the image in a file is. Raises `SourceRefused` where it is none, or has more pixels than `most`."""
    head = file.at(0, HEAD)
    try:
        found = _size(file, head)
    except (struct.error, IndexError):  # the file ends within its header
        found = None
    if found is None or not (found.width > 0 and found.height > 0):
        raise SourceRefused(SourceFault.MALFORMED, file.name, form="JPEG, PNG, GIF, BMP or WebP", position=0)
    if found.width * found.height > most:
        raise SourceRefused(SourceFault.TOO_LARGE, file.name, what=f"{found.width} × {found.height} pixels", limit=most)
    return found


def _size(file: File, head: bytes) -> Size | None:
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg(file, head)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(head)
    if head.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack_from("<HH", head, 6)
        return Size(width=width, height=height, depth=3)
    if head.startswith(b"BM"):
        return _bmp(head)
    return _webp(head) if head.startswith(b"RIFF") and head[8:12] == b"WEBP" else None


def _jpeg(file: File, head: bytes) -> Size | None:
    """The first frame's, past segments of notes, colours and thumbnails."""
    at = 2
    for _ in range(limits.JPEG_SEGMENTS):
        part = head[at : at + 10] if at + 10 <= len(head) else file.at(at, 10)
        fill, marker = part[0], part[1]
        if fill != FILL or marker in SCAN:
            return None
        if marker == FILL:  # padding
            at += 1
        elif marker in ALONE:
            at += 2
        elif FIRST_FRAME <= marker <= LAST_FRAME and marker not in NO_FRAMES:
            height, width, depth = struct.unpack_from(">HHB", part, 5)
            return Size(width=width, height=height, depth=depth)
        else:
            (length,) = struct.unpack_from(">H", part, 2)
            at += 2 + length
    return None


def _png(head: bytes) -> Size | None:
    length, kind, width, height, _, colour = struct.unpack_from(">I4sIIBB", head, 8)
    channels = PNG_CHANNELS.get(colour)
    if (length, kind) != (PNG_HEADER, b"IHDR") or channels is None:
        return None
    return Size(width=width, height=height, depth=channels)


def _bmp(head: bytes) -> Size:
    (header,) = struct.unpack_from("<I", head, 14)
    if header == BMP_OF_OS2:
        width, height, _, bits = struct.unpack_from("<4H", head, 18)
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", head, 18)
    depth = 3 if bits <= PALETTE else bits // 8
    return Size(width=width, height=abs(height), depth=depth)  # negative where rows go from the top down


def _webp(head: bytes) -> Size | None:
    kind = head[12:16]
    if len(head) < WEBP_HEADER:
        return None
    if kind == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        return Size(width=width, height=height, depth=4 if head[20] & 0x10 else 3)
    if kind == b"VP8L" and head[20] == WEBP_LOSSLESS:
        (bits,) = struct.unpack_from("<I", head, 21)
        return Size(width=(bits & 0x3FFF) + 1, height=(bits >> 14 & 0x3FFF) + 1, depth=4 if bits >> 28 & 1 else 3)
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return Size(width=width & 0x3FFF, height=height & 0x3FFF, depth=3)
    return None
