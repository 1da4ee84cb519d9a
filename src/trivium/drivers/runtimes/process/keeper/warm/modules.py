"""The modules of a process that was forked: which of them a fresh interpreter would have imported from elsewhere."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.startup.layer import CHAIN

OURS = frozenset({"trivium"})


class Unloadable(NamedTuple):
    """Modules that can be imported again. To find them touches all modules, which forks would share no more."""

    modules: tuple[str, ...]
    ours: tuple[str, ...]  # those of them that no notebook has
    kept: frozenset[str]  # the top-level names of all others


def top_level() -> frozenset[str]:
    """The top-level names of what was imported: what a file or a package elsewhere could stand in for."""
    return frozenset(name.partition(".")[0] for name in sys.modules)


def is_shadowed(names: frozenset[str], home: str, sites: Sequence[str]) -> bool:
    """Whether a fresh interpreter would import any of `names` from elsewhere, or run something else first.

    `home` is the directory that comes first in `sys.path`, `sites` are the site directories before the image's.
    """
    for place in (home, *sites):
        try:
            with os.scandir(place) as entries:
                if any(_shadows(entry, names, is_site=place != home) for entry in entries):
                    return True
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return False


def find_unloadable(kept: frozenset[str]) -> Unloadable:
    """The modules of packages besides `kept` that can be imported again, ours (whose name the image may have) included.

    The standard library stays, which nothing shadows, and so do packages with extension modules, which cannot be
    loaded twice.
    """
    library = sysconfig.get_path("stdlib") + "/"
    found: dict[str, list[str]] = {}
    for name, module in list(sys.modules.items()):
        path = str(getattr(module, "__file__", None) or library)
        found.setdefault(name.partition(".")[0], []).append(path)
    able = {
        name
        for name, paths in found.items()
        if not any(path.endswith(".so") or _is_in_library(path, library) for path in paths)
    }
    gone = frozenset(able - kept) | OURS
    modules, ours = (tuple(name for name in sys.modules if name.partition(".")[0] in one) for one in (gone, OURS))
    return Unloadable(modules, ours, top_level() - gone)


def unload(modules: Iterable[str]) -> list[object]:
    """Take these out of `sys.modules`: whoever imports them gets them as they are by then.

    The modules come back to be held on to: to free what is shared with other forks would take memory.
    """
    return [sys.modules.pop(name, None) for name in modules]


def compact_names() -> None:
    """Have the keys of `sys.modules` lie together in memory: a fork that unloads some writes to each key's page."""
    for name in list(sys.modules):
        sys.modules[copy_text(name)] = sys.modules.pop(name)


def copy_text(text: str) -> str:
    """The same text as a new object: counting references to the old one would write to its page."""
    return text.encode(errors="surrogatepass").decode(errors="surrogatepass")


def _shadows(entry: os.DirEntry[str], names: frozenset[str], *, is_site: bool) -> bool:
    name, _, kind = entry.name.partition(".")
    if is_site and entry.name.endswith(".pth"):
        return entry.name != CHAIN
    if name not in names:
        return False
    if kind:
        return kind.endswith(("py", "pyc", "so"))
    return is_site or os.path.exists(f"{entry.path}/__init__.py")  # a namespace package comes after the image's


def _is_in_library(path: str, library: str) -> bool:
    return path.startswith(library) and "/site-packages/" not in path
