"""How much of a model is looked at. Every limit refuses: nothing is silently left out."""

from __future__ import annotations

from typing import Final

from trivium.base.units import KIB, MIB
from trivium.base.values import Value

CONFIG: Final = 2 * MIB  # of a config.json
CONFIG_ITEMS: Final = 200_000  # strings, lists and objects in it, which cost memory when they are parsed
CONFIG_DEPTH: Final = 64
FRONT_MATTER: Final = 64 * KIB
HEADER: Final = 16 * MIB  # of a safetensors file, some 150,000 tensors; also of an index of shards
PICKLE: Final = 4 * MIB  # of a PyTorch archive's data.pkl
DIRECTORY: Final = 8 * MIB  # of an archive's list of entries
TENSORS: Final = 200_000  # in one file
PAIRS: Final = 100_000  # of a GGUF file's metadata
ELEMENTS: Final = 4_000_000  # of a GGUF file's lists of strings
FIELDS: Final = 2_000_000  # of an ONNX file's messages, and opcodes of a pickle
TEXT: Final = 4 * KIB  # of one value that is kept, and of a tensor's name
COUNT: Final = (1 << 63) - 1  # of elements of a tensor


class Limits(Value, frozen=True):
    """How large a directory may be that is read as one model."""

    entries: int = 20_000  # files and directories
    path_bytes: int = 4 * MIB  # of all their paths together
    depth: int = 32
