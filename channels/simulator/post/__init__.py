"""A post office made of nothing, on this machine only: whoever has an address in the demo writes and reads here.

office.py holds the mailboxes, returns.py makes the delivery reports; smtp.py takes mail in and imap.py gives it out
(with selected.py, grammar.py, parts.py, picking.py); server.py puts both on their ports; customers.py are the people
who write.
"""

from channels.simulator.post.customers import Correspondents
from channels.simulator.post.server import Post, PostSettings, elsewhere
from channels.simulator.post.words import Letter

__all__ = ["Correspondents", "Letter", "Post", "PostSettings", "elsewhere"]
