"""The query engine: pages and totals of a resource for a `Query`.

The text of a statement depends only on the shape of the question (which fields, operators, order and kind of page), so
each shape is compiled once and kept by the store; a request then costs its values and the driver.
"""

from trivium.store.query.bounding import is_bounded
from trivium.store.query.running import Found, count, page, size
from trivium.store.query.scopes import Bound, Condition, Scope

__all__ = ["Bound", "Condition", "Found", "Scope", "count", "is_bounded", "page", "size"]
