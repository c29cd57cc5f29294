"""The routing engine: told who waits and who is free, it says who is offered what, and why.

The code here cannot do any I/O, owns no clock and no randomness: it is told events with
their time (integer milliseconds since the epoch) and answers with decisions. Equal events
in equal order give equal decisions, on any machine, in any process.
"""
