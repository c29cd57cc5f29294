"""Frozen, typed settings, read once at start and handed down: `load(path, environ)`, then `validate(settings)`."""

from hub.settings.blocks import block_arguments, check_block
from hub.settings.checking import validate
from hub.settings.floor import (
    AgentSettings,
    AwayReason,
    CannedReply,
    ChannelSettings,
    Company,
    Disposition,
    Group,
    Hours,
    QueueSettings,
    Relax,
    Reservation,
    Service,
    Settings,
    Tier,
    WayOut,
)
from hub.settings.policy import routing_policy
from hub.settings.reading import load
from hub.settings.sections import (
    Capacity,
    Demo,
    Flows,
    Handling,
    Kind,
    Letters,
    Limits,
    Offers,
    Presence,
    Server,
    SignIn,
)
from hub.settings.values import Problem, Secret, SettingsError

__all__ = [
    "AgentSettings",
    "AwayReason",
    "CannedReply",
    "Capacity",
    "ChannelSettings",
    "Company",
    "Demo",
    "Disposition",
    "Flows",
    "Group",
    "Handling",
    "Hours",
    "Kind",
    "Letters",
    "Limits",
    "Offers",
    "Presence",
    "Problem",
    "QueueSettings",
    "Relax",
    "Reservation",
    "Secret",
    "Server",
    "Service",
    "Settings",
    "SettingsError",
    "SignIn",
    "Tier",
    "WayOut",
    "block_arguments",
    "check_block",
    "load",
    "routing_policy",
    "validate",
]
