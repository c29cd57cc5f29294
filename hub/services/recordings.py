"""Brings recordings from the carrier into our own files; they are played from there, never by the carrier's address."""

from collections.abc import Mapping

from hub.contract.calls import LiveCalls
from hub.domain.calls import Call, Recording
from hub.services.calls import CallService
from hub.services.files import FileStore
from hub.storage.tables import CALLS, RECORDINGS
from hub.storage.unit_of_work import Store, UnitOfWork

_LARGEST = 200_000_000
"""Bytes; a call of four hours, both sides, at the carrier's rate."""


class Recordings:
    """Fetches what the carrier has kept, in the background, as often as it takes."""

    def __init__(self, store: Store, calls: CallService, files: FileStore, channels: Mapping[str, LiveCalls]) -> None:
        self._store = store
        self._calls = calls
        self._files = files
        self._channels = channels

    async def fetch(self, recording_id: str) -> None:
        """Bring one recording over and show it in its conversation; one that is here already is left alone.

        Raises:
            ChannelUnavailable: it is not there yet, or the carrier is out of reach; the timer tries again.
        """

        async def unit(tx: UnitOfWork) -> tuple[Recording | None, Call | None]:
            recording = await tx.get(RECORDINGS, recording_id)
            return recording, await tx.get(CALLS, recording.interaction) if recording else None

        recording, call = await self._store.read(unit)
        channel = self._channels.get(call.channel) if call is not None else None
        if recording is None or recording.file is not None or channel is None:
            return
        file = await self._files.store(
            recording.interaction,
            "message.mp3" if recording.is_message else "recording.mp3",
            channel.fetch(recording.provider_id),
            by="system",
            limit=_LARGEST,
        )
        await self._calls.recording_kept(recording_id, file)
