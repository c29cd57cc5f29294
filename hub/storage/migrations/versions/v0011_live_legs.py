"""Lines that are up, found at once among all that ever were."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply."""
    live = sa.text("state <> 'ended'")
    op.create_index("ix_legs_live", "legs", ["interaction"], unique=False, sqlite_where=live, postgresql_where=live)
