"""Places on disk: files and directories are opened inside roots, whatever is swapped meanwhile."""

from trivium.drivers.places.looking import StoreDirectories
from trivium.drivers.places.reaching import Root, innermost, open_file, refusal, shown

__all__ = ["Root", "StoreDirectories", "innermost", "open_file", "refusal", "shown"]
