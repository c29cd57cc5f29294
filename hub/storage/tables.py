"""Which struct lives in which table: all that the hot path needs to know of the schema."""

from typing import Final

import msgspec

from hub.domain.accounts import Credential, Session
from hub.domain.agent import Agent
from hub.domain.calls import Call, CarrierEvent, Leg, Order, Recording
from hub.domain.correspondence import Arrival, ChannelMark, Envelope, Outgoing, Rearrangement
from hub.domain.customers import Address, Customer
from hub.domain.ids import InteractionId
from hub.domain.interaction import Interaction
from hub.domain.messages import Message, Note
from hub.domain.offer import Offer
from hub.domain.promises import Promise
from hub.domain.segments import Segment
from hub.domain.self_service import FlowSession, FlowVersion
from hub.domain.texting import OptOut
from hub.domain.visitors import Draft, Merge, StoredFile, Visitor
from hub.storage.rows import Rows


class LeaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides: `token` grows with each taking, so that an old holder's writes can be told."""

    id: str
    owner: str
    token: int
    expires_at: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A durable timer: `kind` names its handler, `subject` what it is about; one of a kind for each subject."""

    id: str
    kind: str
    subject: str
    due_at: int
    attempts: int = 0
    note: str = ""


class GoneJob(msgspec.Struct, frozen=True):
    """Announces that a durable timer was taken back: whoever has armed it need not look whether it still stands."""

    id: str


class Indexed(msgspec.Struct, frozen=True, kw_only=True):
    """One searchable text: where it came from. `doc` is its number in the full-text tables, rising.

    `tokens` are kept where the text can change (customers): to forget them, the index must be told them again.
    """

    doc: int
    kind: str
    ref: str
    customer: str
    interaction: InteractionId | None
    queue: str
    at: int
    tokens: str = ""


AGENTS = Rows("agents", Agent)
CREDENTIALS = Rows("credentials", Credential, key=("agent",))
SESSIONS = Rows("sessions", Session)
CUSTOMERS = Rows("customers", Customer)
ADDRESSES = Rows("addresses", Address, key=("kind", "value"))
INTERACTIONS = Rows("interactions", Interaction)
MESSAGES = Rows("messages", Message, key=("interaction", "n"))
NOTES = Rows("notes", Note)
PROMISES = Rows("promises", Promise)
OFFERS = Rows("offers", Offer)
SEGMENTS = Rows("segments", Segment)
VISITORS = Rows("visitors", Visitor)
FILES = Rows("files", StoredFile)
MERGES = Rows("merges", Merge)
DRAFTS = Rows("drafts", Draft)
JOBS = Rows("jobs", Job)
INDEXED = Rows("indexed", Indexed, key=("doc",))
LEASES = Rows("leases", LeaseRow)
ARRIVALS = Rows("arrivals", Arrival)
CHANNEL_MARKS = Rows("channel_marks", ChannelMark, key=("channel", "name"))
ENVELOPES = Rows("envelopes", Envelope, key=("interaction", "n"))
OUTGOING = Rows("outgoing", Outgoing)
CALLS = Rows("calls", Call)
LEGS = Rows("legs", Leg)
CALL_ORDERS = Rows("call_orders", Order)
RECORDINGS = Rows("recordings", Recording)
CARRIER_EVENTS = Rows("carrier_events", CarrierEvent)
REARRANGEMENTS = Rows("rearrangements", Rearrangement)
FLOW_SESSIONS = Rows("flow_sessions", FlowSession)
FLOW_VERSIONS = Rows("flow_versions", FlowVersion)
OPT_OUTS = Rows("opt_outs", OptOut, key=("channel", "address"))

RECALLED: Final = frozenset(rows.struct for rows in (AGENTS, CUSTOMERS, INTERACTIONS, OFFERS, CALLS))
"""What the hot path asks for by id again and again (`UnitOfWork.recall`)."""
