"""ZQL: the query language as statements of text, on the same conditions as REST and RPC.

It is read by hand: the grammar is small, errors say where in the text they are, and a library for grammars would be
imported at each start of a server for what few servers are asked.
"""

from trivium.dialects.zstack.zql.parsing import Statement, Verb, statements

__all__ = ["Statement", "Verb", "statements"]
