"""Conferences: lists, ending one, announcements, recordings."""

from typing import Any

from channels.simulator.carrier.account import API_VERSION
from channels.simulator.carrier.attending import announce
from channels.simulator.carrier.conferences import Conference
from channels.simulator.carrier.legs import rfc2822
from channels.simulator.carrier.plant import Plant
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest import recordings
from channels.simulator.carrier.rest.paging import in_time, newest, page
from channels.simulator.carrier.rest.requests import Request, Response


def collection(plant: Plant, request: Request) -> Response:
    """List conferences."""
    name, status = request.asked("FriendlyName"), request.asked("Status")
    found = [
        one
        for one in newest(plant.conferences.values())
        if (not name or one.name == name)
        and (not status or one.status == status)
        and in_time(request, "DateCreated", one.created_at)
        and in_time(request, "DateUpdated", one.updated_at)
    ]
    return page(request, "conferences", found, lambda one: row(plant, one))


def single(plant: Plant, request: Request) -> Response:
    """Fetch a conference, end it, or let everybody in it hear something."""
    conference = find(plant, request.parts[1].removesuffix(".json"))
    if request.method == "POST":
        status = request.choice("Status", ("completed",))
        hook = request.hook("AnnounceUrl", "AnnounceMethod", code=21205)
        if hook:
            if conference.is_over:
                raise RestError(16009)
            plant.switch.spawn(announce(plant, conference, None, hook), "announcement")
        if status:
            conference.end("conference-ended-via-api")
    elif request.method != "GET":
        raise RestError(20004)
    return Response(payload=row(plant, conference))


def of_recordings(plant: Plant, request: Request) -> Response:
    """List recordings of a conference, or change one. None is begun here; the provider only lets participants do so."""
    conference = find(plant, request.parts[1])
    if len(request.parts) > 3:
        name = request.parts[3].removesuffix(".json")
        if request.method == "POST":
            return recordings.change(plant, request, conference.recordings)
        recording = recordings.choose(plant, name, conference.recordings)
        if request.method == "DELETE":
            recording.finish()
            del plant.recordings[recording.sid]
            return Response(status=204)
        return Response(payload=recordings.row(plant, recording))
    if request.method == "POST":
        return begin_recording(plant, request, conference)
    return recordings.of_owner(plant, request, conference.recordings)


def begin_recording(plant: Plant, request: Request, conference: Conference) -> Response:
    """Record a conference from now on."""
    if conference.status != "in-progress":
        raise RestError(21220, "The conference is not in-progress")
    order = recordings.order(request, source="StartConferenceRecordingAPI", conference_sid=conference.sid)
    return Response(status=201, payload=recordings.row(plant, plant.record_room(conference, order)))


def find(plant: Plant, sid: str) -> Conference:
    """Return a conference by its sid."""
    conference = plant.conferences.get(sid)
    if conference is None:
        raise RestError(20404)
    return conference


def row(plant: Plant, conference: Conference) -> dict[str, Any]:
    """Return a conference as the provider shows it."""
    account = plant.switch.account.sid
    base = f"/{API_VERSION}/Accounts/{account}/Conferences/{conference.sid}"
    return {
        "sid": conference.sid,
        "account_sid": account,
        "api_version": API_VERSION,
        "friendly_name": conference.name,
        "region": conference.region,
        "status": conference.status,
        "date_created": rfc2822(conference.created_at),
        "date_updated": rfc2822(conference.updated_at),
        "reason_conference_ended": conference.reason_ended or None,
        "call_sid_ending_conference": conference.ended_by_sid or None,
        "subresource_uris": {
            "participants": f"{base}/Participants.json",
            "recordings": f"{base}/Recordings.json",
        },
        "uri": f"{base}.json",
    }
