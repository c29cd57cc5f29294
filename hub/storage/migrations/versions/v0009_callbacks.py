"""Calls that are planned for a time, and who is rung first."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply."""
    op.add_column("calls", sa.Column("due_at", sa.BigInteger(), nullable=True))
    op.add_column("calls", sa.Column("customer_first", sa.Boolean(), nullable=False, server_default=sa.false()))
