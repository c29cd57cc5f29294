"""Ports for servers that tests start: where no connection that goes out takes one."""

import itertools
import os
import secrets
import socket

_FIRST, _LAST = 10_000, 32_000
"""Below the ports that systems give to connections (RFC 6056; Linux: 32768 to 60999): a server that is killed and
started again finds its own still free."""
_SHARES = 16
"""Processes that test side by side, each with ports of its own: what one was told is free stays free for it."""


def _order() -> list[int]:
    """Return the ports of this process, beginning anywhere: another run may be going on."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    share = int(worker.removeprefix("gw") or secrets.randbelow(_SHARES)) % _SHARES
    ports = list(range(_FIRST + share, _LAST, _SHARES))
    start = secrets.randbelow(len(ports))
    return ports[start:] + ports[:start]


_ports = itertools.cycle(_order())


def free_port() -> int:
    """Return a port of the loopback that nobody uses, and that nobody here was given lately."""
    while True:
        port = next(_ports)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
