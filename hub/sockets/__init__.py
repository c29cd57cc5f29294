"""One Socket.IO server per audience, on python-socketio and aiohttp, with a short path for what is hot.

The official JavaScript and Python clients work unchanged. Opening and leaving a namespace goes through python-socketio
as it is; events, acknowledgements and fan-out are read and written here, because the library's path for one event costs
several times what the event itself does.

    server.py    `SocketServer`: who may connect, which events there are, rooms, emitting, closing
    events.py    what a handler is, and how an event's arguments are checked before it runs
    engine.py    the one place that knows the insides of python-engineio, python-socketio and aiohttp
    packets.py   bytes on the wire
    limits.py    how much one socket, one identity and one address may do
"""

from hub.sockets.events import Event, EventRefused
from hub.sockets.limits import SocketLimits
from hub.sockets.server import Audience, Connection, SocketServer

__all__ = ["Audience", "Connection", "Event", "EventRefused", "SocketLimits", "SocketServer"]
