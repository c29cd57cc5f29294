"""What happened with an interaction is found by it, but what was said in it: that is in `messages` already."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_NAME = "ix_journal_interaction_seq"


def upgrade() -> None:
    """Apply."""
    which = sa.text("kind <> 'message_stored'")
    op.drop_index(_NAME, "journal")
    op.create_index(_NAME, "journal", ["interaction", "seq"], unique=False, sqlite_where=which, postgresql_where=which)
