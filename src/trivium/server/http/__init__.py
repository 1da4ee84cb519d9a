"""The listener of the APIs.

It finds the operation, reads the request whole, lets its dialect answer, and sees to it that whatever happens is
answered in that dialect's own form.
"""

from trivium.server.http.app import ASGI, App
from trivium.server.http.metrics import Metrics
from trivium.server.http.platform import Part, Platform
from trivium.server.http.room import Room
from trivium.server.http.routes import RoutesConflict
from trivium.server.http.serve import AddressTaken, Bound, Patience, bind, refused, serve

__all__ = [
    "ASGI",
    "AddressTaken",
    "App",
    "Bound",
    "Metrics",
    "Part",
    "Patience",
    "Platform",
    "Room",
    "RoutesConflict",
    "bind",
    "refused",
    "serve",
]
