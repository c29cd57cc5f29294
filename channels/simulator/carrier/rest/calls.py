"""Calls: begun, looked at, led elsewhere, ended; their recordings."""

from typing import Any, Final

from channels.simulator.carrier.account import API_VERSION
from channels.simulator.carrier.grammar import CALL_EVENTS
from channels.simulator.carrier.interpreter import Machine, outbound
from channels.simulator.carrier.legs import Leg, Redirected, Route, Source, rfc2822
from channels.simulator.carrier.plant import TIME_LIMIT_S, Attempt, Plant
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest import recordings
from channels.simulator.carrier.rest.paging import in_time, newest, page
from channels.simulator.carrier.rest.requests import Request, Response, party
from channels.simulator.carrier.twiml import LARGEST_INLINE
from channels.simulator.carrier.verbs import send_digits

USUAL_TIMEOUT_S: Final = 60
SHOWN: Final = {"initiated": "queued"}
DETECTION: Final = ("Enable", "DetectMessageEnd")


def collection(plant: Plant, request: Request) -> Response:
    """List calls, or begin one."""
    if request.method == "POST":
        return create(plant, request)
    wanted = {name: request.asked(name) for name in ("To", "From", "ParentCallSid", "Status")}
    found = [
        leg
        for leg in newest(plant.legs.values())
        if (not wanted["To"] or leg.route.to == wanted["To"])
        and (not wanted["From"] or leg.route.from_ == wanted["From"])
        and (not wanted["ParentCallSid"] or leg.route.parent == wanted["ParentCallSid"])
        and (not wanted["Status"] or shown(leg) == wanted["Status"])
        and in_time(request, "StartTime", leg.started_at or leg.created_at)
        and in_time(request, "EndTime", leg.ended_at)
    ]
    return page(request, "calls", found, lambda leg: row(plant, leg))


def create(plant: Plant, request: Request) -> Response:
    """Begin a call."""
    to, from_ = ends(plant, request)
    source, fallback = first_document(plant, request)
    machine = machine_of(request, is_async=request.flag("AsyncAmd"), callback="AsyncAmdStatusCallback")
    attempt = Attempt(
        timeout_s=request.number("Timeout", USUAL_TIMEOUT_S, 1, 600),
        program=outbound(plant, source, machine),
        progress=request.progress("StatusCallback", CALL_EVENTS, "completed"),
        time_limit_s=request.number("TimeLimit", int(TIME_LIMIT_S), 1, 86_400),
        is_queued=True,
    )
    order = None
    if request.flag("Record"):
        channels = 2 if request.choice("RecordingChannels", ("mono", "dual"), "mono") == "dual" else 1
        order = recordings.order(request, source="OutboundAPI", channels=channels)
    leg = plant.call(Route(to=to, from_=from_, direction="outbound-api"), attempt)
    leg.fallback = fallback
    if order is not None:
        record_when_up(plant, leg, request, order.channels)
    if request.get("SendDigits"):
        send_digits(leg, request.get("SendDigits"))
    return Response(status=201, payload=row(plant, leg))


def record_when_up(plant: Plant, leg: Leg, request: Request, channels: int) -> None:
    """Record a leg from its answer on."""
    order = recordings.order(request, source="OutboundAPI", call_sid=leg.sid, channels=channels)
    leg.when_up.append(lambda: plant.record_leg(leg, order))


def ends(plant: Plant, request: Request) -> tuple[str, str]:
    """Return who is called and who seems to call."""
    if not request.get("To"):
        raise RestError(21201)
    if not request.get("From"):
        raise RestError(21213)
    to = party(request.get("To"), 21211)
    from_ = request.get("CallerId") or request.get("From")
    if to.startswith(("client:", "sip")):
        return to, from_
    from_ = party(from_, 21212)
    if not plant.switch.account.owns(from_):
        raise RestError(21210, f"The source phone number provided, {from_}, is not yet verified for your account.")
    return to, from_


def first_document(plant: Plant, request: Request) -> tuple[Source, Any]:
    """Return where the call's document comes from, and the fallback."""
    twiml = request.get("Twiml")
    if len(twiml) > LARGEST_INLINE:
        raise RestError(32018)
    if request.get("ApplicationSid"):
        application = plant.switch.account.applications.get(request.get("ApplicationSid"))
        if application is None:
            raise RestError(21218)
        return Source(hook=application.voice, kind="call"), application.voice_fallback
    hook = request.hook("Url", "Method", code=21205)
    fallback = request.hook("FallbackUrl", "FallbackMethod", code=21205)
    if not twiml and not hook:
        raise RestError(21205)
    return Source(hook=hook, twiml="" if hook else twiml, kind="call"), fallback


