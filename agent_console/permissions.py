"""What each role may do, as one table: every event and every route stands here, and nothing else is possible.

What a person sees is another matter (`hub.services.access.Scope`): a right to act never widens it.
"""

from typing import Final

from hub.domain.agent import Role
from hub.domain.errors import Forbidden

EVERYBODY: Final = frozenset(Role)
SUPERVISORS: Final = frozenset({Role.SUPERVISOR, Role.ADMIN})
ADMINS: Final = frozenset({Role.ADMIN})

EVENTS: Final[dict[str, frozenset[Role]]] = {
    "sync": EVERYBODY,
    "open": EVERYBODY,
    "leave_view": EVERYBODY,
    "earlier": EVERYBODY,
    "presence": EVERYBODY,
    "resume_work": EVERYBODY,
    "accept": EVERYBODY,
    "reject": EVERYBODY,
    "send": EVERYBODY,
    "note": EVERYBODY,
    "draft": EVERYBODY,
    "typing": EVERYBODY,
    "seen": EVERYBODY,
    "transfer": EVERYBODY,
    "park": EVERYBODY,
    "unpark": EVERYBODY,
    "wrap_up": EVERYBODY,
    "extend_wrap_up": EVERYBODY,
    "complete": EVERYBODY,
    "pull": EVERYBODY,
    "assign": SUPERVISORS,
    "force_presence": SUPERVISORS,
    "force_close": SUPERVISORS,
}
"""Socket events."""

ROUTES: Final[dict[str, frozenset[Role] | None]] = {
    "POST /session": None,
    "GET /session": None,
    "DELETE /session": EVERYBODY,
    "GET /sessions": EVERYBODY,
    "DELETE /sessions/{id}": EVERYBODY,
    "POST /password": EVERYBODY,
    "GET /customers": EVERYBODY,
    "GET /customers/{id}": EVERYBODY,
    "PATCH /customers/{id}": EVERYBODY,
    "GET /customers/{id}/timeline": EVERYBODY,
    "POST /customers/{id}/notes": EVERYBODY,
    "POST /customers/{id}/promises": EVERYBODY,
    "POST /promises/{id}": EVERYBODY,
    "GET /customers/{id}/duplicates": EVERYBODY,
    "POST /customers/{id}/merge": EVERYBODY,
    "POST /merges/{id}/undo": EVERYBODY,
    "GET /search": EVERYBODY,
    "GET /interactions/{id}": EVERYBODY,
    "GET /interactions/{id}/messages": EVERYBODY,
    "GET /interactions/{id}/routing": EVERYBODY,
    "GET /agents/{id}/routing": EVERYBODY,
    "GET /interactions/{id}/self-service": EVERYBODY,
    "POST /interactions/{id}/self-service": EVERYBODY,
    "DELETE /interactions/{id}/self-service": EVERYBODY,
    "GET /interactions/{id}/texting": EVERYBODY,
    "POST /interactions/{id}/files": EVERYBODY,
    "GET /interactions/{id}/letters": EVERYBODY,
    "GET /interactions/{id}/letters/suggestion": EVERYBODY,
    "GET /interactions/{id}/letters/page": EVERYBODY,
    "GET /interactions/{id}/letters/draft": EVERYBODY,
    "POST /interactions/{id}/letters": EVERYBODY,
    "POST /interactions/{id}/letters/take-back": EVERYBODY,
    "POST /interactions/{id}/letters/try-again": EVERYBODY,
    "POST /interactions/{id}/letters/arrived": EVERYBODY,
    "POST /interactions/{id}/letters/draft": EVERYBODY,
    "POST /letters": EVERYBODY,
    "GET /letters/draft": EVERYBODY,
    "GET /letters/troubled": EVERYBODY,
    "POST /letters/draft": EVERYBODY,
    "POST /letters/files": EVERYBODY,
    "GET /letters/signature": EVERYBODY,
    "POST /letters/signature": EVERYBODY,
    "POST /interactions/{id}/letters/transcript": EVERYBODY,
    "POST /interactions/{id}/split": EVERYBODY,
    "POST /interactions/{id}/join": EVERYBODY,
    "POST /joins/{id}/undo": EVERYBODY,
    "POST /interactions/{id}/call/hold": EVERYBODY,
    "POST /interactions/{id}/call/resume": EVERYBODY,
    "POST /interactions/{id}/call/mute": EVERYBODY,
    "POST /interactions/{id}/call/consult": EVERYBODY,
    "POST /interactions/{id}/call/end-consult": EVERYBODY,
    "POST /interactions/{id}/call/swap": EVERYBODY,
    "POST /interactions/{id}/call/put-through": EVERYBODY,
    "POST /interactions/{id}/call/recording": EVERYBODY,
    "POST /interactions/{id}/call/listen": SUPERVISORS,
    "POST /interactions/{id}/call/take-over": SUPERVISORS,
    "POST /interactions/{id}/call/begin": EVERYBODY,
    "POST /interactions/{id}/call/give-up": EVERYBODY,
    "POST /calls": EVERYBODY,
    "POST /callbacks": EVERYBODY,
    "GET /phone": EVERYBODY,
    "GET /attention": SUPERVISORS,
    "POST /arrivals/{id}/read-again": SUPERVISORS,
    "POST /arrivals/{id}/dismiss": SUPERVISORS,
    "GET /arrivals/{id}/raw": SUPERVISORS,
    "GET /outcomes/missing": EVERYBODY,
    "GET /settings": EVERYBODY,
    "GET /flows": SUPERVISORS,
    "GET /flows/{id}": SUPERVISORS,
    "POST /flows": ADMINS,
    "POST /flows/{id}/try": SUPERVISORS,
    "POST /flows/{id}/roll-back": ADMINS,
    "GET /events": SUPERVISORS,
    "GET /openapi.json": EVERYBODY,
    "POST /demo/session": None,
}
"""Routes under /api/v1; None: nobody needs to be signed in."""


def require(allowed: frozenset[Role], role: Role) -> None:
    """Return if the role is among those allowed.

    Raises:
        Forbidden: it is not.
    """
    if role not in allowed:
        raise Forbidden("Your role does not allow this.")
