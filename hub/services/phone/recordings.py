"""Brings recordings from the carrier into our own files; they are played from there, never by the carrier's address."""

import asyncio
from collections.abc import Mapping

from hub.contract.calls import LiveCalls, Target
from hub.domain.calls import Call, Direction, Leg, Recording
from hub.domain.errors import ChannelUnavailable
from hub.services.files import FileStore
from hub.services.phone.calls import CallService
from hub.services.phone.sound import is_silent
from hub.storage.tables import CALLS, LEGS, RECORDINGS
from hub.storage.unit_of_work import Store, UnitOfWork

_LARGEST = 200_000_000
"""Bytes; a call of four hours, both sides, at the carrier's rate."""
_DAY_MS = 86_400_000
_AT_A_TIME = 500
_LARGEST_WEIGHED = 16_000_000
"""Bytes of a message's plain sound: more than a quarter of an hour, which nobody is silent for."""


class Recordings:
    """Fetches what the carrier has kept, in the background, as often as it takes."""

    def __init__(self, store: Store, calls: CallService, files: FileStore, channels: Mapping[str, LiveCalls]) -> None:
        self._store = store
        self._calls = calls
        self._files = files
        self._channels = channels

    async def fetch(self, recording_id: str) -> None:
        """Bring one recording over and show it in its conversation; one that is here already is left alone.

        A message becomes work before its sound is here, once it was heard that somebody has spoken; whether they have
        cannot be heard while the carrier is out of reach: then it is taken for granted.

        Raises:
            ChannelUnavailable: it is not there yet, or the carrier is out of reach; the timer tries again.
        """

        async def unit(tx: UnitOfWork) -> tuple[Recording | None, Call | None]:
            recording = await tx.get(RECORDINGS, recording_id)
            return recording, await tx.get(CALLS, recording.interaction) if recording else None

        recording, call = await self._store.read(unit)
        channel = self._channels.get(call.channel) if call is not None else None
        if recording is None or call is None or channel is None or recording.file is not None or recording.problem:
            return
        if recording.is_message and call.direction is not Direction.MESSAGE:
            if await self._is_silent(channel, recording):
                await self._calls.message_was_silent(recording_id)
                return
            recording = await self._calls.message_taken(recording_id)
        file = await self._files.store(
            recording.interaction,
            "message.mp3" if recording.is_message else "recording.mp3",
            channel.fetch(recording.provider_id),
            by="system",
            limit=_LARGEST,
        )
        await self._calls.recording_kept(recording_id, file)

    async def compare(self, leg_id: str) -> None:
        """Take what the carrier has recorded of a line that is over; what it has told of already counts once.

        Raises:
            ChannelUnavailable: it is not ready yet, or the carrier is out of reach; the timer tries again.
        """

        async def unit(tx: UnitOfWork) -> tuple[Leg | None, Call | None]:
            leg = await tx.get(LEGS, leg_id)
            return leg, await tx.get(CALLS, leg.interaction) if leg else None

        leg, call = await self._store.read(unit)
        channel = self._channels.get(call.channel) if call is not None else None
        if leg is None or call is None or channel is None or not leg.provider_id:
            return
        line = Target(leg=leg.id, provider_id=leg.provider_id, interaction=call.id)
        for news in await channel.recordings_of(line):
            await self._calls.happened(call.channel, news)

    async def forget_old(self, days: int) -> int:
        """Remove the sound of what ended more than so many days ago, at the carrier first; return how many went.

        Safe to repeat, and on several nodes at once.

        Raises:
            ChannelUnavailable: the carrier is out of reach; what could not be removed there stays here, too.
        """

        async def unit(tx: UnitOfWork) -> list[tuple[Recording, Call | None]]:
            before = tx.now - days * _DAY_MS
            old = await tx.select(
                RECORDINGS,
                "WHERE file IS NOT NULL AND started_at < $1 ORDER BY started_at LIMIT $2",
                before,
                _AT_A_TIME,
            )
            calls = await tx.select(CALLS, "WHERE id ANY_OF($1)", sorted({one.interaction for one in old}))
            by_id = {call.id: call for call in calls}
            return [(one, by_id.get(one.interaction)) for one in old]

        count = 0
        while found := await self._store.read(unit):
            for recording, call in found:
                channel = self._channels.get(call.channel) if call is not None else None
                if channel is not None:
                    await channel.forget(recording.provider_id)
                await self._calls.recording_removed(recording.id)
                await self._files.forget([recording.file or ""])
            count += len(found)
        return count

    async def _is_silent(self, channel: LiveCalls, recording: Recording) -> bool:
        sound = bytearray()
        try:
            async for chunk in channel.fetch(recording.provider_id, plain=True):
                sound += chunk
                if len(sound) > _LARGEST_WEIGHED:
                    return False
        except ChannelUnavailable:
            await self._calls.message_taken(recording.id)
            raise
        return await asyncio.to_thread(is_silent, bytes(sound))
