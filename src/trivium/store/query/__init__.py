"""The query engine: pages and totals of a resource for a `Query`.

The text of a statement depends only on the shape of the query (which fields, operators, order and kind of page), so
each shape is compiled once and cached by the store; a request then costs its values and the driver.
"""

from trivium.store.query.execution import Found, count, page, remaining
from trivium.store.query.scopes import Audience, Bound, Condition, Scope
from trivium.store.query.summing import Summed, summed

__all__ = ["Audience", "Bound", "Condition", "Found", "Scope", "Summed", "count", "page", "remaining", "summed"]
