"""What somebody may send who wants to break something: values of every shape, and events that are nearly right."""

import json
from typing import Any

from hypothesis import strategies as st

CHAT_EVENTS: dict[str, dict[str, Any]] = {
    "resume": {"interaction": "ID", "after": 1},
    "earlier": {"interaction": "ID", "before": 9},
    "start": {"client_id": "start-fuzz", "form": {"name": "Li"}, "text": "Hi", "choice": "x"},
    "leave_message": {"client_id": "leave-fuzz", "form": {"email": "a@b.test"}, "text": "Hi"},
    "message": {"client_id": "m-1", "interaction": "ID", "text": "Hi", "files": ["f1"], "choice": "x"},
    "typing": {"interaction": "ID", "typing": True},
    "seen": {"interaction": "ID", "n": 1},
    "end": {"interaction": "ID"},
}
CONSOLE_EVENTS: dict[str, dict[str, Any]] = {
    "sync": {"seq": 1},
    "open": {"interaction": "ID", "after_n": 1},
    "leave_view": {"interaction": "ID"},
    "earlier": {"interaction": "ID", "before_n": 3},
    "presence": {"presence": "available", "reason": "lunch"},
    "resume_work": {},
    "accept": {"offer": "ID"},
    "reject": {"offer": "ID", "reason": "other"},
    "send": {"interaction": "ID", "client_id": "c", "text": "Hi", "files": [], "choices": [], "seen_n": 1},
    "note": {"interaction": "ID", "client_id": "c", "text": "Hi"},
    "draft": {"interaction": "ID", "mode": "reply", "text": "Hi"},
    "typing": {"interaction": "ID", "typing": True},
    "seen": {"interaction": "ID", "n": 1},
    "transfer": {"interaction": "ID", "queue": "support", "note": "x"},
    "park": {"interaction": "ID"},
    "unpark": {"interaction": "ID"},
    "wrap_up": {"interaction": "ID"},
    "extend_wrap_up": {"interaction": "ID"},
    "complete": {"interaction": "ID", "disposition": "solved", "note": "x"},
    "pull": {"interaction": "ID"},
    "assign": {"interaction": "ID", "queue": "billing"},
    "force_presence": {"agent": "bob", "presence": "offline", "reason": "x"},
    "force_close": {"interaction": "ID", "reason": "x"},
}
ODD_TEXTS = (
    *("", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e\u2066", "\u200b" * 70, "\U0010ffff", "\ufeff"),
    *("' OR 1=1 --", '"; DROP TABLE messages; --', "%' ESCAPE '", "\\", "$1", "{0}", "%s%n", "__proto__"),
    *("../../etc/passwd", "NaN", "-1", "1e999", "0x10", "²", "١٢٣", "<script>alert(1)</script>", "🂡" * 65),
    *("x" * 65, "x" * 4_001, "start-0001", "site", "bills", "support", "billing", "ann", "sue", "system"),
)
ODD_NUMBERS = (0, -1, 1, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308)

odd_texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=30)
leaves = st.none() | st.booleans() | st.sampled_from(ODD_NUMBERS) | odd_texts
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_texts, inner, max_size=4),
    max_leaves=8,
)
deep = st.sampled_from([("[" * 600) + ("]" * 600), '{"a":' * 500 + "1" + "}" * 500, "[" * 900])
broken = st.sampled_from(['{"a":', "NaN", "Infinity", "01", '"\\ud800"', '"\\x"', "{}{}", "]", "[1,]", '{"a":1,"a":2}'])


@st.composite
def nearly_right(draw: st.DrawFn, events: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """Return an event's name and its argument as JSON: right but for some fields."""
    name = draw(st.sampled_from(sorted(events)))
    said = dict(events[name])
    for field in draw(st.lists(st.sampled_from(sorted(said) or [""]), max_size=2)):
        if draw(st.booleans()):
            said[field] = draw(leaves)
        else:
            said.pop(field, None)
    if draw(st.integers(0, 9)) == 0:
        said[draw(odd_texts)] = draw(leaves)
    return name, spelled(said)


@st.composite
def wrong(draw: st.DrawFn, events: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """Return an event's name, known or not, with an argument of any shape, or none that is JSON."""
    names = st.sampled_from([*events, "connect", "disconnect", "message_ack", "__init__", "unknown"])
    name = draw(names | st.text("abcdef_", max_size=9))
    return name, draw(values.map(spelled) | deep | broken)


def attacks(events: dict[str, dict[str, Any]]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Return sequences of events as an attacker would send them, in any order."""
    return st.lists(nearly_right(events) | wrong(events), min_size=1, max_size=8)


def spelled(value: object) -> str:
    """Return JSON in ASCII: lone surrogates stay escapes."""
    return json.dumps(value)
