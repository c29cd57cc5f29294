"""The keys that signing domains publish in the DNS (RFC 6376, 3.6.2), for mail that no trusted server has judged."""

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dns.resolver import Resolver

LIFETIME_S: Final = 2.0
"""How long one key is waited for. Longer, and letters queue up behind a name server that is away."""
QUIET_S: Final = 60.0
"""How long nobody is asked after no answer came: a hub without DNS must not lose two seconds a letter."""
KEPT_S: Final = 600.0
MOST_KEPT: Final = 2_000


@dataclass(slots=True)
class _Memory:
    """What one process has learnt from some name servers."""

    known: dict[bytes, tuple[float, bytes | None]] = field(default_factory=dict)
    quiet_until: float = 0.0


@lru_cache(maxsize=16)
def _memory(_servers: tuple[str, ...]) -> _Memory:
    return _Memory()


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsKeys:
    """Looks keys up, remembers them for ten minutes, and leaves a DNS that does not answer alone for a minute.

    `servers` are addresses with or without a port (`192.0.2.53`, `127.0.0.1:5353`); none: those of this machine.
    It travels to the process that reads; what it has learnt stays there.
    """

    servers: tuple[str, ...] = ()

    def __call__(self, name: bytes) -> bytes | None:
        """Return a TXT record's text, None when there is none.

        Raises:
            OSError: no answer; nothing was shown either way.
        """
        memory, now = _memory(self.servers), time.monotonic()
        known = memory.known.get(name)
        if known is not None and now < known[0]:
            return known[1]
        if now < memory.quiet_until:
            raise OSError("The DNS did not answer a moment ago.")
        try:
            found = self._ask(name)
        except OSError:
            memory.quiet_until = now + QUIET_S
            raise
        if len(memory.known) >= MOST_KEPT:
            memory.known.clear()
        memory.known[name] = (now + KEPT_S, found)
        return found

    def _ask(self, name: bytes) -> bytes | None:
        import dns.exception
        import dns.resolver

        try:
            answer = self._resolver().resolve(name.decode("ascii"), "TXT", lifetime=LIFETIME_S, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return None
        except (dns.exception.DNSException, UnicodeError) as error:
            raise OSError(f"The key could not be looked up: {type(error).__name__}.") from error
        return b"".join(next(iter(answer)).strings)

    def _resolver(self) -> "Resolver":
        import dns.resolver

        if not self.servers:
            return dns.resolver.Resolver()
        resolver = dns.resolver.Resolver(configure=False)
        hosts = [server.rpartition(":") if server.count(":") == 1 else (server, "", "53") for server in self.servers]
        resolver.nameservers = [host for host, _, _ in hosts]
        resolver.nameserver_ports = {host: int(port) for host, _, port in hosts}
        return resolver
