"""The agent console: shows the hub's truth to people and turns what they do into service calls.

shapes.py rows.py     rows as they are on the wire, made from the floor
tabs.py sync.py       who watches what; snapshots and frames
requests.py actions.py sockets.py   the socket: what may be said, what it does, who may say it
routes.py api_shapes.py api.py openapi.py   the REST API as one table
letter_shapes.py api_letters.py call_shapes.py api_calls.py api_attention.py   its parts about letters, about phone
                      calls, and about what a supervisor must look at
permissions.py        what each role may do
views.py              the page and its files (static/)
"""

from aiohttp import web

from agent_console import openapi, permissions
from agent_console.api import Api
from agent_console.routes import BASE, json_response, mount
from agent_console.rows import Rows
from agent_console.services import Authority, ConsoleServices, House
from agent_console.sockets import ConsoleSockets
from agent_console.views import Views

__all__ = ["Authority", "ConsoleServices", "ConsoleSockets", "House", "Rows", "setup"]


def setup(app: web.Application, services: ConsoleServices, auth: Authority, house: House, rows: Rows) -> ConsoleSockets:
    """Add the console to an application: page, files, REST API and sockets. Close what is returned at the end."""
    api = Api(services, auth, rows)
    routes = api.routes()
    mount(app, routes, auth, services.floor)
    document = openapi.document(
        routes, title=services.settings.company.name, cookie=auth.cookie, tiers=services.settings.tiers
    )

    async def described(request: web.Request) -> web.StreamResponse:
        signed = await auth.current(request)
        permissions.require(permissions.ROUTES["GET /openapi.json"] or permissions.EVERYBODY, signed.agent.role)
        return json_response(document)

    app.router.add_get(f"{BASE}/openapi.json", described)
    Views(services.settings, house.templates, services.channels).mount(app)
    sockets = ConsoleSockets(services, auth, house, rows)
    sockets.attach(app)
    return sockets
