"""Queues and who waits in them."""

from typing import Any, Final

from channels.simulator.carrier.account import API_VERSION
from channels.simulator.carrier.legs import Source, rfc2822
from channels.simulator.carrier.plant import Plant
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.queues import DEFAULT_SIZE, LARGEST, CallQueue, Dequeued, Member
from channels.simulator.carrier.rest.paging import newest, page
from channels.simulator.carrier.rest.requests import Request, Response

LONGEST_NAME: Final = 64


def collection(plant: Plant, request: Request) -> Response:
    """List queues, or make one."""
    if request.method != "POST":
        return page(request, "queues", newest(plant.queues.values()), lambda one: row(plant, one))
    name = request.get("FriendlyName")
    if not name or len(name) > LONGEST_NAME:
        raise RestError(20001, "FriendlyName must have 1 to 64 characters")
    if any(queue.name == name for queue in plant.queues.values()):
        raise RestError(22003)
    queue = plant.queue(name, request.number("MaxSize", DEFAULT_SIZE, 1, LARGEST))
    return Response(status=201, payload=row(plant, queue))


def single(plant: Plant, request: Request) -> Response:
    """Fetch, change or remove a queue; one in which somebody waits stays."""
    queue = find(plant, request.parts[1].removesuffix(".json"))
    if request.method == "DELETE":
        if queue.members:
            raise RestError(22003, "Queue is not empty")
        del plant.queues[queue.sid]
        return Response(status=204)
    if request.method == "POST":
        queue.most = request.number("MaxSize", queue.most, 1, LARGEST)
        queue.name = request.get("FriendlyName", queue.name)
        queue.updated_at = plant.switch.now()
    return Response(payload=row(plant, queue))


def members(plant: Plant, request: Request) -> Response:
    """List who waits, in order."""
    queue = find(plant, request.parts[1])
    rows = [_Row(member) for member in queue.members.values()]
    return page(request, "queue_members", rows, lambda one: member_row(plant, queue, one.member))


class _Row:
    """A member under its call's name, as pages need it."""

    def __init__(self, member: Member) -> None:
        self.sid = member.leg.sid
        self.member = member


def member(plant: Plant, request: Request) -> Response:
    """Look at somebody who waits, or lead that call elsewhere; `Front` is who has waited longest."""
    queue = find(plant, request.parts[1])
    name = request.parts[3].removesuffix(".json")
    found = queue.front() if name == "Front" else queue.members.get(name)
    if found is None:
        raise RestError(20404)
    payload = member_row(plant, queue, found)
    if request.method == "POST":
        hook = request.hook("Url", "Method", code=21205)
        if not hook:
            raise RestError(21205)
        queue.leave(found.leg)
        found.leg.interrupt(Dequeued(source=Source(hook=hook, kind="call")))
    return Response(payload=payload)


def find(plant: Plant, sid: str) -> CallQueue:
    """Return a queue by its sid."""
    queue = plant.queues.get(sid)
    if queue is None:
        raise RestError(20404)
    return queue


def row(plant: Plant, queue: CallQueue) -> dict[str, Any]:
    """Return a queue as the provider shows it."""
    account = plant.switch.account.sid
    base = f"/{API_VERSION}/Accounts/{account}/Queues/{queue.sid}"
    return {
        "sid": queue.sid,
        "account_sid": account,
        "friendly_name": queue.name,
        "current_size": len(queue.members),
        "max_size": queue.most,
        "average_wait_time": queue.average_s,
        "date_created": rfc2822(queue.created_at),
        "date_updated": rfc2822(queue.updated_at),
        "subresource_uris": {"members": f"{base}/Members.json"},
        "uri": f"{base}.json",
    }


def member_row(plant: Plant, queue: CallQueue, member: Member) -> dict[str, Any]:
    """Return somebody who waits as the provider shows it."""
    account = plant.switch.account.sid
    return {
        "call_sid": member.leg.sid,
        "queue_sid": queue.sid,
        "date_enqueued": rfc2822(member.joined_at),
        "position": queue.position(member.leg),
        "wait_time": queue.wait_s(member),
        "uri": f"/{API_VERSION}/Accounts/{account}/Queues/{queue.sid}/Members/{member.leg.sid}.json",
    }
