"""Importing a command, or a whole server, quickly."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast


@contextmanager
def quick_imports() -> Generator[None]:
    """Within the block imports cost less time and memory.

    What is imported lives as long as the process: looking through it for garbage again and again is work for nothing,
    then and later. structlog takes rich, where that is installed, for tracebacks that we never show; it takes longer to
    import than structlog itself.
    """
    modules = cast("dict[str, Any]", sys.modules)
    hides = "rich" not in modules
    if hides:
        modules["rich"] = None  # as Python's reference has it: importing it raises ImportError
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if hides:
            del modules["rich"]
