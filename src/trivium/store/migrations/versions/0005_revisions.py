"""Revisions of rows: a number that moves with every change of a row, whatever code or process makes it.

What is made of a row can then be kept until its revision is another one. A change of a node's devices is one of the
node.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

REVISED = ("notebooks", "images", "nodes", "flavors")


def upgrade() -> None:
    """Give the tables their revisions, and the triggers that move them."""
    for table in REVISED:
        op.add_column(table, sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False))
    for statement in TRIGGERS[op.get_context().dialect.name]:
        op.execute(statement)


# SQLite cannot change the row that is about to be written. The second write is spared where the first one moves the
# revision by itself.
SQLITE = (
    *(
        f"CREATE TRIGGER {table}_revision AFTER UPDATE ON {table} WHEN NEW.revision = OLD.revision "
        f"BEGIN UPDATE {table} SET revision = OLD.revision + 1 WHERE id = NEW.id; END"
        for table in REVISED
    ),
    *(
        f"CREATE TRIGGER devices_{event.lower()} AFTER {event} ON devices "
        f"BEGIN UPDATE nodes SET revision = revision + 1 WHERE id = {row}.node_id; END"
        for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    ),
)

POSTGRESQL = (
    (
        "CREATE FUNCTION row_revision() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN NEW.revision := OLD.revision + 1; RETURN NEW; END $$"
    ),
    *(
        f"CREATE TRIGGER {table}_revision BEFORE UPDATE ON {table} FOR EACH ROW "
        "WHEN (NEW.revision = OLD.revision) EXECUTE FUNCTION row_revision()"
        for table in REVISED
    ),
    (
        "CREATE FUNCTION devices_revision() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN UPDATE nodes SET revision = revision + 1 WHERE id = coalesce(NEW.node_id, OLD.node_id); "
        "RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER devices_revision AFTER INSERT OR UPDATE OR DELETE ON devices FOR EACH ROW "
        "EXECUTE FUNCTION devices_revision()"
    ),
)

TRIGGERS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
