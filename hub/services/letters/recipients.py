"""To whom an answer goes: reply, reply to all, forward; never to ourselves, and not where a stranger's header points.

Pure. Addresses are compared without regard to case.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub.domain.correspondence import Authenticity, Envelope, Party

MODES = ("reply", "reply_all", "forward", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Recipients of an answer. `passed_over` are those a Reply-To named that is not to be believed."""

    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    passed_over: tuple[Party, ...] = ()


def key(address: str) -> str:
    """Return an address as compared."""
    return address.strip().lower()


def answer(envelope: Envelope, mode: str, *, is_ours: bool, owns: Callable[[str], bool]) -> Answer:
    """Return to whom an answer to this message goes.

    What we wrote ourselves is followed up to its own recipients. A customer's Reply-To counts when it is of the
    sender's own domain or the sender is proved; else the answer goes to the sender, and the agent is shown the other.
    """
    if mode == "forward":
        return Answer()
    if is_ours:
        cc = envelope.cc if mode == "reply_all" else ()
        return Answer(to=_each_once(envelope.recipients, owns), cc=_each_once(cc, owns, envelope.recipients))
    sender = (envelope.sender,) if envelope.sender and envelope.sender.address else ()
    is_believed = envelope.authenticity is Authenticity.PROVED or all(
        is_aligned(party.address, sender[0].address) for party in envelope.reply_to if sender
    )
    wished = envelope.reply_to if envelope.reply_to and (is_believed or not sender) else sender
    passed_over = () if wished is not sender else tuple(party for party in envelope.reply_to if party not in sender)
    # A Reply-To that only leads back to us names nobody.
    to = _each_once(wished, owns) or _each_once(sender, owns)
    if mode != "reply_all":
        return Answer(to=to, passed_over=passed_over)
    others = _each_once(envelope.recipients, owns, to)
    cc = _each_once(envelope.cc, owns, (*to, *others))
    return Answer(to=(*to, *others), cc=cc, passed_over=passed_over)


def is_aligned(address: str, sender: str) -> bool:
    """Whether two addresses are of one domain, or of one and a part of it."""
    mine, theirs = (key(text).rpartition("@")[2] for text in (address, sender))
    return bool(mine) and (mine == theirs or mine.endswith(f".{theirs}") or theirs.endswith(f".{mine}"))


def _each_once(
    parties: Iterable[Party], owns: Callable[[str], bool], already: Iterable[Party] = ()
) -> tuple[Party, ...]:
    taken = {key(party.address) for party in already}
    kept = []
    for party in parties:
        if party.address and key(party.address) not in taken and not owns(party.address):
            taken.add(key(party.address))
            kept.append(party)
    return tuple(kept)
