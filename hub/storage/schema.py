"""The schema, for migrations and for administration: one table a struct, with the indexes that the queries need."""

import types
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import sqlalchemy as sa

from hub.storage import tables
from hub.storage.rows import Rows

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)
_TYPES: dict[Any, type[sa.types.TypeEngine[Any]]] = {
    int: sa.BigInteger,
    str: sa.Text,
    float: sa.Double,
    bool: sa.Boolean,
}


def _column(name: str, hint: Any, *, is_key: bool) -> sa.Column[Any]:
    is_optional = get_origin(hint) in {Union, types.UnionType}
    plain = next(arg for arg in get_args(hint) if arg is not type(None)) if is_optional else hint
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        plain = str
    return sa.Column(name, _TYPES.get(plain, sa.Text)(), primary_key=is_key, nullable=is_optional, autoincrement=False)


def _table(rows: Rows[Any], *more: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    struct: type[msgspec.Struct] = rows.struct
    hints = get_type_hints(struct)
    columns = [_column(name, hints[name], is_key=name in rows.key) for name in rows.columns]
    return sa.Table(rows.table, metadata, *columns, *more, **options)


def _open_only(column: str) -> dict[str, Any]:
    condition = sa.text(column)
    return {"sqlite_where": condition, "postgresql_where": condition}


agents = _table(tables.AGENTS, sa.UniqueConstraint("email"))
credentials = _table(tables.CREDENTIALS)
sessions = _table(tables.SESSIONS, sa.UniqueConstraint("token_hash"), sa.Index(None, "agent"))
customers = _table(tables.CUSTOMERS, sa.Index(None, "merged_into", **_open_only("merged_into IS NOT NULL")))
addresses = _table(tables.ADDRESSES, sa.Index(None, "customer"), sqlite_with_rowid=False)
interactions = _table(
    tables.INTERACTIONS,
    sa.Index("uq_interactions_provider", "channel", "provider_id", unique=True, **_open_only("provider_id <> ''")),
    sa.Index(None, "customer", "created_at"),
    sa.Index(None, "channel", "address", "created_at"),
    sa.Index(None, "ended_at"),
    # By columns that stay as they are: where no index has what changes, PostgreSQL touches none of them (HOT).
    sa.Index("ix_interactions_open", "created_at", **_open_only("ended_at IS NULL")),
    sa.Index(
        "ix_interactions_unsaid",
        "ended_at",
        **_open_only("closing_reason = 'wrap_up_timed_out' AND disposition IS NULL"),
    ),
)
messages = _table(
    tables.MESSAGES,
    sa.Index("uq_messages_client", "interaction", "client_id", unique=True, **_open_only("client_id <> ''")),
    sqlite_with_rowid=False,
)
notes = _table(tables.NOTES, sa.Index(None, "customer", "at"), sa.Index(None, "interaction"))
promises = _table(
    tables.PROMISES,
    sa.Index(None, "customer", "made_at"),
    sa.Index("ix_promises_broken", "due_at", **_open_only("state = 'broken'")),
)
offers = _table(
    tables.OFFERS,
    sa.Index("uq_offers_live", "interaction", "agent", unique=True, **_open_only("state = 'pending'")),
    sa.Index(None, "interaction", "made_at"),
    sa.Index("ix_offers_live_agent", "agent", **_open_only("state = 'pending'")),
)
segments = _table(
    tables.SEGMENTS,
    sa.Index(None, "interaction", "started_at"),
    sa.Index("ix_segments_open", "interaction", **_open_only("ended_at IS NULL")),
)
visitors = _table(tables.VISITORS, sa.UniqueConstraint("token_hash"), sa.Index(None, "customer"))
files = _table(tables.FILES, sa.Index(None, "interaction"))
merges = _table(tables.MERGES, sa.Index(None, "source"), sa.Index(None, "target"))
drafts = _table(tables.DRAFTS, sa.Index(None, "interaction"))
leases = _table(tables.LEASES)
flow_sessions = _table(
    tables.FLOW_SESSIONS,
    sa.Index(None, "customer"),
    sa.Index(None, "started_at"),
    sa.Index("ix_flow_sessions_interaction", "interaction", "started_at"),
    sa.Index("uq_flow_sessions_open", "interaction", unique=True, **_open_only("ended_at IS NULL")),
)
flow_versions = _table(tables.FLOW_VERSIONS, sa.Index(None, "name", "published_at"))
jobs = _table(tables.JOBS, sa.UniqueConstraint("kind", "subject"), sa.Index(None, "due_at"))
indexed = _table(
    tables.INDEXED, sa.Index(None, "ref", "kind", unique=True), sa.Index(None, "customer"), sqlite_with_rowid=False
)
arrivals = _table(
    tables.ARRIVALS,
    sa.UniqueConstraint("channel", "provider_id"),
    sa.Index("uq_arrivals_dedupe", "dedupe", unique=True, **_open_only("dedupe <> ''")),
    sa.Index("ix_arrivals_open", "at", **_open_only("state IN ('kept', 'failed')")),
    sa.Index("ix_arrivals_interaction", "interaction", **_open_only("interaction IS NOT NULL")),
)
channel_marks = _table(tables.CHANNEL_MARKS)
envelopes = _table(
    tables.ENVELOPES,
    sa.Index("ix_envelopes_provider", "provider_id", **_open_only("provider_id <> ''")),
    sqlite_with_rowid=False,
)
outgoing = _table(
    tables.OUTGOING,
    sa.UniqueConstraint("interaction", "n"),
    sa.Index("ix_outgoing_open", "due_at", **_open_only("state IN ('waiting', 'sending')")),
    sa.Index("ix_outgoing_troubled", "due_at", **_open_only("state IN ('failed', 'uncertain')")),
)
opt_outs = _table(tables.OPT_OUTS, sa.Index(None, "address"), sqlite_with_rowid=False)
calls = _table(tables.CALLS)
legs = _table(
    tables.LEGS,
    sa.Index(None, "interaction"),
    sa.Index("ix_legs_provider", "provider_id", **_open_only("provider_id <> ''")),
    sa.Index("ix_legs_live", "interaction", **_open_only("state <> 'ended'")),
)
call_orders = _table(
    tables.CALL_ORDERS,
    sa.Index(None, "interaction"),
    sa.Index("ix_call_orders_open", "due_at", **_open_only("state = 'waiting'")),
)
recordings = _table(tables.RECORDINGS, sa.UniqueConstraint("provider_id"), sa.Index(None, "interaction"))
carrier_events = _table(tables.CARRIER_EVENTS, sa.UniqueConstraint("channel", "key"), sa.Index(None, "interaction"))
rearrangements = _table(tables.REARRANGEMENTS, sa.Index(None, "source"), sa.Index(None, "target"))
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("interaction", sa.Text),
    sa.Column("customer", sa.Text),
    sa.Column("agent", sa.Text),
    sa.Column("queue", sa.Text),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("tx", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # Not what was said: that is in `messages`, and most of what there is.
    sa.Index(None, "interaction", "seq", **_open_only("kind <> 'message_stored'")),
    sa.Index(
        "ix_journal_floor",
        "at",
        **_open_only(
            "kind IN ('interaction_queued', 'interaction_answered', 'interaction_transferred', 'interaction_ended')"
        ),
    ),
)
cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
