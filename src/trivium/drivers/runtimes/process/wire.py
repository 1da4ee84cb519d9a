"""What is said to the keeper, and what it answers, as values."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources.notebooks.ports import Address, Ending, Executed, Exit, LaunchKey, LaunchSpec, Observation, Phase

Note = dict[str, Any]


def told(spec: LaunchSpec, settings: ProcessSettings) -> Note:
    """A launch as the keeper is told of it."""
    note: Note = msgspec.to_builtins(spec, enc_hook=str)  # paths
    note["processes"] = spec.processes or settings.processes
    note["settings"] = {
        "ready_within": settings.ready_within.total_seconds(),
        "cgroups": settings.cgroups,
        "environment": dict(settings.environment),
        "warm": settings.warm.total_seconds(),
        "disk_reserve": settings.disk_reserve,
    }
    return note


def key_note(key: LaunchKey) -> Note:
    """A key as the keeper is told it."""
    return {"launch": key.launch, "generation": key.generation}


def observation(note: Mapping[str, Any], data: Path) -> Observation:
    """What the keeper sees of a launch."""
    key = LaunchKey(launch=note["key"]["launch"], generation=note["key"]["generation"])
    ended = note.get("exit")
    address = note.get("address")
    return Observation(
        key=key,
        phase=Phase(note["phase"]),
        reason=note.get("reason", ""),
        address=None if address is None else _address(address),
        workload=workload(key, data),
        progress=note.get("progress"),
        exit=None if ended is None or note["phase"] == Phase.LOST else _exit(ended),
    )


def workload(key: LaunchKey, data: Path) -> str:
    """The 64 hexadecimal digits under which a launch on this machine is known."""
    return hashlib.sha256(f"{data}\0{key.launch}\0{key.generation}".encode()).hexdigest()


def _address(note: Mapping[str, Any]) -> Address:
    return Address(socket=Path(note["socket"])) if "socket" in note else Address(port=note["port"])


def _exit(note: Mapping[str, Any]) -> Exit:
    return Exit(
        ending=Ending(note["ending"]),
        code=note["code"],
        signal=note["signal"],
        detail=note["detail"],
        at=datetime.fromtimestamp(note["at"], UTC),
    )


def executed(note: Mapping[str, Any]) -> Executed:
    """What came of a command."""
    return Executed(code=note["code"], output=base64.b64decode(note["output"]).decode(errors="replace"))
