"""A carrier made of nothing that speaks the provider's protocol both ways, misbehaviour included.

Nothing that talks to it can tell it from the real one by what it does: same addresses, same answers, same callbacks in
the same uncertain order. Sound is not mixed; every leg has a truthful timeline of what it hears instead.

    carrier.py       `Carrier`: the whole, and how people call and write through it
    server.py        it on the network
    account.py       the customer's account: credentials, numbers, limits

    twiml.py         `validate` and `read` for the provider's markup; grammar.py holds its tables
    interpreter.py   all verbs and the programs of legs; running.py walks through documents
    verbs.py         Say, Play, Pause, Redirect, Hangup, Reject, Start      collecting.py  Gather, Record
    dialing.py       Dial          queueing.py  Enqueue, Leave              attending.py   a stay in a conference

    legs.py          a leg: one call's life           bridges.py   two legs talking
    conferences.py   who hears whom, begin and end    queues.py    who waits
    plant.py         everything there is, by name     recordings.py, wav.py   what is recorded, and its files
    hearing.py       what a leg hears, as a timeline  machines.py  people or machines

    messaging.py     SMS and WhatsApp
    webhooks.py      all that is sent to the customer: signed (signing.py), timed, retried, mistreated (faults.py)
    rest/            the REST interface
    phones.py        scripted people                  softphones.py, tokens.py   telephones in browsers
    loops.py         calls to one's own numbers
    switch.py, timers.py, sids.py, problems.py        what all of it stands on
"""

from channels.simulator.carrier.account import Account, AccountLimits, Application, Hook, MessagingService, Number
from channels.simulator.carrier.carrier import Carrier
from channels.simulator.carrier.faults import Fault
from channels.simulator.carrier.messaging import Handset
from channels.simulator.carrier.phones import HangUp, Manners, Meet, Phone, Press, Say, Wait, WaitFor, World
from channels.simulator.carrier.server import Server, application

__all__ = [
    "Account",
    "AccountLimits",
    "Application",
    "Carrier",
    "Fault",
    "Handset",
    "HangUp",
    "Hook",
    "Manners",
    "Meet",
    "MessagingService",
    "Number",
    "Phone",
    "Press",
    "Say",
    "Server",
    "Wait",
    "WaitFor",
    "World",
    "application",
]
