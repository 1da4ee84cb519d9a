"""MLflow's model registry to be measured beside ours: the newest from the package index, with as many models.

One worker; its database is SQLite, as ours is, made by its own store and filled through its own table.
"""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from benchmarks.catalogue_rows import name_of
from benchmarks.peers import environment, said
from benchmarks.processes import Running, free_port, running
from trivium.base.values import Value

PATH: Final = "/api/2.0/mlflow/registered-models/search"
QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

FILL: Final = """
import sys
from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModel
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import insert
store = SqlAlchemyStore(sys.argv[1])
rows = [{"name": name, "creation_time": 1, "last_updated_time": 1} for name in sys.stdin.read().split()]
with store.engine.begin() as connection:
    connection.execute(insert(SqlRegisteredModel), rows)
"""


class MLflow(Value, frozen=True, kw_only=True):
    """A server of MLflow's that can be started."""

    version: str
    server: AbstractContextManager[Running]


def mlflow(folder: Path, rows: int) -> MLflow:
    """A server with so many registered models. Raises `Absent` when it cannot be had."""
    python = environment("mlflow")
    database = f"sqlite:///{folder / 'mlflow.sqlite'}"
    names = "\n".join(map(name_of, range(rows))).encode()
    subprocess.run([python, "-c", FILL, database], input=names, capture_output=True, check=True, cwd=folder)
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backend-store-uri", database]
    command = [str(python.with_name("mlflow")), "server", *options, "--artifacts-destination", str(folder / "mlflow")]
    server = running(command, port, ready="/health", log=folder / "mlflow.log", environment=QUIET)
    return MLflow(version=said(python, "import mlflow; print(mlflow.__version__)"), server=server)


def target(filter: str, size: int) -> str:
    """The target of a search."""
    return f"{PATH}?{urlencode({'filter': filter, 'max_results': size})}"
