"""Which network addresses are one party's: who counts tries or connections counts these."""

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=4096)
def address_block(ip: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 an IPv6 address lies in (one customer's line)."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return ip
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
