"""Staff accounts: made and changed, signed in and out; their sessions live in the database and can be revoked.

A session's token is 32 random bytes in a cookie; only its SHA-256 is stored, so a copy of the database opens nothing.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from hub.clock import Clock
from hub.domain.accounts import Credential, Session
from hub.domain.agent import Agent, Role
from hub.domain.customers import AddressKind, clean_name, normalized
from hub.domain.errors import BadRequest, Conflict, NotFound, Unauthorized, WrongPassword
from hub.domain.events import EventKind
from hub.domain.ids import AgentId, new_id
from hub.domain.networks import address_block
from hub.services.access import Scope
from hub.services.brakes import Brake
from hub.services.passwords import Passwords, check_password
from hub.settings import AgentSettings, Settings
from hub.storage.tables import AGENTS, CREDENTIALS, SESSIONS
from hub.storage.unit_of_work import Store, UnitOfWork

SEEN_EVERY_MS = 60_000
_SESSIONS_KEPT = 50
_REFUSED = "E-mail address or password is not right."


class Login(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person types to sign in."""

    email: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's old password and the new one."""

    old: Annotated[str, Meta(max_length=1024)]
    new: Annotated[str, Meta(max_length=1024)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where somebody signs in from, for their own list of sessions."""

    ip: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Signed:
    """Somebody who is signed in."""

    agent: Agent
    session: Session

    @property
    def scope(self) -> Scope:
        """What this person sees."""
        return Scope.of(self.agent)


@dataclass(frozen=True, slots=True)
class SignedIn(Signed):
    """Somebody who has just signed in, with the token that their browser keeps and nobody else."""

    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as those see it who keep the list of staff; `seen_at` is the latest use of a session that stands."""

    agent: Agent
    has_password: bool
    seen_at: int | None


class Accounts:
    """The use cases of staff accounts and their sessions."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, passwords: Passwords | None = None) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._passwords = passwords or Passwords()
        limits = settings.sign_in
        self._by_account = Brake(clock, free=limits.tries_per_account, window_s=limits.window_s)
        self._by_address = Brake(clock, free=limits.tries_per_address, window_s=limits.window_s)
        self.on_revoked: list[Callable[[str], None]] = []
        """Called with the id of every session that ends before its time."""

    def close(self) -> None:
        """End the threads that check passwords."""
        self._passwords.close()

    # -- accounts

    async def create(
        self, name: str, email: str, role: Role, password: str | None, *, agent_id: str | None = None
    ) -> Agent:
        """Make an account; without a password nobody can sign in to it yet.

        Raises:
            BadRequest: name, address or password will not do. Conflict: the address has an account.
        """
        shown, address = clean_name(name), normalized(AddressKind.EMAIL, email)
        if not shown:
            raise BadRequest("An account needs a name.")
        hashed = await self._hashed(password, shown, address)

        async def unit(tx: UnitOfWork) -> Agent:
            if await tx.select(AGENTS, "WHERE email = $1", address):
                raise Conflict(f"There is an account with the address {address} already.")
            agent = Agent(
                id=agent_id or new_id("a"),
                name=shown,
                email=address,
                role=role,
                capacity=self._settings.capacity.agent_units,
            )
            await tx.insert(AGENTS, agent)
            tx.record(EventKind.AGENT_CHANGED, agent=agent.id, changed="created", role=str(role))
            if hashed:
                await _keep(tx, agent.id, hashed)
            return agent

        return await self._store.write(unit)

    async def update(
        self, agent_id: str, *, name: str | None = None, role: Role | None = None, is_active: bool | None = None
    ) -> Agent:
        """Change an account. With another role, or none any more, all its sessions end.

        Raises:
            NotFound: there is none. BadRequest: an empty name.
        """
        changes: dict[str, object] = {"role": role, "is_active": is_active}
        if name is not None:
            changes["name"] = clean_name(name)
            if not changes["name"]:
                raise BadRequest("An account needs a name.")
        changes = {key: value for key, value in changes.items() if value is not None}

        async def unit(tx: UnitOfWork) -> tuple[Agent, list[str]]:
            before = await _account(tx, agent_id)
            after = msgspec.structs.replace(before, **changes)
            if after == before:
                return before, []
            ended = []
            if after.role is not before.role or not after.is_active:
                ended = await _end_sessions(tx, agent_id)
            tx.record(EventKind.AGENT_CHANGED, agent=agent_id, changed=",".join(sorted(changes)))
            return await tx.save(AGENTS, after), ended

        agent, ended = await self._store.write(unit)
        self._tell(ended)
        return agent

    async def sync_configured(self, agents: Mapping[str, AgentSettings]) -> list[str]:
        """Bring the accounts kept as configuration up to date; presence, work and passwords stay. Return whose changed.

        Whoever is disabled stays so, and whoever has another role now must sign in anew.

        Raises:
            Conflict: a configured address belongs to another account.
        """

        async def unit(tx: UnitOfWork) -> tuple[list[str], list[str]]:
            changed, ended = [], []
            for agent_id, wanted in sorted(agents.items()):
                before = await tx.get(AGENTS, agent_id, lock=True)
                after = _configured(before, agent_id, wanted, self._settings.capacity.agent_units)
                if after == before:
                    continue
                if any(other.id != agent_id for other in await tx.select(AGENTS, "WHERE email = $1", after.email)):
                    raise Conflict(f"The address of agents.{agent_id} belongs to another account.")
                tx.record(EventKind.AGENT_CHANGED, agent=agent_id, changed="configuration", role=str(after.role))
                if before is not None and before.role is not after.role:
                    ended += await _end_sessions(tx, agent_id)
                await (tx.insert(AGENTS, after) if before is None else tx.save(AGENTS, after))
                changed.append(agent_id)
            return changed, ended

        changed, ended = await self._store.write(unit)
        self._tell(ended)
        return changed

    async def find(self, email: str) -> Agent | None:
        """Return the account with this address."""
        address = normalized(AddressKind.EMAIL, email)

        async def unit(tx: UnitOfWork) -> Agent | None:
            found = await tx.select(AGENTS, "WHERE email = $1", address)
            return found[0] if found else None

        return await self._store.read(unit)

    async def everybody(self) -> list[Account]:
        """Return all accounts, those that are disabled too, by address."""

        async def unit(tx: UnitOfWork) -> list[Account]:
            able = {one.agent for one in await tx.select(CREDENTIALS, "WHERE password_hash <> ''")}
            seen: dict[AgentId, int] = {}
            for session in await tx.select(SESSIONS, "ORDER BY seen_at"):
                if self._is_valid(session, tx.now):
                    seen[session.agent] = session.seen_at
            return [
                Account(agent=agent, has_password=agent.id in able, seen_at=seen.get(agent.id))
                for agent in await tx.select(AGENTS, "ORDER BY email")
            ]

        return await self._store.read(unit)

    async def has_admin(self) -> bool:
        """Return whether somebody who may administrate can sign in."""

        async def unit(tx: UnitOfWork) -> bool:
            row = await tx.fetch_one(
                "SELECT 1 FROM agents JOIN credentials ON credentials.agent = agents.id "
                "WHERE agents.role = 'admin' AND agents.is_active = $1 AND credentials.password_hash <> ''",
                True,
            )
            return row is not None

        return await self._store.read(unit)

    async def set_password(self, agent_id: str, password: str, *, keep: str | None = None) -> None:
        """Give an account a new password; every session but `keep`, its owner's who changes it, ends.

        Raises:
            NotFound: there is no such account. BadRequest: the password will not do.
        """

        async def read(tx: UnitOfWork) -> Agent:
            return await _account(tx, agent_id, lock=False)

        agent = await self._store.read(read)
        hashed = await self._hashed(password, agent.name, agent.email)

        async def unit(tx: UnitOfWork) -> list[str]:
            await _keep(tx, agent_id, hashed)
            actor = f"agent:{agent_id}" if keep else "system"
            tx.record(EventKind.AGENT_CHANGED, actor=actor, agent=agent_id, changed="password")
            return await _end_sessions(tx, agent_id, but=keep)

        self._tell(await self._store.write(unit))

    async def has_password(self, agent_id: str) -> bool:
        """Return whether the account has a password: who signs in otherwise has none to change."""
        return bool(await self._stored_hash(agent_id))

    async def change_password(self, signed: Signed, change: PasswordChange) -> None:
        """Change one's own password; all other sessions end.

        Raises:
            WrongPassword: the old one is not right. WeakPassword: the new one will not do. RateLimited: too many tries.
        """
        self._by_account.check(signed.agent.email)
        self._by_account.count(signed.agent.email)
        if not await self._passwords.matches(await self._stored_hash(signed.agent.id), change.old):
            raise WrongPassword("The old password is not right.")
        self._by_account.forgive(signed.agent.email)
        await self.set_password(signed.agent.id, change.new, keep=signed.session.id)

    async def _hashed(self, password: str | None, name: str, email: str) -> str:
        if password is None:
            return ""
        check_password(password, about=(name, email))
        return await self._passwords.hash(password)

    # -- signing in and out

    async def sign_in(self, login: Login, device: Device) -> SignedIn:
        """Open a session. Whatever is wrong, the answer and the time it takes are the same.

        Raises:
            Unauthorized: address or password is not right. RateLimited: too many tries lately.
            Unavailable: too many people sign in at once.
        """
        account, address = login.email.strip().lower()[:254], address_block(device.ip)
        for brake, key in ((self._by_account, account), (self._by_address, address)):
            brake.check(key)
        self._by_account.count(account)
        self._by_address.count(address)
        agent = await self._by_email(account)
        stored = await self._stored_hash(agent.id) if agent else None
        fits = await self._passwords.matches(stored, login.password)
        if agent is None or not fits or not agent.is_active:
            await self._note_refusal(agent)
            raise Unauthorized(_REFUSED)
        self._by_account.forgive(account, all_tries=True)
        self._by_address.forgive(address)
        return await self.sign_in_as(agent.id, device)

    async def sign_in_as(self, agent_id: str, device: Device) -> SignedIn:
        """Open a session without a password: for the demo, and once a person has proved who they are.

        Raises:
            NotFound: there is no such account.
        """
        token = secrets.token_urlsafe(32)
        lives_ms = round(self._settings.sign_in.session_s * 1000)

        async def unit(tx: UnitOfWork) -> SignedIn:
            agent = await _account(tx, agent_id)
            session = Session(
                id=new_id("s"),
                token_hash=hash_of(token),
                agent=agent.id,
                created_at=tx.now,
                seen_at=tx.now,
                expires_at=tx.now + lives_ms,
                ip=device.ip[:64],
                browser=clean_name(device.browser)[:200],
            )
            await _make_room(tx, agent.id)
            await tx.execute(SESSIONS.insert, *SESSIONS.values(session))
            tx.record(EventKind.SIGNED_IN, actor=f"agent:{agent.id}", agent=agent.id, session=session.id)
            # An account made at the command line is news to this process.
            tx.touch(agent)
            return SignedIn(agent, session, token)

        return await self._store.write(unit)

    async def signed(self, token: str) -> Signed | None:
        """Return who holds this token, or None if it opens nothing (any more). Use is noted at most once a minute."""
        if not token:
            return None
        hashed = hash_of(token)

        async def unit(tx: UnitOfWork) -> Signed | None:
            found = await tx.select(SESSIONS, "WHERE token_hash = $1", hashed)
            agent = await tx.get(AGENTS, found[0].agent) if found else None
            if agent is None or not agent.is_active or not self._is_valid(found[0], tx.now):
                return None
            return Signed(agent, found[0])

        signed = await self._store.read(unit)
        if signed is not None and self._clock.now() - signed.session.seen_at >= SEEN_EVERY_MS:
            await self.seen([signed.session.id])
        return signed

    async def seen(self, sessions: Iterable[str]) -> set[str]:
        """Note that these sessions are in use; return those of them that still stand."""
        asked = sorted(set(sessions))

        async def unit(tx: UnitOfWork) -> set[str]:
            found = await tx.select(SESSIONS, "WHERE id ANY_OF($1)", asked)
            valid = {session.id for session in found if self._is_valid(session, tx.now)}
            await tx.execute(
                "UPDATE sessions SET seen_at = $1 WHERE id ANY_OF($2) AND seen_at < $3",
                tx.now,
                sorted(valid),
                tx.now - SEEN_EVERY_MS // 2,
            )
            return valid

        return await self._store.write(unit) if asked else set()

    def _is_valid(self, session: Session, now: int) -> bool:
        return now < session.expires_at and now - session.seen_at < self._settings.sign_in.idle_s * 1000

    async def sessions(self, agent_id: str) -> list[Session]:
        """Return an account's sessions that stand, latest first."""

        async def unit(tx: UnitOfWork) -> list[Session]:
            found = await tx.select(SESSIONS, "WHERE agent = $1 ORDER BY seen_at DESC, id", agent_id)
            return [session for session in found if self._is_valid(session, tx.now)]

        return await self._store.read(unit)

    async def revoke(self, agent_id: str, session_id: str) -> None:
        """End one session of an account.

        Raises:
            NotFound: it has no such session.
        """

        async def unit(tx: UnitOfWork) -> list[str]:
            ended = await _end_sessions(tx, agent_id, only=session_id)
            if not ended:
                raise NotFound("There is no such session.")
            return ended

        self._tell(await self._store.write(unit))

    async def sign_out(self, signed: Signed) -> None:
        """End the session somebody uses; one that is over already is fine."""
        with contextlib.suppress(NotFound):
            await self.revoke(signed.agent.id, signed.session.id)

    async def revoke_all(self, agent_id: str, *, but: str | None = None) -> None:
        """End all sessions of an account but one."""

        async def unit(tx: UnitOfWork) -> list[str]:
            return await _end_sessions(tx, agent_id, but=but)

        self._tell(await self._store.write(unit))

    def _tell(self, ended: Iterable[str]) -> None:
        for session_id in ended:
            for listener in tuple(self.on_revoked):
                listener(session_id)

    async def _by_email(self, email: str) -> Agent | None:
        async def unit(tx: UnitOfWork) -> Agent | None:
            found = await tx.select(AGENTS, "WHERE email = $1", email)
            return found[0] if found else None

        return await self._store.read(unit)

    async def _stored_hash(self, agent_id: str) -> str | None:
        async def unit(tx: UnitOfWork) -> str | None:
            found = await tx.get(CREDENTIALS, agent_id)
            return found.password_hash if found else None

        return await self._store.read(unit)

    async def _note_refusal(self, agent: Agent | None) -> None:
        async def unit(tx: UnitOfWork) -> None:
            tx.record(EventKind.SIGN_IN_REFUSED, agent=agent.id if agent else None, known=agent is not None)

        await self._store.write(unit)


def hash_of(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _configured(before: Agent | None, agent_id: str, wanted: AgentSettings, default_units: int) -> Agent:
    """Return the account as configured, with everything that is not configuration as it was."""
    fields: dict[str, object] = {
        "name": clean_name(wanted.name),
        "email": normalized(AddressKind.EMAIL, wanted.email),
        "role": Role(wanted.role),
        "capacity": wanted.capacity or default_units,
        "queues": wanted.queues,
        "groups": wanted.groups,
        "skills": dict(wanted.skills),
        "languages": wanted.languages,
        "kinds": wanted.kinds,
        "units": dict(wanted.units),
        "speed": wanted.speed,
        "phone": wanted.phone,
    }
    if wanted.signature:
        fields["signature"] = wanted.signature
    if before is not None:
        return msgspec.structs.replace(before, **fields)
    return Agent(id=agent_id, **fields)  # type: ignore[arg-type]


async def _account(tx: UnitOfWork, agent_id: str, *, lock: bool = True) -> Agent:
    found = await tx.get(AGENTS, agent_id, lock=lock)
    if found is None:
        raise NotFound("There is no such account.")
    return found


async def _keep(tx: UnitOfWork, agent_id: str, hashed: str) -> None:
    await tx.execute("DELETE FROM credentials WHERE agent = $1", agent_id)
    credential = Credential(agent=agent_id, password_hash=hashed, changed_at=tx.now)
    await tx.execute(CREDENTIALS.insert, *CREDENTIALS.values(credential))


async def _make_room(tx: UnitOfWork, agent_id: str) -> None:
    """Forget sessions that are over, and the oldest of too many."""
    await tx.execute("DELETE FROM sessions WHERE agent = $1 AND expires_at <= $2", agent_id, tx.now)
    await tx.execute(
        "DELETE FROM sessions WHERE agent = $1 AND id NOT IN "
        "(SELECT id FROM sessions WHERE agent = $1 ORDER BY seen_at DESC, id DESC LIMIT $2)",
        agent_id,
        _SESSIONS_KEPT - 1,
    )


async def _end_sessions(tx: UnitOfWork, agent_id: str, *, only: str | None = None, but: str | None = None) -> list[str]:
    """Delete an account's sessions (one, or all but one) and return their ids."""
    rows = await tx.fetch("SELECT id FROM sessions WHERE agent = $1 ORDER BY id", agent_id)
    ended = [str(row[0]) for row in rows if row[0] != but and (only is None or row[0] == only)]
    if ended:
        await tx.execute("DELETE FROM sessions WHERE id ANY_OF($1)", ended)
        for session_id in ended:
            tx.record(EventKind.SIGNED_OUT, actor=f"agent:{agent_id}", agent=agent_id, session=session_id)
    return ended
