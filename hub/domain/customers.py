"""A person or company who reaches us, and the addresses by which they do."""

import re
import unicodedata
from enum import StrEnum

import msgspec
import phonenumbers

from hub.domain.errors import BadRequest
from hub.domain.ids import CustomerId

MAX_NAME = 120
MAX_ADDRESS = 254
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,189}")


class AddressKind(StrEnum):
    """The kinds of address a customer can be reached by."""

    PHONE = "phone"
    EMAIL = "email"
    CHAT = "chat"
    SITE = "site"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """One address; `value` is normalized, so equal addresses are equal texts.

    `is_verified` means that it was proved (signed identity, or a code answered), not merely typed.
    """

    kind: AddressKind
    value: str
    customer: CustomerId = ""
    is_verified: bool = False


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's profile. `merged_into` names the survivor after a merge; such a customer takes no new work."""

    id: CustomerId
    created_at: int
    name: str = ""
    language: str = ""
    company: str = ""
    tier: str = ""
    value: float = 0.0
    tags: tuple[str, ...] = ()
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    merged_into: CustomerId | None = None
    version: int = 0


def clean_name(text: str) -> str:
    """Return a name fit to show: no control or direction characters, single spaces, at most 120 characters."""
    shown = "".join(" " if unicodedata.category(c).startswith("C") else c for c in text)
    return " ".join(shown.split())[:MAX_NAME]


def normalized(kind: AddressKind, value: str, *, region: str = "US") -> str:
    """Return the one spelling of an address: E.164 for phones, lower case and NFKC for e-mail.

    The local part of an e-mail address is lowered too: no provider of note tells upper from lower there.

    Raises:
        BadRequest: it is no such address.
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if not text or len(text) > MAX_ADDRESS or not text.isprintable():
        raise BadRequest("An address needs 1 to 254 characters, all of them visible.")
    if kind is AddressKind.PHONE:
        return _phone(text, region)
    if kind is AddressKind.EMAIL:
        return _email(text)
    return text


def _phone(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise BadRequest(f"{text!r} is not a phone number.") from None
    if not phonenumbers.is_possible_number(number):
        raise BadRequest(f"{text!r} is not a phone number.")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise BadRequest(f"{text!r} is not an e-mail address.")
    local, _, domain = text.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadRequest(f"{text!r} is not an e-mail address.") from None
    return f"{local.lower()}@{domain.lower()}"
