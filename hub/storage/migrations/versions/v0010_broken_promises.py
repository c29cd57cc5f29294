"""Promises that were not kept in time, found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply."""
    broken = sa.text("state = 'broken'")
    op.create_index(
        "ix_promises_broken", "promises", ["due_at"], unique=False, sqlite_where=broken, postgresql_where=broken
    )
