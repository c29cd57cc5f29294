"""E-mail: any mailbox as a routed channel.

The reading modules are pure: bytes in, frozen results out, never an exception.
"""
