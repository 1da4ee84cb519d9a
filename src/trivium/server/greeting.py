"""What the operator reads when the server starts: where it listens, where the password is, what to type next."""

from __future__ import annotations

import shutil
import sys

from trivium.base.site import Site
from trivium.server.settings import Settings


def greeting(settings: Settings, site: Site, *, made: bool) -> str:
    """A few lines. `made`: whether everything was created just now, so that an access key is needed next."""
    database = "SQLite" if settings.database.url is None else "PostgreSQL"
    lines = [
        f"Trivium is ready. Data in {settings.data} ({'new, ' if made else ''}{database}).",
        f"  APIs       {site.url}",
        f"  Notebooks  {site.proxy_url}{_origins(site)}",
    ]
    if settings.admin_password_file.exists():
        lines.append(f"  Admin      user admin, password in {settings.admin_password_file}")
    if made:
        program = "trivium" if shutil.which("trivium") else sys.argv[0]
        place = f"--data {settings.data}" + ("" if settings.database.url is None else " --database URL")
        lines.append(f"Next: {program} key create --user admin {place} -o json")
    return "\n".join(lines)


def _origins(site: Site) -> str:
    """A warning where all notebooks share an origin: one's page could use another's of the same person."""
    if site.proxy_host:
        return f" as {site.proxy_host}"
    return "  (one origin for all: set TRIVIUM_PROXY__HOST='{id}.nb.example' where people do not trust each other)"
