"""Interactions ask for skills of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    op.add_column("interactions", sa.Column("needs", sa.Text(), nullable=False, server_default=sa.text("'{}'")))
