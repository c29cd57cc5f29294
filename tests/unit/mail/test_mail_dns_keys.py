"""Keys of signing domains, asked of a name server that really answers, or does not."""

import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.rrset
import pytest

from channels.mail.dns_keys import DnsKeys

RECORDS = {"s._domainkey.example.org.": '"v=DKIM1; k=rsa; " "p=AAAA"'}


class NameServer:
    """A name server on loopback with a few TXT records; `asked` counts, `is_mute` answers nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_mute = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def _serve(self) -> None:
        while True:
            wire, sender = self._socket.recvfrom(4_096)
            if wire == b"stop":
                return
            query = dns.message.from_wire(wire)
            name = query.question[0].name.to_text()
            self.asked.append(name)
            if self.is_mute:
                continue
            answer = dns.message.make_response(query)
            if name in RECORDS:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", RECORDS[name]))
            else:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.sendto(answer.to_wire(), sender)

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"stop", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


@pytest.fixture
def server() -> Iterator[NameServer]:
    opened = NameServer()
    yield opened
    opened.stop()


def test_key_is_found_joined_and_remembered(server: NameServer) -> None:
    keys = DnsKeys(servers=(server.address,))
    assert keys(b"s._domainkey.example.org.") == b"v=DKIM1; k=rsa; p=AAAA"
    assert keys(b"s._domainkey.example.org.") == b"v=DKIM1; k=rsa; p=AAAA"
    assert keys(b"none._domainkey.example.org.") is None
    assert server.asked == ["s._domainkey.example.org.", "none._domainkey.example.org."]


def test_server_that_does_not_answer_is_left_alone_for_a_while(server: NameServer) -> None:
    server.is_mute = True
    keys = DnsKeys(servers=(server.address,))
    for _ in range(20):
        with pytest.raises(OSError):  # noqa: PT011 - the contract of a key look-up
            keys(b"s._domainkey.example.org.")
    assert set(server.asked) == {"s._domainkey.example.org."}
    assert len(server.asked) < 5


def test_name_that_is_no_name_is_no_answer() -> None:
    with pytest.raises(OSError):  # noqa: PT011
        DnsKeys(servers=("127.0.0.1:9",))(b"\xff..example.org.")
