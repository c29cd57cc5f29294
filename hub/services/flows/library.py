"""The flows there are: files read at start, every version kept, the one published last for whoever comes now."""

from collections.abc import Mapping
from pathlib import Path

from hub.domain.errors import BadRequest, NotFound
from hub.domain.self_service import FlowVersion
from hub.flows.machine import within_reach
from hub.flows.model import Flow, FlowError
from hub.flows.reading import read_flow
from hub.services.flows.files import read_folder
from hub.storage.tables import FLOW_VERSIONS
from hub.storage.unit_of_work import Store, UnitOfWork

LATE_MS = 60_000
"""How late a publication may be committed and still be taken."""


class FlowLibrary:
    """Flows by name and version. A session that began on a version finds it here for as long as it runs."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._flows: dict[tuple[str, str], Flow] = {}
        self._published: dict[str, str] = {}
        self._published_at: dict[str, int] = {}

    @property
    def published(self) -> dict[str, Flow]:
        """The flows that new sessions begin on, by name."""
        return {name: self._flows[name, version] for name, version in self._published.items()}

    def book(self, pins: Mapping[str, str]) -> dict[str, Flow]:
        """Return the flows of a session in the versions it is pinned to.

        Raises:
            NotFound: a version is not there (the database is another one's).
        """
        try:
            return {name: self._flows[name, version] for name, version in pins.items()}
        except KeyError as error:
            raise NotFound(f"There is no version {error} of that flow.") from None

    def known(self, pins: Mapping[str, str]) -> dict[str, Flow]:
        """Return those of a session's flows that are here, to read what it did."""
        return {name: self._flows[name, version] for name, version in pins.items() if (name, version) in self._flows}

    async def learn(self, tx: UnitOfWork, pins: Mapping[str, str]) -> None:
        """Read what a session is pinned to and this node has not seen yet: another node published it just now."""
        missing = [f"{name}@{version}" for name, version in pins.items() if (name, version) not in self._flows]
        if missing:
            for version in await tx.select(FLOW_VERSIONS, "WHERE id ANY_OF($1)", missing):
                self._know(version)

    async def catch_up(self) -> None:
        """Take what other nodes have published since this one looked."""
        since = max(self._published_at.values(), default=0) - LATE_MS

        async def unit(tx: UnitOfWork) -> list[FlowVersion]:
            return await tx.select(FLOW_VERSIONS, "WHERE published_at > $1 ORDER BY published_at, id", since)

        for version in await self._store.read(unit):
            self._take(version)

    def has(self, name: str) -> bool:
        """Whether there is such a flow, and all that it enters."""
        flows = self.published
        return name in flows and bool(within_reach(flows, name))

    async def load(self) -> list[str]:
        """Take the folder's files in and read what the database keeps; returns what could not be read.

        A file whose text is new is published; a text that is known already changes nothing, so that what was
        published or rolled back in the meantime stays.
        """
        flows, findings = read_folder(self._folder)
        texts = [(flow, _text_of(flow)) for flow in flows.values()]

        async def unit(tx: UnitOfWork) -> list[FlowVersion]:
            for flow, text in texts:
                await _keep(tx, flow, text)
            return await tx.select(FLOW_VERSIONS, "ORDER BY published_at, id")

        for version in await self._store.write(unit):
            self._take(version)
        return [str(finding) for finding in findings]

    async def publish(self, text: str, *, author: str) -> FlowVersion:
        """Publish a flow's text: whoever comes from now on gets it. An old text published again is a roll-back.

        Raises:
            BadRequest: it is no flow; the text says where and why.
        """
        try:
            flow = read_flow(text, "text")
        except FlowError as error:
            raise BadRequest(str(error)) from error

        async def unit(tx: UnitOfWork) -> FlowVersion:
            key = f"{flow.name}@{flow.version}"
            at = await _after_all(tx, flow.name)
            await tx.execute("UPDATE flow_versions SET published_at = $1, author = $2 WHERE id = $3", at, author, key)
            return await _keep(tx, flow, text, author=author)

        version = await self._store.write(unit)
        self._take(version)
        return version

    def _take(self, version: FlowVersion) -> None:
        self._know(version)
        if version.published_at >= self._published_at.get(version.name, 0):
            self._published[version.name], self._published_at[version.name] = version.version, version.published_at

    def _know(self, version: FlowVersion) -> None:
        key = (version.name, version.version)
        if key not in self._flows:
            self._flows[key] = read_flow(version.text, version.file)


def _text_of(flow: Flow) -> str:
    return Path(flow.file).read_text(encoding="utf-8")


async def _keep(tx: UnitOfWork, flow: Flow, text: str, *, author: str = "") -> FlowVersion:
    """Store a version that is not stored yet; returns it as stored."""
    key = f"{flow.name}@{flow.version}"
    stored = await tx.get(FLOW_VERSIONS, key)
    if stored is not None:
        return stored
    version = FlowVersion(
        id=key,
        name=flow.name,
        version=flow.version,
        file=Path(flow.file).name,
        text=text,
        created_at=tx.now,
        published_at=await _after_all(tx, flow.name),
        author=author,
    )
    await tx.execute(FLOW_VERSIONS.insert, *FLOW_VERSIONS.values(version))
    return version


async def _after_all(tx: UnitOfWork, name: str) -> int:
    """Return now, or a moment after the flow's last publication: which one is the last is never in doubt."""
    row = await tx.fetch_one("SELECT coalesce(max(published_at), 0) FROM flow_versions WHERE name = $1", name)
    return max(tx.now, int(row[0]) + 1 if row else 0)
