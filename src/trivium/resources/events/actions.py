"""Every action that is recorded, and what it says was done. Tests hold this list against what the rooms record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ACTIONS: Final[Mapping[str, str]] = {
    "domain.create": "The domain was made, with the site.",
    "project.create": "A project was made.",
    "user.create": "A user was made.",
    "user.enable": "A disabled user was let in again.",
    "user.disable": "A user was disabled.",
    "user.freeze": "A user's account was frozen.",
    "user.unfreeze": "A frozen account goes on.",
    "user.password": "A user's password was set, and their sessions ended.",
    "user.grant": "A user was given a role in a project.",
    "user.delete": "A user was deleted.",
    "key.create": "An access key was made.",
    "key.delete": "An access key was deleted.",
    "session.open": "A user logged in, or a token was renewed.",
    "session.end": "A session was ended before its time.",
    "workspace.create": "A workspace was made.",
    "workspace.update": "A workspace got another name, description or audience.",
    "workspace.delete": "A workspace was deleted.",
    "image.add": "An environment was added as an image, or a save of one was begun.",
    "image.remove": "An image was taken off the lists.",
    "notebook.create": "A notebook was asked for.",
    "notebook.start": "A start was asked for.",
    "notebook.stop": "A stop was asked for.",
    "notebook.release": "A release was asked for.",
    "notebook.rename": "A notebook got another name.",
    "notebook.update": "A notebook's name, description, volume, image, size or start command was changed.",
    "notebook.lease": "A notebook was given more time.",
    "notebook.tag": "A notebook was given tags.",
    "notebook.untag": "Tags were taken from a notebook.",
    "notebook.save": "An image of a notebook that runs on was asked for.",
    "notebook.attach": "A directory is to be shown to a notebook that runs.",
    "notebook.detach": "A directory is to be taken away from a notebook that runs.",
    "notebook.service": "A service inside a notebook was asked for.",
    "notebook.creating": "It was lost before it first ran, and is started again.",
    "notebook.starting": "It was lost, and is started again.",
    "notebook.running": "It runs, or runs on after a save; the event has the reason's code where that failed.",
    "notebook.stopping": "It ran for as long as it may, by its lease or the site's limit, and is stopped.",
    "notebook.stopped": "It is stopped.",
    "notebook.failed": "It failed; the event has the reason's code.",
    "notebook.deleting": "It was stopped for as long as it may be, and is released.",
    "notebook.deleted": "Nothing is left of it.",
}
"""By action, which is `<kind>.<verb>`. What is asked for is a caller's, what then came of it is the platform's own."""
