"""Recordings: lists, files, and those under calls and conferences."""

from collections.abc import Iterable
from typing import Any

from channels.simulator.carrier.account import API_VERSION
from channels.simulator.carrier.grammar import RECORDING_EVENTS
from channels.simulator.carrier.legs import rfc2822
from channels.simulator.carrier.plant import Plant
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.recordings import Order, Recording
from channels.simulator.carrier.rest.paging import in_time, newest, page
from channels.simulator.carrier.rest.requests import Request, Response

CURRENT = "Twilio.CURRENT"


def collection(plant: Plant, request: Request) -> Response:
    """List all recordings."""
    call, room = request.asked("CallSid"), request.asked("ConferenceSid")
    found = [
        one
        for one in newest(plant.recordings.values())
        if (not call or one.order.call_sid == call)
        and (not room or one.order.conference_sid == room)
        and in_time(request, "DateCreated", one.started_at)
    ]
    return page(request, "recordings", found, lambda one: row(plant, one))


def single(plant: Plant, request: Request) -> Response:
    """Fetch, delete, or return the file: the ending of the name decides."""
    name = request.parts[-1]
    sid, _, ending = name.partition(".")
    recording = find(plant, sid)
    if request.method == "DELETE":
        recording.finish()
        del plant.recordings[sid]
        return Response(status=204)
    if request.method != "GET":
        raise RestError(20004)
    if ending == "json":
        return Response(payload=row(plant, recording))
    if ending not in {"", "wav", "mp3"} or not recording.is_over or not recording.duration_ms:
        raise RestError(20404, f"The requested resource {request.path} was not found")
    kind = "audio/mpeg" if ending == "mp3" else "audio/x-wav"
    return Response(body=recording.file(ending or "wav"), content_type=kind)


def of_owner(plant: Plant, request: Request, sids: Iterable[str]) -> Response:
    """List the recordings of a call or a conference."""
    found = [plant.recordings[sid] for sid in sids if sid in plant.recordings]
    return page(request, "recordings", newest(found), lambda one: row(plant, one))


def change(plant: Plant, request: Request, sids: list[str]) -> Response:
    """Pause, resume or stop a recording of a call or a conference; `Twilio.CURRENT` is the last one that runs."""
    recording = choose(plant, request.parts[-1].removesuffix(".json"), sids)
    status = request.choice("Status", ("paused", "in-progress", "stopped"))
    if not recording.is_live:
        raise RestError(21235 if status != "stopped" else 21220, "The recording has ended already.")
    if status == "paused":
        recording.pause(keep_silence=request.choice("PauseBehavior", ("skip", "silence"), "silence") == "silence")
    elif status == "in-progress":
        recording.resume()
    else:
        recording.finish()
    return Response(payload=row(plant, recording, status=status))


def choose(plant: Plant, name: str, sids: list[str]) -> Recording:
    """Return a recording of some by its sid, or the one that runs."""
    own = [plant.recordings[sid] for sid in sids if sid in plant.recordings]
    own = [one for one in own if one.is_live][-1:] if name == CURRENT else [one for one in own if one.sid == name]
    if not own:
        raise RestError(20404)
    return own[0]


def order(request: Request, *, source: str, call_sid: str = "", conference_sid: str = "", channels: int = 1) -> Order:
    """Return what a request to record says."""
    progress = request.progress("RecordingStatusCallback", RECORDING_EVENTS, "completed")
    return Order(
        source=source,
        call_sid=call_sid,
        conference_sid=conference_sid,
        channels=channels,
        hook=progress.hook,
        events=progress.events,
        track=request.get("RecordingTrack", "both"),
    )


def find(plant: Plant, sid: str) -> Recording:
    """Return a recording by its sid."""
    recording = plant.recordings.get(sid)
    if recording is None:
        raise RestError(20404)
    return recording


def row(plant: Plant, recording: Recording, *, status: str = "") -> dict[str, Any]:
    """Return a recording as the provider shows it."""
    account, order_ = plant.switch.account.sid, recording.order
    uri = f"/{API_VERSION}/Accounts/{account}/Recordings/{recording.sid}"
    return {
        "account_sid": account,
        "api_version": API_VERSION,
        "call_sid": order_.call_sid or None,
        "conference_sid": order_.conference_sid or None,
        "channels": order_.channels,
        "date_created": rfc2822(recording.started_at),
        "date_updated": rfc2822(recording.ended_at or recording.started_at),
        "start_time": rfc2822(recording.started_at),
        "duration": str(recording.duration_s) if not recording.is_live else None,
        "sid": recording.sid,
        "source": order_.source,
        "status": status or recording.state,
        "track": order_.track,
        "error_code": None,
        "price": None,
        "price_unit": "USD",
        "encryption_details": None,
        "media_url": f"{plant.base_url}{uri}",
        "subresource_uris": {},
        "uri": f"{uri}.json",
    }
