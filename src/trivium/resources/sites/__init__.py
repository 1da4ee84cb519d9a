"""Sites: this installation as a row, so that it has a uuid that stays, and pools and nodes can refer to it."""

from trivium.resources.sites.service import get, is_noted, note
from trivium.resources.sites.table import site_of, sites
from trivium.resources.sites.types import SiteRecord

__all__ = ["SiteRecord", "get", "is_noted", "note", "site_of", "sites"]
