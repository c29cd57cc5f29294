"""What callers hear from the hub, in the languages it knows."""

from typing import Final

from hub.contract.calls import Said

TEXTS: Final[dict[str, dict[str, str]]] = {
    "wait": {"en": "Please hold. Somebody will be with you.", "zh": "请稍候，我们会尽快为您接通。"},
    "next": {"en": "You are next in line.", "zh": "您是下一位。"},
    "position": {"en": "You are number {position} in line.", "zh": "您前面还有{ahead}位。"},
    "minute": {"en": "The wait is about one minute.", "zh": "预计等待约一分钟。"},
    "minutes": {"en": "The wait is about {minutes} minutes.", "zh": "预计等待约{minutes}分钟。"},
    "book": {
        "en": "To be called back without losing your place, press one.",
        "zh": "如需保留位置并由我们回电，请按一。",
    },
    "booked": {
        "en": "Thank you. We keep your place and call you back at this number. Goodbye.",
        "zh": "谢谢。您的位置已保留，我们会按此号码回电。再见。",
    },
    "closed": {"en": "We are closed at the moment.", "zh": "我们目前不在服务时间。"},
    "leave_message": {
        "en": "Please leave a message after the tone, and hang up when you are done.",
        "zh": "请在提示音后留言，完成后挂机即可。",
    },
    "message_taken": {"en": "Thank you. We have your message. Goodbye.", "zh": "谢谢，我们已收到您的留言。再见。"},
    "sorry": {"en": "We are sorry, nobody can take your call now. Goodbye.", "zh": "抱歉，目前无人接听。再见。"},
    "line_lost": {
        "en": "The line to our colleague was lost. Please stay on, we are bringing them back.",
        "zh": "与同事的线路中断，请不要挂机，我们正在重新接通。",
    },
    "called_back": {
        "en": "This is the call you asked for. We are connecting you to a colleague.",
        "zh": "这是您预约的回电，正在为您接通同事。",
    },
    "recorded": {"en": "This call is recorded.", "zh": "本次通话将被录音。"},
    "may_record": {
        "en": "May we record this call? To agree, press one. To go on without, press two.",
        "zh": "我们可以为本次通话录音吗？同意请按一，不同意请按二。",
    },
    "goodbye": {"en": "Goodbye.", "zh": "再见。"},
}

HOLD_CODES: Final = frozenset({"line_lost", "called_back", "recorded"})
"""Those that whoever holds may hear before the music; the carrier brings them back to us in an address."""


def spoken(code: str, language: str, **values: object) -> Said:
    """Return the words for a code, in this language or else in English."""
    texts = TEXTS[code]
    base = language.partition("-")[0]
    known = base if base in texts else "en"
    return Said(texts[known].format(**values), known)


def standing(position: int | None, wait_s: int | None, language: str) -> list[Said]:
    """Return where somebody stands and how long it takes, as far as it is known; minutes are rounded up."""
    if position is None:
        return [spoken("wait", language)]
    said = [
        spoken("next", language)
        if position <= 1
        else spoken("position", language, position=position, ahead=position - 1)
    ]
    if wait_s is not None and wait_s >= 30:
        minutes = -(-wait_s // 60)
        said.append(spoken("minute", language) if minutes == 1 else spoken("minutes", language, minutes=minutes))
    return said
