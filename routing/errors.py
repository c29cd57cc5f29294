"""What the engine refuses. Whatever raises one of these has changed nothing.

RoutingError
├── InvalidPolicy        the configuration contradicts itself
├── ImpossibleInput      the event cannot be true: UnknownSkill, UnknownQueue, UnknownChannel,
│                        AlreadyKnown, TimeWentBack
└── NotTakeable          a person asked for something routing does not allow: pick, assign
"""


class RoutingError(Exception):
    """Root of all refusals; `code` is stable, the text may change."""

    code = "routing_error"


class InvalidPolicy(RoutingError):
    """The configuration contradicts itself or names something that is not there."""

    code = "invalid_policy"


class ImpossibleInput(RoutingError):
    """An event that cannot be true: a negative capacity, a level outside 1..5, an empty id."""

    code = "impossible_input"


class UnknownQueue(ImpossibleInput):
    """The queue is not in the policy."""

    code = "unknown_queue"


class UnknownChannel(ImpossibleInput):
    """The channel kind is not in the policy."""

    code = "unknown_channel"


class UnknownSkill(ImpossibleInput):
    """The policy lists its skills and this one is not among them."""

    code = "unknown_skill"


class AlreadyKnown(ImpossibleInput):
    """The same interaction or agent would be in two places at once."""

    code = "already_known"


class TimeWentBack(ImpossibleInput):
    """The event is older than the last one by more than the policy's `clock_slack_ms`."""

    code = "time_went_back"


class NotTakeable(RoutingError):
    """This agent may not be given this interaction; `refusals` are the stable codes of why."""

    code = "not_takeable"

    def __init__(self, text: str, refusals: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.refusals = refusals