def machine_of(request: Request, *, is_async: bool, callback: str) -> Machine:
    """Return what a request says about telling machines from people."""
    mode = request.choice("MachineDetection", DETECTION)
    return Machine(mode=mode, is_async=is_async, hook=request.hook(callback))


def single(plant: Plant, request: Request) -> Response:
    """Fetch, change or forget a call."""
    leg = find(plant, request.parts[1].removesuffix(".json"))
    if request.method == "DELETE":
        if not leg.is_over:
            raise RestError(20001, "A call that is not over cannot be deleted", status=409)
        del plant.legs[leg.sid]
        return Response(status=204)
    if request.method == "POST":
        change(plant, request, leg)
    return Response(payload=row(plant, leg))


def change(plant: Plant, request: Request, leg: Leg) -> None:
    """End a call or lead it elsewhere."""
    status = request.choice("Status", ("completed", "canceled"))
    if request.get("Url") or request.get("Twiml"):
        source, fallback = first_document(plant, request)
        if not leg.is_up:
            raise RestError(21220)
        leg.fallback = fallback or leg.fallback
        leg.interrupt(Redirected(source))
    elif request.has("StatusCallback"):
        leg.progress = request.progress("StatusCallback", CALL_EVENTS, "completed")
    if status:
        if leg.is_over:
            raise RestError(21220, "Call is not in-progress. Cannot redirect.")
        if status == "completed" or not leg.is_up:
            leg.hang_up()


def of_recordings(plant: Plant, request: Request) -> Response:
    """List and begin recordings of a call, or change one."""
    leg = find(plant, request.parts[1])
    if len(request.parts) > 3:
        name = request.parts[3].removesuffix(".json")
        if request.method == "POST":
            return recordings.change(plant, request, leg.recordings)
        recording = recordings.choose(plant, name, leg.recordings)
        if request.method == "DELETE":
            recording.finish()
            del plant.recordings[recording.sid]
            return Response(status=204)
        return Response(payload=recordings.row(plant, recording))
    if request.method != "POST":
        return recordings.of_owner(plant, request, leg.recordings)
    if not leg.is_up:
        raise RestError(21220, "Requested resource is not eligible for recording")
    channels = 1 if request.choice("RecordingChannels", ("mono", "dual"), "dual") == "mono" else 2
    order = recordings.order(request, source="StartCallRecordingAPI", call_sid=leg.sid, channels=channels)
    return Response(status=201, payload=recordings.row(plant, plant.record_leg(leg, order)))


def find(plant: Plant, sid: str) -> Leg:
    """Return a call by its sid."""
    leg = plant.legs.get(sid)
    if leg is None:
        raise RestError(
            20404,
            f"The requested resource /{API_VERSION}/Accounts/{plant.switch.account.sid}/Calls/{sid}.json was not found",
        )
    return leg


def shown(leg: Leg) -> str:
    """Return a call's status in the words of this interface."""
    return SHOWN.get(leg.status, leg.status)


def row(plant: Plant, leg: Leg) -> dict[str, Any]:
    """Return a call as the provider shows it."""
    account, route = plant.switch.account.sid, leg.route
    base = f"/{API_VERSION}/Accounts/{account}/Calls/{leg.sid}"
    began = leg.started_at if leg.started_at is not None else leg.ended_at
    subresources = ("notifications", "recordings", "streams", "siprec", "transcriptions", "events", "payments")
    return {
        "sid": leg.sid,
        "account_sid": account,
        "api_version": API_VERSION,
        "answered_by": leg.answered_by or None,
        "annotation": None,
        "caller_name": None,
        "date_created": rfc2822(leg.created_at),
        "date_updated": rfc2822(leg.updated_at),
        "direction": route.direction,
        "duration": str(leg.duration_s) if leg.duration_s is not None else None,
        "start_time": rfc2822(began) if began is not None else None,
        "end_time": rfc2822(leg.ended_at) if leg.ended_at is not None else None,
        "forwarded_from": None,
        "from": route.from_,
        "from_formatted": route.from_,
        "group_sid": None,
        "parent_call_sid": route.parent or None,
        "phone_number_sid": route.number_sid or None,
        "price": None,
        "price_unit": "USD",
        "queue_time": str(leg.queue_time_ms),
        "status": shown(leg),
        "subresource_uris": {name: f"{base}/{name.title()}.json" for name in subresources},
        "to": route.to,
        "to_formatted": route.to,
        "trunk_sid": None,
        "uri": f"{base}.json",
    }
