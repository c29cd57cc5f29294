"""Tells each channel what was committed in interactions of its own, and what agents type."""

from hub.contract import Listener
from hub.domain.interaction import Interaction
from hub.domain.messages import Message
from hub.events import Commit, Signals
from hub.services.dispatching.floor import Floor, Key


class ChannelFeed:
    """Hands commits to the channels' listeners, in commit order."""

    def __init__(self, floor: Floor, signals: Signals) -> None:
        self._floor = floor
        self._listeners: dict[str, Listener] = {}
        signals.subscribe("typing", self._on_typing)

    def listen(self, channel: str, listener: Listener) -> None:
        """Tell `listener` of the interactions of this channel from now on."""
        self._listeners[channel] = listener

    def on_commit(self, commit: Commit, _keys: set[Key]) -> None:
        """Tell the channels of one commit: messages first, then what became of their interactions."""
        changed = {record.id: record for record in commit.records if isinstance(record, Interaction)}
        for record in commit.records:
            if isinstance(record, Message):
                interaction = changed.get(record.interaction) or self._floor.interactions.get(record.interaction)
                listener = self._listeners.get(interaction.channel) if interaction else None
                if interaction is not None and listener is not None:
                    listener.on_message(interaction, record)
        for interaction in changed.values():
            listener = self._listeners.get(interaction.channel)
            if listener is not None:
                listener.on_change(interaction)

    def _on_typing(self, signal: dict[str, object]) -> None:
        interaction = self._floor.interactions.get(str(signal["interaction"]))
        if signal.get("who") == "agent" and interaction is not None:
            listener = self._listeners.get(interaction.channel)
            if listener is not None:
                listener.on_typing(interaction.id, bool(signal["typing"]), str(signal.get("name", "")))
