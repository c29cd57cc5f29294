"""Passwords: which are taken, how they are kept (argon2id), and how many may be checked at once."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from hub.domain.accounts import MAX_PASSWORD, MIN_PASSWORD
from hub.domain.errors import Unavailable, WeakPassword

_THREADS = 2
_WAITING = 20
_FEWEST_CHARACTERS = 5

# What common passwords are made of once digits, signs and look-alikes are taken off (after the usual leaked lists).
_COMMON: Final = """
a aaa abc abcd admin administrator agent amanda andrew angel anthony apple asdf asdfgh asdfghjkl ashley austin
autumn baby bailey banana baseball basketball batman benjamin billing blink bubbles buster call callcenter center
changeme charlie chat cheese chelsea chocolate company computer contact contactcenter cookie corona
correcthorsebatterystaple customer daniel default demo diamond dragon elizabeth family flower football forever
freedom friend friends fuckyou ginger google hannah happy hello hockey hunter iloveyou internet jackson jasmine
jennifer jessica jesus jordan joshua justin killer letmein liverpool login london love lovely loveme maggie
manchester master matrix matthew me melissa michael michelle midnight monkey mustang my new nicole ninja nothing
office orange p pass passw passwd password passwort patrick pepper pokemon princess purple q qazwsx qazwsxedc qwe
qwer qwert qwerty qwertyuiop qwertz rainbow root samantha samsung secret server shadow silver snoopy soccer
spiderman spring starwars summer sunshine superman superuser supervisor support switchboard sys sysadmin system
taylor team test teste tester testing the this thomas thunder tigger trustno trustnoi user vanilla welcome whatever
william windows winter work yankees you zaq zaqwsx zxcvb zxcvbn zxcvbnm
"""
_ROOTS: Final = frozenset(_COMMON.split())
_LOOKS_LIKE: Final = str.maketrans({"@": "a", "4": "a", "0": "o", "3": "e", "$": "s", "5": "s", "7": "t", "!": "i"})
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1234567890",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
)
# What is checked for accounts that do not exist: a hash of random bytes that nobody kept.
_DUMMY: Final = "$argon2id$v=19$m=19456,t=2,p=1$Ap+248dLRW3DMKr9/+SDyQ$A4fXH8/C4MVj4ZPUakr3DUao1tiq5919FvSIXAR6BJQ"


def check_password(password: str, *, about: tuple[str, ...] = ()) -> None:
    """Return if the password is one that is taken: as typed, 12 to 128 characters, not among the most common.

    `about` are words about the person (name, address) that are no secret.

    Raises:
        WeakPassword: it is too short, too long or easily guessed; the text says which.
    """
    if len(password) < MIN_PASSWORD:
        raise WeakPassword(f"A password needs at least {MIN_PASSWORD} characters.")
    if len(password) > MAX_PASSWORD:
        raise WeakPassword(f"A password has at most {MAX_PASSWORD} characters.")
    if _is_common(password.lower(), tuple(_words(about))):
        raise WeakPassword("This password is among the first that are tried: use several words, or a password manager.")


def _words(about: tuple[str, ...]) -> list[str]:
    return [word for text in about for word in re.split(r"[^a-z]+", text.lower()) if len(word) > 2]


def _is_common(password: str, about: tuple[str, ...]) -> bool:
    if len(set(password)) < _FEWEST_CHARACTERS or _is_repeated(password) or _is_run(password):
        return True
    roots = _ROOTS.union(about)
    without_tail = password.rstrip("0123456789!?.,-_#*+$& ")
    spellings = {_letters(text) for text in (password, without_tail.translate(_LOOKS_LIKE))}
    return any(not letters or _is_made_of(letters, roots) for letters in spellings)


def _letters(text: str) -> str:
    """Return the text's letters, of whatever script."""
    return "".join(character for character in text if character.isalpha())


def _is_repeated(password: str) -> bool:
    """Whether it is one short piece again and again."""
    return any(
        (password[:size] * (len(password) // size + 1))[: len(password)] == password
        for size in range(1, len(password) // 2 + 1)
    )


def _is_run(password: str) -> bool:
    """Whether it follows the keyboard or the alphabet, either way."""
    return any(password in (row * 3) or password in (row[::-1] * 3) for row in _ROWS)


def _is_made_of(letters: str, roots: frozenset[str]) -> bool:
    """Whether the letters are nothing but common words, one behind the other."""
    reached = {0}
    longest = max(map(len, roots))
    for start in range(len(letters)):
        if start in reached:
            ends = range(start + 1, min(start + longest, len(letters)) + 1)
            reached.update(end for end in ends if letters[start:end] in roots)
    return len(letters) in reached


class Passwords:
    """Hashes and checks passwords in two threads of their own; with 20 waiting, more are refused."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._busy = 0

    async def hash(self, password: str) -> str:
        """Return the argon2id hash to store.

        Raises:
            Unavailable: too many passwords are being checked.
        """
        return str(await self._run(self._hasher.hash, password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Return whether the password fits; without a stored hash the answer is no and takes as long.

        Raises:
            Unavailable: too many passwords are being checked.
        """
        fits = await self._run(_verify, self._hasher, stored or _DUMMY, password)
        return bool(fits) and bool(stored)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: "object", *args: object) -> object:
        if self._busy >= _THREADS + _WAITING:
            raise Unavailable("Too many people are signing in. Try again in a few seconds.")
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)  # type: ignore[arg-type]
        finally:
            self._busy -= 1


def _verify(hasher: PasswordHasher, stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
