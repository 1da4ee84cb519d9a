"""What keeps a user from being deleted: each room that holds things for users stands here."""

from __future__ import annotations

from typing import Final

from trivium.resources.notebooks import NotebookHoldings
from trivium.resources.users import Holdings

HOLDINGS: Final[tuple[Holdings, ...]] = (NotebookHoldings(),)
