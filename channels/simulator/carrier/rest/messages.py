"""Messages and their files."""

from typing import Any

import msgspec
import phonenumbers

from channels.simulator.carrier.account import API_VERSION, Hook
from channels.simulator.carrier.legs import rfc2822
from channels.simulator.carrier.messaging import LONGEST, MOST_MEDIA, Media, Message, Post
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest.paging import in_time, newest, page
from channels.simulator.carrier.rest.requests import Request, Response, party
from channels.simulator.carrier.running import is_callable


def collection(post: Post, request: Request) -> Response:
    """List messages, or send one."""
    if request.method == "POST":
        return create(post, request)
    to, from_ = request.asked("To"), request.asked("From")
    found = [
        one
        for one in newest(post.messages.values())
        if (not to or one.to == to) and (not from_ or one.from_ == from_) and in_time(request, "DateSent", one.sent_at)
    ]
    return page(request, "messages", found, lambda one: row(post, one))


def create(post: Post, request: Request) -> Response:
    """Send a message."""
    if not request.get("To"):
        raise RestError(21604)
    to = _address(request.get("To"), 21211)
    urls = request.values("MediaUrl")
    body, content = request.get("Body"), request.get("ContentSid")
    if not body and not urls and not content:
        raise RestError(21602)
    if len(body) > LONGEST:
        raise RestError(21617)
    if len(urls) > MOST_MEDIA:
        raise RestError(21623)
    if any(not is_callable(url) for url in urls):
        raise RestError(21620)
    from_, service_sid, hook = sender(post, request, to)
    if not to.startswith("whatsapp:") and country_of(to) in post.switch.account.limits.closed_countries:
        raise RestError(21408)
    if not service_sid and (from_, to) in post.opted_out:
        raise RestError(21610)
    message = Message(
        sid=post.switch.sids.new("MM" if urls else "SM"),
        to=to,
        from_=from_,
        body=body or (_filled(post, content, request.get("ContentVariables")) if content else ""),
        direction="outbound-api",
        status="accepted" if service_sid else "queued",
        created_at=post.switch.now(),
        service_sid=service_sid,
        is_template=bool(content),
        progress=request.hook("StatusCallback") or hook or Hook(""),
    )
    payload = row(post, message, num_media=len(urls))
    post.send(message, urls)
    return Response(status=201, payload=payload | {"num_segments": str(message.segments)})


def _filled(post: Post, content: str, variables: str) -> str:
    """Return an agreed wording with its gaps filled in; of one that the account does not have, what was given."""
    text = post.switch.account.contents.get(content)
    if text is None:
        return variables or content
    try:
        values = msgspec.json.decode(variables or "{}", type=dict[str, str])
    except msgspec.DecodeError:
        raise RestError(21656) from None
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def sender(post: Post, request: Request, to: str) -> tuple[str, str, Hook]:
    """Return who sends, the service it is sent by, and the service's own status address."""
    account = post.switch.account
    if request.get("MessagingServiceSid"):
        service = account.services.get(request.get("MessagingServiceSid"))
        if service is None:
            raise RestError(21701)
        wanted = [one for one in service.senders if one.startswith("whatsapp:") == to.startswith("whatsapp:")]
        if not wanted:
            raise RestError(21704)
        return request.get("From", wanted[0]), service.sid, service.status_callback
    if not request.get("From"):
        raise RestError(21603)
    from_ = _address(request.get("From"), 21212)
    if from_.startswith("whatsapp:") != to.startswith("whatsapp:"):
        raise RestError(21606, "To and From must be of one kind")
    number = account.numbers.get(from_) or account.numbers.get(from_.removeprefix("whatsapp:"))
    if number is None or not number.can_write:
        raise RestError(
            21606, f"The From phone number {from_} is not a valid, message-capable number for your account."
        )
    return from_, "", Hook("")


def _address(text: str, code: int) -> str:
    prefix = "whatsapp:" if text.startswith("whatsapp:") else ""
    rest = text.removeprefix("whatsapp:")
    if rest.startswith(("client:", "sip:")):
        raise RestError(code)
    return prefix + party(rest, code)


def country_of(number: str) -> str:
    """Return the country of a number in E.164, two letters; empty where its prefix does not tell."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""


def single(post: Post, request: Request) -> Response:
    """Fetch, call off, blank or forget a message."""
    message = find(post, request.parts[1].removesuffix(".json"))
    if request.method == "DELETE":
        del post.messages[message.sid]
        return Response(status=204)
    if request.method == "POST":
        if request.choice("Status", ("canceled",)) and not post.cancel(message):
            raise RestError(20001, "The message is on its way and cannot be canceled", status=409)
        if request.has("Body") and not request.get("Body"):
            message.body = ""
    return Response(payload=row(post, message))


def media(post: Post, request: Request) -> Response:
    """List a message's files; a file itself lies where no credentials are needed, and the answer leads there."""
    message = find(post, request.parts[1])
    if len(request.parts) < 4:
        return page(request, "media_list", message.media, lambda one: media_row(post, message, one))
    name = request.parts[3]
    found = next((one for one in message.media if one.sid == name.removesuffix(".json")), None)
    if found is None:
        raise RestError(20404)
    if request.method == "DELETE":
        message.media.remove(found)
        return Response(status=204)
    if name.endswith(".json"):
        return Response(payload=media_row(post, message, found))
    return Response(status=307, headers={"Location": f"{post.base_url}/media/{found.key}"})


def find(post: Post, sid: str) -> Message:
    """Return a message by its sid."""
    message = post.messages.get(sid)
    if message is None:
        raise RestError(20404)
    return message


def row(post: Post, message: Message, *, num_media: int | None = None) -> dict[str, Any]:
    """Return a message as the provider shows it."""
    account = post.switch.account.sid
    base = f"/{API_VERSION}/Accounts/{account}/Messages/{message.sid}"
    return {
        "sid": message.sid,
        "account_sid": account,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": rfc2822(message.created_at),
        "date_sent": rfc2822(message.sent_at) if message.sent_at is not None else None,
        "date_updated": rfc2822(message.updated_at or message.created_at),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": None,
        "from": message.from_,
        "to": message.to,
        "messaging_service_sid": message.service_sid or None,
        "num_media": str(num_media if num_media is not None else len(message.media)),
        "num_segments": str(message.segments),
        "price": None,
        "price_unit": "USD",
        "status": message.status,
        "subresource_uris": {"media": f"{base}/Media.json"},
        "uri": f"{base}.json",
    }


def media_row(post: Post, message: Message, media: Media) -> dict[str, Any]:
    """Return a file as the provider shows it."""
    account = post.switch.account.sid
    return {
        "sid": media.sid,
        "account_sid": account,
        "parent_sid": message.sid,
        "content_type": media.content_type,
        "date_created": rfc2822(message.created_at),
        "date_updated": rfc2822(message.created_at),
        "uri": f"/{API_VERSION}/Accounts/{account}/Messages/{message.sid}/Media/{media.sid}.json",
    }
