"""Channels: each translates one provider into the hub's words and back, and knows nothing else of the hub."""

from typing import Final

KINDS: Final = {
    "mail": "channels.mail.channel:Mail",
    "sms": "channels.sms:Sms",
    "voice": "channels.voice:Voice",
    "webchat": "channels.webchat:WebChat",
}
"""Channel kinds as configurations name them, and the class of each: imported only where one is configured."""
