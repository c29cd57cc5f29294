"""Web chat: a widget on the customer's site, conversations over Socket.IO.

channel.py   `WebChat`: one configured site
gate.py      the one Socket.IO server and the pages that all sites share
guests.py    who a visitor is: tokens, identities signed by the site
wire.py      what is said on the wire (docs/reference/protocols.md, 1)
"""

from channels.webchat.channel import WebChat

__all__ = ["WebChat"]
