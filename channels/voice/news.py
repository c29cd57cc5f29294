"""What the carrier's callbacks say, in the hub's words. Pure: parameters in, news out.

Parameters: twilio.com/docs/voice/api/conference-resource and call status callbacks. Callbacks come twice, late, out of
order or not at all; the key is what makes one of them count once.
"""

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Final

from hub.contract.calls import LegNews, RecordingNews
from hub.domain.calls import EndCause, Place

_STATES: Final = {
    "ringing": "ringing",
    "in-progress": "up",
    "answered": "up",
    "completed": "ended",
    "busy": "ended",
    "failed": "ended",
    "no-answer": "ended",
    "canceled": "ended",
}
CAUSES: Final = {
    "completed": EndCause.HUNG_UP,
    "busy": EndCause.BUSY,
    "failed": EndCause.FAILED,
    "no-answer": EndCause.NO_ANSWER,
    "canceled": EndCause.HUNG_UP_BY_US,
}
RECORDED: Final = frozenset({"completed", "absent", "failed"})
Params = Mapping[str, str]
ENDED: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def of(parts: Sequence[str], query: Params, params: Params) -> LegNews | RecordingNews | None:
    """Return what a callback says that came to one of our addresses, by its parts; None where that changes nothing.

    A question that is asked as a line ends says that, too.
    """
    match parts:
        case ["leg", leg]:
            return of_leg(params, leg)
        case ["machine", leg]:
            return of_machine(params, leg)
        case ["room"]:
            return of_room(params)
        case ["recording"]:
            return of_recording(params, query.get("interaction", ""), is_message=bool(query.get("message")))
        case ["status"]:
            return of_leg(params)
        case _:
            return of_leg(params) if params.get("CallStatus") in ENDED else None


def of_leg(params: Params, leg: str = "") -> LegNews | None:
    """Return what a call's status callback says; None for a status that changes nothing here."""
    status, sid = params.get("CallStatus", ""), params.get("CallSid", "")
    state = _STATES.get(status)
    if state is None or not sid:
        return None
    return LegNews(
        key=f"{sid}:{status}",
        leg=leg,
        provider_id=sid,
        state=state,  # type: ignore[arg-type]
        cause=CAUSES.get(status),
    )


def of_machine(params: Params, leg: str) -> LegNews | None:
    """Return that a machine has answered; None for people and for the unknown."""
    answered_by, sid = params.get("AnsweredBy", ""), params.get("CallSid", "")
    if not is_machine(answered_by) or not sid:
        return None
    key = f"{sid}:machine"
    return LegNews(key=key, leg=leg, provider_id=sid, is_machine=True)


def is_machine(answered_by: str) -> bool:
    """Whether the carrier's word for who has answered means that nobody has."""
    return answered_by.startswith("machine") or answered_by == "fax"


def of_room(params: Params) -> LegNews | None:
    """Return what a conference's callback says of one participant; None for what concerns the room alone."""
    event, sid = params.get("StatusCallbackEvent", ""), params.get("CallSid", "")
    label = params.get("ParticipantLabel", "")
    number = params.get("SequenceNumber", "")
    if not sid or not number.isascii() or not number.isdigit():
        return None
    key = f"{params.get('ConferenceSid', '')}:{number}"
    # A line may come to a second conference of the same name, whose numbers begin anew: time first, number second.
    seq = _seconds(params.get("Timestamp", "")) * 100_000 + int(number)
    match event:
        case "participant-join":
            return LegNews(
                key=key,
                leg=label,
                provider_id=sid,
                state="up",
                place=Place.ROOM,
                is_held=params.get("Hold") == "true",
                is_muted=params.get("Muted") == "true",
                seq=seq,
            )
        case "participant-leave":
            return LegNews(key=key, leg=label, provider_id=sid, place=Place.NOWHERE, seq=seq)
        case "participant-hold" | "participant-unhold":
            return LegNews(key=key, leg=label, provider_id=sid, is_held=event == "participant-hold", seq=seq)
        case "participant-mute" | "participant-unmute":
            return LegNews(key=key, leg=label, provider_id=sid, is_muted=event == "participant-mute", seq=seq)
        case _:
            return None


def _seconds(timestamp: str) -> int:
    """Return a callback's Timestamp (RFC 2822) in seconds since 1970; 0 where there is none."""
    try:
        return round(parsedate_to_datetime(timestamp).timestamp())
    except ValueError:
        return 0


def of_recording(params: Params, interaction: str, *, is_message: bool) -> RecordingNews | None:
    """Return that a recording is ready or came to nothing; None while it runs."""
    sid, status = params.get("RecordingSid", ""), params.get("RecordingStatus", "")
    if not sid or status not in RECORDED:
        return None
    duration = params.get("RecordingDuration", "")
    return RecordingNews(
        key=f"{sid}:{status}",
        interaction=interaction,
        provider_id=sid,
        is_message=is_message,
        duration_s=int(duration) if duration.isascii() and duration.isdigit() else None,
        problem="" if status == "completed" else status,
    )
