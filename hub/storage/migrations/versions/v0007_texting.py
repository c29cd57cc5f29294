"""Texts: who does not want any, and which agreed wording one uses."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "opt_outs",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("is_out", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "address", name=op.f("pk_opt_outs")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_opt_outs_address"), "opt_outs", ["address"], unique=False)
    op.add_column("outgoing", sa.Column("template", sa.Text(), nullable=True))
