"""What texts need beside their words: who does not want any, and the wordings agreed with a provider beforehand.

A text is a message of a channel that reaches a telephone number: short, sent one by one, reported on by the provider.
"""

from enum import StrEnum

import msgspec


class Consent(StrEnum):
    """What a customer says of being written to, in one word: no more, again, or what this is."""

    STOP = "stop"
    START = "start"
    HELP = "help"


class OptOut(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: whether an address wants texts of a channel. `is_out`: it does not.

    `at` is when that became known, `word` what they wrote or what the provider said.
    """

    channel: str
    address: str
    is_out: bool
    at: int
    word: str = ""


class TemplateUse(msgspec.Struct, frozen=True):
    """A wording agreed with the provider, as one message uses it: its id in the settings, and what stands in it."""

    id: str
    values: tuple[str, ...] = ()


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a customer can be written to now. `until` is the end of the time for free words; None: no such time."""

    opted_out_at: int | None = None
    opted_out_word: str = ""
    until: int | None = None
    has_window: bool = False


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A wording agreed with the provider beforehand; `{{1}}`, `{{2}}` ... in `text` stand for what is filled in."""

    id: str
    name: str
    text: str
    language: str = ""


class TextRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a text may be. Free words may be sent for `window_s` after the customer wrote (None: always), afterwards
    only `templates`.
    """

    max_chars: int
    max_files: int = 10
    max_file_bytes: int = 5_000_000
    window_s: int | None = None
    templates: tuple[Template, ...] = ()
