"""The journal's catalogue: every kind of thing that happens, and the one shape it is written in.

An event carries identifiers and facts, never personal text: names, messages and addresses live in tables of their own,
so that erasing a customer leaves every number right (design.md, 7).
"""

from enum import StrEnum

import msgspec

from hub.domain.ids import AgentId, CustomerId, InteractionId, QueueId

Fact = str | int | float | bool | None


class EventKind(StrEnum):
    """Past tense, one for each thing a reader of the journal may want to know."""

    CUSTOMER_CREATED = "customer_created"
    CUSTOMER_CHANGED = "customer_changed"
    ADDRESS_ADDED = "address_added"
    ADDRESS_REMOVED = "address_removed"
    CUSTOMERS_MERGED = "customers_merged"
    MERGE_UNDONE = "merge_undone"
    NOTE_ADDED = "note_added"
    INTERACTION_CREATED = "interaction_created"
    INTERACTION_QUEUED = "interaction_queued"
    INTERACTION_ANSWERED = "interaction_answered"
    INTERACTION_PARKED = "interaction_parked"
    INTERACTION_RESUMED = "interaction_resumed"
    INTERACTION_TRANSFERRED = "interaction_transferred"
    INTERACTION_WRAPPING = "interaction_wrapping"
    WRAP_UP_EXTENDED = "wrap_up_extended"
    INTERACTION_ENDED = "interaction_ended"
    MESSAGE_LEFT = "message_left"
    MESSAGE_STORED = "message_stored"
    MESSAGES_SEEN = "messages_seen"
    OFFER_MADE = "offer_made"
    OFFER_ENDED = "offer_ended"
    PRESENCE_CHANGED = "presence_changed"
    CONNECTIVITY_CHANGED = "connectivity_changed"
    NOT_RESPONDING = "not_responding"
    AGENT_CHANGED = "agent_changed"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    ROUTING_STARTED = "routing_started"
    ROUTING_TOLD = "routing_told"
    FILE_STORED = "file_stored"
    VISITOR_CREATED = "visitor_created"
    CALL_ARRIVED = "call_arrived"
    CALL_CONNECTED = "call_connected"
    LEG_ENDED = "leg_ended"
    LINE_LOST = "line_lost"
    LINE_BACK = "line_back"
    CALL_HELD = "call_held"
    CALL_RESUMED = "call_resumed"
    CONSULT_BEGAN = "consult_began"
    CONSULT_ENDED = "consult_ended"
    CALL_PUT_THROUGH = "call_put_through"
    CALLBACK_BOOKED = "callback_booked"
    RECORDING_STORED = "recording_stored"
    RECORDING_PAUSED = "recording_paused"
    SUPERVISOR_LISTENS = "supervisor_listens"
    ARRIVAL_KEPT = "arrival_kept"
    ARRIVAL_FAILED = "arrival_failed"
    PROMISE_MADE = "promise_made"
    PROMISE_ENDED = "promise_ended"
    LETTER_DUE = "letter_due"
    LETTER_SENT = "letter_sent"
    LETTER_DELAYED = "letter_delayed"
    LETTER_FAILED = "letter_failed"
    LETTER_UNCERTAIN = "letter_uncertain"
    LETTER_CANCELLED = "letter_cancelled"
    LETTER_BOUNCED = "letter_bounced"
    INTERACTION_SPLIT = "interaction_split"
    INTERACTION_JOINED = "interaction_joined"
    FLOW_STARTED = "flow_started"
    FLOW_STEP_ENTERED = "flow_step_entered"
    FLOW_ANSWERED = "flow_answered"
    FLOW_NOT_UNDERSTOOD = "flow_not_understood"
    FLOW_ASKED_BACK = "flow_asked_back"
    FLOW_HELPED = "flow_helped"
    FLOW_SILENT = "flow_silent"
    FLOW_LANGUAGE = "flow_language"
    FLOW_LOOKED_UP = "flow_looked_up"
    FLOW_KNOWLEDGE = "flow_knowledge"
    FLOW_ENTERED = "flow_entered"
    FLOW_SENT = "flow_sent"
    FLOW_NOT_SENT = "flow_not_sent"
    FLOW_EXPRESSION_FAILED = "flow_expression_failed"
    FLOW_ENDED = "flow_ended"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, at one instant (milliseconds since 1970 UTC), by one actor.

    `actor` is `customer`, `agent:ID`, `system` or the name of the timer that fired. `seq` is 0 until it is committed.
    """

    kind: EventKind
    at: int
    actor: str = "system"
    interaction: InteractionId | None = None
    customer: CustomerId | None = None
    agent: AgentId | None = None
    queue: QueueId | None = None
    facts: dict[str, Fact] = msgspec.field(default_factory=dict)
    seq: int = 0
