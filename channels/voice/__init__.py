"""Phone calls by Twilio Programmable Voice, or whatever speaks its protocol."""

from channels.voice.channel import Voice

__all__ = ["Voice"]
