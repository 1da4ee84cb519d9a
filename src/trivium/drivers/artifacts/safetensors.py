"""Headers of safetensors files, as https://github.com/huggingface/safetensors describes the format.

The header is scanned tensor by tensor, never parsed as a whole, so that millions of numbers in it cost no memory. It is
held to the format: strict JSON from the first byte on, no tensor twice, no other fields, and tensors that fill the data
without gaps. The format's own library is laxer about the first byte and other fields, and about nothing else.
"""

from __future__ import annotations

import re
import struct
from typing import Final

import msgspec

from trivium.drivers.artifacts import limits
from trivium.drivers.artifacts.tensors import Tensors, Weights, elements
from trivium.drivers.artifacts.window import Window
from trivium.resources.models import ArtifactRefused, Fault

LENGTH: Final = struct.Struct("<Q")
STRING: Final = rb'"((?:[^"\\]++|\\.)*+)"'
KEY: Final = re.compile(rb"\s*+" + STRING + rb"\s*+:\s*+(?=\{)", re.DOTALL)
BODY: Final = re.compile(rb'\{(?:[^{}"]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
NEXT: Final = re.compile(rb"\s*+([,}])")
ENTRY_BYTES: Final = 4096
NO_JSON: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
FIELDS: Final = (b"dtype", b"shape", b"data_offsets")
METADATA: Final = b"__metadata__"
METADATA_BYTES: Final = 1 << 20
BITS: Final = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
}


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read(window: Window) -> Weights:
    """The tensors that a file's header tells of. Raises `ArtifactRefused`."""
    length = window.unpack(LENGTH)
    if length > limits.HEADER:
        raise ArtifactRefused(Fault.TOO_LARGE, window.name, what="header", size=length, limit=limits.HEADER)
    header = window.take(length)
    tensors = Tensors(window.name)
    covered = _scan(header, tensors, window)
    tensors.check_overlaps()
    if covered != window.left:
        raise ArtifactRefused(Fault.OFFSETS, window.name, start=covered, end=window.left, size=window.left)
    return tensors.weights()


def _scan(header: bytes, tensors: Tensors, window: Window) -> int:
    """Go through the header; how many bytes of data its tensors cover."""
    start = header.find(b"{")
    if start != 0 or header.rstrip(b" \t\r\n")[-1:] != b"}":
        raise _malformed(window, 8)
    if re.fullmatch(rb"\{\s*+\}\s*+", header):
        return 0
    at = 1
    covered = 0
    described = False
    while True:
        key = KEY.match(header, at)
        if key is None or (body := BODY.match(header, key.end())) is None:
            raise _malformed(window, at)
        if key[1] == METADATA:
            if described:
                raise ArtifactRefused(Fault.DUPLICATE, window.name, key=METADATA.decode())
            described = True
            _check_metadata(body[0], window, at)
        else:
            covered += _add(key[1], body, tensors=tensors, window=window)
        follows = NEXT.match(header, body.end())
        if follows is None:
            raise _malformed(window, body.end())
        at = follows.end()
        if follows[1] == b"}":
            if header[at:].strip(b" \t\r\n"):
                raise _malformed(window, at)
            return covered


def _add(key: bytes, body: re.Match[bytes], *, tensors: Tensors, window: Window) -> int:
    """Note one tensor; how many bytes it has."""
    if body.end() - body.start() > ENTRY_BYTES or len(key) > limits.TEXT:
        raise _malformed(window, body.start())
    try:
        name = msgspec.json.decode(b'"%s"' % key, type=str) if b"\\" in key else key.decode()
        tensor = msgspec.json.decode(body[0], type=_Tensor)
    except NO_JSON as error:
        raise _malformed(window, body.start()) from error
    start, end = tensor.data_offsets
    bits = BITS.get(tensor.dtype)
    twice = any(body[0].count(b'"%s"' % field) != 1 for field in FIELDS)
    if bits is None or twice:  # the format's own library refuses other types and repeated keys, too
        raise _malformed(window, body.start())
    count = elements(tensor.shape, window.name)
    tensors.place(start, end, within=window.left)
    if (end - start) * 8 != count * bits:
        raise ArtifactRefused(Fault.OFFSETS, window.name, start=start, end=end, size=count * bits // 8)
    tensors.add(name.encode(errors="surrogatepass"), tensor.dtype, count=count, size=end - start)
    return end - start


def _check_metadata(body: bytes, window: Window, at: int) -> None:
    """That it is a map of strings to strings, where it is not too long to be looked at."""
    if len(body) > METADATA_BYTES:
        raise ArtifactRefused(Fault.TOO_LARGE, window.name, what="metadata", size=len(body), limit=METADATA_BYTES)
    try:
        msgspec.json.decode(body, type=dict[str, str])
    except NO_JSON as error:
        raise _malformed(window, at) from error


def _malformed(window: Window, at: int) -> ArtifactRefused:
    return ArtifactRefused(Fault.MALFORMED, window.name, form="safetensors", position=LENGTH.size + at)
