"""JupyterHub to be measured beside ours: the newest from the package index, with as many users in its own database.

The hub's own port is asked, so no proxy stands between; its database is SQLite, as ours is, filled through its own
tables: each user has the role `user` and a default server, as a login gives them.
"""

from __future__ import annotations

import secrets
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from benchmarks.peers import environment, said
from benchmarks.processes import Running, free_port, running
from trivium.base.values import Value

PATH: Final = "/hub/api/users"
ACCEPT: Final = "application/jupyterhub-pagination+json"
"""With it a page says how many users there are, as ours does."""

CONFIG: Final = """
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    routes = {{}}
    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {{"routespec": routespec, "target": target, "data": data}}
    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)
    async def get_all_routes(self):
        return self.routes

c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.db_url = "sqlite:///{folder}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "bench", "scopes": ["list:users", "read:users"], "services": ["bench"]}}]
c.JupyterHub.log_level = "ERROR"
c.JupyterHub.cleanup_servers = False
"""

FILL: Final = """
import sys
from jupyterhub import orm, roles
from sqlalchemy import insert, select
session = orm.new_session_factory(sys.argv[1])()
for role in roles.get_default_roles():
    roles.create_role(session, role)
role = session.scalars(select(orm.Role).where(orm.Role.name == "user")).one()
rows = range(int(sys.argv[2]))
session.execute(insert(orm.User), [{"name": f"user-{n}", "admin": False, "cookie_id": f"{n:032x}"} for n in rows])
ids = session.scalars(select(orm.User.id)).all()
mapped = orm.Base.metadata.tables["user_role_map"]
session.execute(insert(mapped), [{"user_id": id, "role_id": role.id} for id in ids])
session.execute(insert(orm.Spawner), [{"user_id": id, "name": ""} for id in ids])
session.commit()
"""


class Hub(Value, frozen=True, kw_only=True):
    """A JupyterHub that can be started, and how it is asked."""

    version: str
    token: str
    server: AbstractContextManager[Running]


def jupyterhub(folder: Path, rows: int) -> Hub:
    """A hub with so many users. Raises `Absent` when it cannot be had."""
    python = environment("jupyterhub")
    version = said(python, "import jupyterhub; print(jupyterhub.__version__)")
    port, token = free_port(), secrets.token_hex(16)
    config = folder / "jupyterhub_config.py"
    config.write_text(CONFIG.format(folder=folder, port=port, token=token))
    database = f"sqlite:///{folder / 'jupyterhub.sqlite'}"
    subprocess.run([python, "-c", FILL, database, str(rows)], capture_output=True, check=True, cwd=folder)
    command = [str(python), "-m", "jupyterhub", "-f", str(config)]
    # It looks at every user when it starts.
    server = running(command, port, ready="/hub/api/", log=folder / "jupyterhub.log", within=900.0)
    return Hub(version=version, token=token, server=server)


def request(hub: Hub, port: int, size: int) -> str:
    """The request of one page."""
    return (
        f"GET {PATH}?limit={size} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: token {hub.token}\r\n"
        f"Accept: {ACCEPT}\r\nUser-Agent: bench\r\n\r\n"
    )
