"""Cookies that a notebook sets: kept to its own paths, and never of our names."""

from __future__ import annotations

from trivium.server.proxy.credentials import is_ours


def confined(value: bytes, *, root: str, prefix: bytes) -> bytes | None:
    """A `Set-Cookie` field confined to `root`; None for a cookie that must not be set.

    `prefix` is what was taken off the paths that the notebook sees. A root of `/` belongs to the notebook alone, and
    its paths stay as they are.
    """
    pair, *attributes = value.split(b";")
    name, equals, _ = pair.partition(b"=")
    if not equals or not name.strip() or is_ours(name):
        return None  # browsers take a cookie without a name for whatever its value says
    path = b""
    kept = [pair.strip()]
    for attribute in attributes:
        key, _, said = attribute.strip().partition(b"=")
        low = key.strip().lower()
        if low == b"path":
            path = said.strip()  # the last one counts
        elif low != b"domain":
            kept.append(attribute.strip())
    placed = _placed(path, root.encode("ascii"), prefix)
    if placed:
        kept.append(b"Path=" + placed)
    return b"; ".join(kept)


def _placed(path: bytes, root: bytes, prefix: bytes) -> bytes:
    if root == b"/":
        return path
    if path.startswith(root) or path == root[:-1]:
        return path
    return prefix + path if prefix and path.startswith(b"/") else root
