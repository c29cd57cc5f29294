"""The demo's mailboxes: bounded, and true to clients that remember how far they have read."""

from channels.simulator.post.office import MOST_MAILS, Office, Stored
from channels.simulator.post.selected import Selected

US = "help@fernway.example"


class Clock:
    """Seconds since 1970, set by hand."""

    def __init__(self) -> None:
        self.at = 1_780_000_000.0

    def __call__(self) -> float:
        return self.at


def office(clock: Clock) -> Office:
    return Office({US: "secret"}, "demo", now=clock)


def inbox(found: Office, address: str = US) -> list[Stored]:
    box = found.box(address)
    assert box is not None
    return box.inbox.mails


def test_uids_only_rise_over_restarts_under_one_uidvalidity() -> None:
    clock = Clock()
    seen: list[tuple[int, int]] = []
    for _ in range(3):
        running = office(clock)
        for _ in range(7):
            running.accept(b"Subject: x\r\n\r\nx\r\n", "li@customer.example", [US])
        box = running.box(US)
        assert box is not None
        seen += [(box.inbox.validity, one.uid) for one in box.inbox.mails]
        clock.at += 1
    assert seen == sorted(seen)
    assert len({uid for _, uid in seen}) == 21
    assert {validity for validity, _ in seen} == {1}
    assert max(uid for _, uid in seen) < 2**32


def test_names_given_to_mails_are_never_given_again() -> None:
    clock = Clock()
    first = office(clock).accept(b"\r\n", "a@customer.example", [US])
    clock.at += 1
    assert office(clock).accept(b"\r\n", "a@customer.example", [US]) != first


def test_oldest_mail_is_forgotten_when_there_are_many_and_an_open_folder_is_told() -> None:
    running = office(Clock())
    box = running.box(US)
    assert box is not None
    running.accept(b"Subject: first\r\n\r\n", "a@customer.example", [US])
    opened = Selected(running, box, box.inbox, is_readonly=False)
    for _ in range(MOST_MAILS):
        running.accept(b"Subject: more\r\n\r\n", "a@customer.example", [US])
    assert len(box.inbox.mails) == MOST_MAILS
    assert list(opened.news()) == [b"1 EXPUNGE", b"%d EXISTS" % MOST_MAILS]


def test_mail_to_an_address_that_is_gone_comes_back_to_who_sent_it() -> None:
    running = office(Clock())
    running.accept(b"Message-ID: <1@x>\r\n\r\nx", US, ["old@gone.example"])
    (back,) = inbox(running)
    assert b"5.1.1" in back.raw
    assert b"<1@x>" in back.raw
    running.accept(back.raw, "", ["old@gone.example"])
    assert len(inbox(running)) == 1
