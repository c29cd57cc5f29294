"""Self-service as it is kept: the sessions of flows, and every version of a flow that one may still run on."""

import msgspec

from hub.domain.ids import CustomerId, InteractionId


class FlowSession(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's way through a flow. `body` is the whole session and `looking_up` the look-up under way, as JSON.

    What the customer answered stands in `body` alone, so that it can be erased; the journal has names and figures.
    """

    id: str
    interaction: InteractionId
    customer: CustomerId
    flow: str
    flow_version: str
    step: str
    state: str
    started_at: int
    stepped_at: int
    body: str
    looking_up: str = ""
    ended_at: int | None = None
    outcome: str = ""
    reason: str = ""
    version: int = 0


class FlowVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One text of a flow. The one published last is what new sessions begin on; `id` is `name@version`."""

    id: str
    name: str
    version: str
    file: str
    text: str
    created_at: int
    published_at: int
    author: str = ""
