"""Ports for servers that tests start: where no connection that goes out takes one."""

import secrets
import socket

_FIRST, _LAST = 10_000, 32_000
"""Below the ports that systems give to connections (RFC 6056; Linux: 32768 to 60999): a server that is killed and
started again finds its own still free."""


def free_port() -> int:
    """Return a port of the loopback that nobody uses."""
    while True:
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
