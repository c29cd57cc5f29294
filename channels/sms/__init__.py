"""SMS and WhatsApp by Twilio Messaging, or whatever speaks its protocol.

channel.py   the line: webhooks in, messages out
reading.py   what the carrier's parameters say, in the hub's words
words.py     STOP, START and HELP in two languages; what the carrier's error numbers mean
checking.py  what makes no sense in a line's block, and the addresses to enter at the provider
"""

from channels.sms.channel import Sms

__all__ = ["Sms"]
