"""The account itself: its state, numbers and applications."""

from typing import Any

from channels.simulator.carrier.account import API_VERSION, Account, Application, Hook, Number
from channels.simulator.carrier.legs import rfc2822
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest.paging import page
from channels.simulator.carrier.rest.requests import Request, Response
from channels.simulator.carrier.switch import Switch


def account(switch: Switch, request: Request) -> Response:
    """Fetch the account."""
    if request.method != "GET":
        raise RestError(20004)
    own = switch.account
    return Response(
        payload={
            "sid": own.sid,
            "owner_account_sid": own.sid,
            "friendly_name": own.friendly_name,
            "status": "active",
            "type": "Full",
            "auth_token": None,
            "date_created": rfc2822(0),
            "date_updated": rfc2822(0),
            "subresource_uris": {},
            "uri": f"/{API_VERSION}/Accounts/{own.sid}.json",
        }
    )


def numbers(switch: Switch, request: Request) -> Response:
    """List the account's numbers."""
    wanted, name = request.asked("PhoneNumber"), request.asked("FriendlyName")
    found = [
        number
        for number in switch.account.numbers.values()
        if (not wanted or wanted in number.phone_number) and (not name or name == number.friendly_name)
    ]
    return page(request, "incoming_phone_numbers", found, lambda one: number_row(switch.account, one))


def number(switch: Switch, request: Request) -> Response:
    """Fetch a number, or change where its calls and messages go."""
    sid = request.parts[1].removesuffix(".json")
    found = next((one for one in switch.account.numbers.values() if one.sid == sid), None)
    if found is None:
        raise RestError(20404)
    if request.method == "POST":
        for name, attribute in (
            ("VoiceUrl", "voice"),
            ("VoiceFallbackUrl", "voice_fallback"),
            ("StatusCallback", "status_callback"),
            ("SmsUrl", "sms"),
            ("SmsFallbackUrl", "sms_fallback"),
        ):
            if request.has(name):
                setattr(found, attribute, request.hook(name, f"{name.removesuffix('Url')}Method", code=21205))
        found.friendly_name = request.get("FriendlyName", found.friendly_name)
    return Response(payload=number_row(switch.account, found))


def applications(switch: Switch, request: Request) -> Response:
    """List the account's applications, or fetch one."""
    if len(request.parts) > 1:
        found = switch.account.applications.get(request.parts[1].removesuffix(".json"))
        if found is None:
            raise RestError(20404)
        return Response(payload=application_row(switch.account, found))
    everything = list(switch.account.applications.values())
    return page(request, "applications", everything, lambda one: application_row(switch.account, one))


def number_row(own: Account, number: Number) -> dict[str, Any]:
    """Return a number as the provider shows it."""
    return {
        "sid": number.sid,
        "account_sid": own.sid,
        "api_version": API_VERSION,
        "phone_number": number.phone_number,
        "friendly_name": number.friendly_name or number.phone_number,
        "capabilities": {"voice": number.can_talk, "sms": number.can_write, "mms": number.can_write, "fax": False},
        "voice_application_sid": number.voice_application_sid or None,
        **_shown("voice", number.voice),
        **_shown("voice_fallback", number.voice_fallback),
        **_shown("sms", number.sms),
        **_shown("sms_fallback", number.sms_fallback),
        "sms_application_sid": None,
        "status_callback": number.status_callback.url,
        "status_callback_method": number.status_callback.method,
        "status": "in-use",
        "origin": "twilio",
        "beta": False,
        "address_requirements": "none",
        "date_created": rfc2822(0),
        "date_updated": rfc2822(0),
        "uri": f"/{API_VERSION}/Accounts/{own.sid}/IncomingPhoneNumbers/{number.sid}.json",
    }


def application_row(own: Account, application: Application) -> dict[str, Any]:
    """Return an application as the provider shows it."""
    return {
        "sid": application.sid,
        "account_sid": own.sid,
        "api_version": API_VERSION,
        "friendly_name": application.friendly_name,
        **_shown("voice", application.voice),
        **_shown("voice_fallback", application.voice_fallback),
        **_shown("sms", application.sms),
        "message_status_callback": application.message_status.url,
        "status_callback": application.status_callback.url,
        "status_callback_method": application.status_callback.method,
        "date_created": rfc2822(0),
        "date_updated": rfc2822(0),
        "uri": f"/{API_VERSION}/Accounts/{own.sid}/Applications/{application.sid}.json",
    }


def _shown(name: str, hook: Hook) -> dict[str, str]:
    return {f"{name}_url": hook.url, f"{name}_method": hook.method}
