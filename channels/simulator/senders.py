"""How a message names its two ends: a number, or a number at WhatsApp."""

from typing import Final

_APP: Final = "whatsapp:"


def number_of(sender: str) -> str:
    """Return the number alone."""
    return sender.removeprefix(_APP)


def app_of(sender: str) -> str:
    """Return what one writes with to this sender, as people call it."""
    return "WhatsApp" if sender.startswith(_APP) else "SMS"


def by_way_of(sender: str, number: str) -> str:
    """Return how a message names a number when it goes the same way as those of this sender."""
    return f"{_APP}{number}" if sender.startswith(_APP) else number
