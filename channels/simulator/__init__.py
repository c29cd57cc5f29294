"""Visitors and staff made of nothing, who speak the real protocols over the network: the demo and the tests use them.

They know of the hub what the world knows: two Socket.IO servers and a few addresses. Everybody's chance comes from one
seed, so that a run can be repeated as far as the network allows. `carrier/` is their telephone company.
"""

from channels.simulator.client import Gateway, Line, LineDown, Refused
from channels.simulator.scripts import Library
from channels.simulator.staff import House, Member, Staff
from channels.simulator.visitors import Visitors

__all__ = ["Gateway", "House", "Library", "Line", "LineDown", "Member", "Refused", "Staff", "Visitors"]
