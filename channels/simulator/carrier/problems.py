"""What goes wrong and the provider's number for it: refusals of the REST interface, alerts of the debugger."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from hub.clock import Instant

MORE_INFO: Final = "https://www.twilio.com/docs/errors/"

REFUSALS: Final[dict[int, tuple[int, str]]] = {
    20001: (400, "Invalid parameter"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required."),
    21210: (400, "The source phone number provided is not yet verified for your account."),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid From Number (caller ID)"),
    21213: (400, "No 'From' number is specified"),
    21218: (400, "ApplicationSid is not accessible"),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The From phone number is not a valid, message-capable number for your account."),
    21609: (400, "Invalid 'StatusCallback' URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21656: (400, "The Content Variables Parameter is invalid"),
    21701: (404, "The Messaging Service does not exist"),
    22003: (400, "Queue already has this name"),
    32018: (400, "Twiml parameter is longer than 4000 characters"),
    16009: (400, "Conference does not exist or has ended"),
    16020: (400, "Conference is full"),
    16025: (400, "Participant label is taken in this conference"),
    16027: (400, "CallSidToCoach is required when coaching"),
    16028: (400, "The call to coach is not in this conference"),
    21219: (400, "'To' phone number not verified"),
    21704: (400, "The Messaging Service has no sender"),
    21235: (400, "The recording does not exist, or the call is not being recorded"),
}
"""Number -> HTTP status and sentence."""


class RestError(Exception):
    """A request that is refused. `code` is the provider's number."""

    def __init__(self, code: int, detail: str = "", *, status: int = 0, retry_after_s: int = 0) -> None:
        usual_status, usual_text = REFUSALS[code]
        super().__init__(code)
        self.code = code
        self.status = status or usual_status
        self.text = detail or usual_text
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, object]:
        """Return what the provider's answer holds."""
        body: dict[str, object] = {
            "code": self.code,
            "message": self.text,
            "more_info": f"{MORE_INFO}{self.code}",
            "status": self.status,
        }
        return body | ({"detail": "Your AccountSid or AuthToken was incorrect."} if self.code == 20003 else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A line of the provider's debugger: what it objected to, about which call or message, at which address."""

    at: Instant
    code: int
    text: str
    sid: str = ""
    url: str = ""
    is_error: bool = True


class Debugger:
    """The last alerts, newest at the end."""

    def __init__(self, most: int = 2000) -> None:
        self._alerts: deque[Alert] = deque(maxlen=most)

    def note(self, alert: Alert) -> None:
        """Keep an alert."""
        self._alerts.append(alert)

    @property
    def alerts(self) -> list[Alert]:
        """All that are kept."""
        return list(self._alerts)

    @property
    def codes(self) -> list[int]:
        """The numbers of all that are kept."""
        return [alert.code for alert in self._alerts]
