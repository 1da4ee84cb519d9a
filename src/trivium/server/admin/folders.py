"""The folders and files that a site lies in, with the modes that keep others out."""

from __future__ import annotations

import os
from pathlib import Path

from trivium.server.settings import Settings


def prepare(settings: Settings) -> None:
    """Make the data directory, those for models and datasets in it, and SQLite's file readable by its owner only.

    Others may pass through the directory, for notebooks run under uids of their own, but not look into it. Models and
    datasets are seen by whom the catalogue says, so nobody else gets to their files.
    """
    settings.data.mkdir(mode=0o711, parents=True, exist_ok=True)
    for own in {settings.own_models, settings.own_datasets} & {*settings.store_roots}:
        own.mkdir(mode=0o700, exist_ok=True)
    if settings.database.url is None:
        _touch(settings.database_file)


def _touch(file: Path) -> None:
    # SQLite gives its journal the mode of the database file, so this is enough for both.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
