"""Interactions that change where they lie: no index by what changes while they are open, and room in their pages."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_OPEN = sa.text("ended_at IS NULL")
_UNSAID = sa.text("closing_reason = 'wrap_up_timed_out' AND disposition IS NULL")


def upgrade() -> None:
    """Apply."""
    for name, column, which in (
        ("ix_interactions_open", "created_at", _OPEN),
        ("ix_interactions_unsaid", "ended_at", _UNSAID),
    ):
        op.drop_index(name, "interactions")
        op.create_index(name, "interactions", [column], unique=False, sqlite_where=which, postgresql_where=which)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE interactions SET (fillfactor = 60)")
        op.execute("ALTER TABLE agents SET (fillfactor = 30)")
