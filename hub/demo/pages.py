"""What a browser fetches under /demo: the way in, the shop, and how many visitors come."""

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import hdrs, web

from channels.simulator.post import PostSettings
from hub.auth import Auth
from hub.demo.erp import Erp
from hub.demo.page import DemoPage, environment, language_of, page
from hub.demo.payments import Payment, Payments
from hub.demo.phone import Exchange
from hub.domain.errors import BadRequest, Forbidden
from hub.settings import Settings

_SHOP_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; "
    "style-src 'self'; frame-src 'self'; img-src 'self' data:; connect-src 'self'"
)
_PAY_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src 'self'; img-src data:"
)
ERP: Final = "/demo/erp"
"""Where the demo company's own system answers."""
PAY: Final = "/demo/pay"
"""Where its bills are paid."""
_MOST_PER_MINUTE: Final = 60.0
_ROLES: Final = ("agent", "agent2", "supervisor", "admin")


class Visits(Protocol):
    """The stream of visitors, as the page's slider sees it."""

    rate: float


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the slider says."""

    rate_per_minute: float


class Pages:
    """The routes. `visits` gives the stream of visitors; `counts` what the page shows of the floor."""

    def __init__(
        self,
        settings: Settings,
        auth: Auth,
        templates: Path,
        visits: Callable[[], Visits],
        counts: Callable[[], dict[str, int]],
        exchange: Exchange,
    ) -> None:
        self._settings = settings
        self._auth = auth
        self._visits = visits
        self._counts = counts
        self._exchange = exchange
        self._landing_page = DemoPage(templates, "landing")
        self._templates = environment(templates)
        self._payments = Payments(secrets.token_bytes(32), settings.server.public_url.rstrip("/") + PAY)
        self._company = Erp(self._payments)

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/demo", self._landing)
        app.router.add_get("/demo/shop", self._shop)
        app.router.add_route("GET", f"{ERP}/{{path:.*}}", self._erp)
        app.router.add_route("POST", f"{ERP}/{{path:.*}}", self._erp)
        app.router.add_get(f"{PAY}/{{token}}", self._bill_to_pay)
        app.router.add_post(f"{PAY}/{{token}}", self._pay)
        app.router.add_get("/demo/visitors", self._visitors)
        app.router.add_post("/demo/visitors", self._change_visitors)
        app.router.add_post("/demo/session", self._auth.demo_session)
        self._landing_page.attach(app)

    async def _landing(self, request: web.Request) -> web.Response:
        demo = self._settings.demo
        people = [
            (role, self._settings.agents[getattr(demo, role)]) for role in _ROLES if self._has(getattr(demo, role))
        ]
        return self._landing_page.show(
            request,
            company=self._settings.company.name,
            people=[{"role": role, "name": agent.name} for role, agent in people],
            rate=self._visits().rate,
            most=int(_MOST_PER_MINUTE),
            has_phone=bool(self._exchange.lines),
            has_texts=bool(self._exchange.text_lines),
            mail=PostSettings.of(self._settings),
        )

    def _has(self, agent_id: str) -> bool:
        return agent_id in self._settings.agents

    async def _shop(self, request: web.Request) -> web.Response:
        text = self._templates.get_template(self._shop_template()).render(
            lang=language_of(request), site=self._shop_site(), hub=""
        )
        response = page(text, _SHOP_POLICY)
        # The chat's frame asks which page carries it.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    def _shop_site(self) -> str:
        """Return the chat of the shop's page: one that begins in a flow, where there is one."""
        channels = self._settings.channels.values()
        flowing = [channel.id for channel in channels if channel.options.get("flow")]
        return next(iter([*flowing, *self._settings.channels]), "")

    def _shop_template(self) -> str:
        """Return the page of a customer's site that the first channel brings along: whichever kind it is."""
        kinds = [channel.kind for channel in self._settings.channels.values()]
        names = [f"{kind}/demo_site.html" for kind in kinds]
        return next((name for name in names if name in self._templates.list_templates()), "demo/no_shop.html")

    async def _erp(self, request: web.Request) -> web.Response:
        """The company's own system, as flows ask it."""
        found = self._company.answer(request.method, request.match_info["path"], self._now())
        return web.json_response(found if found is not None else {}, status=404 if found is None else 200)

    def _now(self) -> datetime:
        return datetime.now(ZoneInfo(self._settings.company.zone))

    async def _bill_to_pay(self, request: web.Request) -> web.Response:
        """The company's page where a bill is paid. Looking at it changes nothing."""
        payment = self._payments.of(request.match_info["token"])
        is_over = payment is None or self._now().timestamp() * 1000 >= payment.until
        standing = "over" if payment is None else "paid" if self._payments.is_paid(payment.order) else ""
        return self._pay_page(request, payment, standing or ("over" if is_over else "open"))

    async def _pay(self, request: web.Request) -> web.Response:
        if not self._auth.is_own_origin(request.headers.get(hdrs.ORIGIN)):
            raise Forbidden("Bills are paid on the page that the link leads to.")
        payment = self._payments.pay(request.match_info["token"], round(self._now().timestamp() * 1000))
        return await self._bill_to_pay(request) if payment is None else self._pay_page(request, payment, "thanks")

    def _pay_page(self, request: web.Request, payment: Payment | None, standing: str) -> web.Response:
        text = self._templates.get_template("demo/pay.html").render(
            lang=language_of(request), company=self._settings.company.name, payment=payment, standing=standing
        )
        response = page(text, _PAY_POLICY)
        # Not "no-referrer": the form's own request has to say where it comes from.
        response.headers["Referrer-Policy"] = "same-origin"
        response.set_status(404 if standing == "over" else 200)
        return response

    async def _visitors(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "rate_per_minute": self._visits().rate, "counts": self._counts()})

    async def _change_visitors(self, request: web.Request) -> web.Response:
        self._auth.check_origin(request)
        try:
            wanted = msgspec.json.decode(await request.read(), type=Rate).rate_per_minute
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise BadRequest(f"The body is not what is expected: {error}.") from None
        if not 0 <= wanted <= _MOST_PER_MINUTE:
            raise BadRequest(f"Between 0 and {_MOST_PER_MINUTE:g} visitors a minute.")
        self._visits().rate = wanted
        return await self._visitors(request)
