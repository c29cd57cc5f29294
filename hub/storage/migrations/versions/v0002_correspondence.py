"""Letters: raw arrivals, how far channels have read, envelopes, the outbox, what was split and joined."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    _arrivals()
    _channel_marks()
    _envelopes()
    _outgoing()
    _rearrangements()
    op.add_column("drafts", sa.Column("letter", sa.Text(), nullable=True))
    op.add_column("agents", sa.Column("signature", sa.Text(), nullable=False, server_default=sa.text("''")))
    _open_only(
        "ix_interactions_unsaid",
        "interactions",
        "agent",
        "closing_reason = 'wrap_up_timed_out' AND disposition IS NULL",
    )


def _open_only(name: str, table: str, column: str, condition: str, *, unique: bool = False) -> None:
    text = sa.text(condition)
    op.create_index(name, table, [column], unique=unique, sqlite_where=text, postgresql_where=text)


def _arrivals() -> None:
    op.create_table(
        "arrivals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("dedupe", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.Column("interaction", sa.Text(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
        sa.UniqueConstraint("channel", "provider_id", name=op.f("uq_arrivals_channel_provider_id")),
    )
    _open_only("uq_arrivals_dedupe", "arrivals", "dedupe", "dedupe <> ''", unique=True)
    _open_only("ix_arrivals_interaction", "arrivals", "interaction", "interaction IS NOT NULL")
    _open_only("ix_arrivals_open", "arrivals", "at", "state IN ('kept', 'failed')")


def _channel_marks() -> None:
    op.create_table(
        "channel_marks",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "name", name=op.f("pk_channel_marks")),
    )


def _envelopes() -> None:
    op.create_table(
        "envelopes",
        sa.Column("interaction", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("reply_to", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("cc", sa.Text(), nullable=False),
        sa.Column("bcc", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("refers_to", sa.Text(), nullable=False),
        sa.Column("quoted", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("inline", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("arrival", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("linked", sa.Text(), nullable=True),
        sa.Column("authenticity", sa.Text(), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("must_not_answer", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("interaction", "n", name=op.f("pk_envelopes")),
        sqlite_with_rowid=False,
    )
    _open_only("ix_envelopes_provider", "envelopes", "provider_id", "provider_id <> ''")


def _outgoing() -> None:
    op.create_table(
        "outgoing",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("interaction", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("answers_n", sa.BigInteger(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("tried_since", sa.BigInteger(), nullable=True),
        sa.Column("accepted", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing")),
        sa.UniqueConstraint("interaction", "n", name=op.f("uq_outgoing_interaction_n")),
    )
    _open_only("ix_outgoing_open", "outgoing", "due_at", "state IN ('waiting', 'sending')")
    _open_only("ix_outgoing_troubled", "outgoing", "due_at", "state IN ('failed', 'uncertain')")


def _rearrangements() -> None:
    op.create_table(
        "rearrangements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.Text(), nullable=False),
        sa.Column("was_open", sa.Boolean(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rearrangements")),
    )
    op.create_index(op.f("ix_rearrangements_source"), "rearrangements", ["source"], unique=False)
    op.create_index(op.f("ix_rearrangements_target"), "rearrangements", ["target"], unique=False)
