"""Hypothesis strategies for policies, agents, interactions."""

from hypothesis import strategies as st

from routing.model import AgentState, Exclusion, SkillNeed, WaitingInteraction, WayOut, WayOutKind
from routing.policy import AgentGroup, AgentOrder, Policy, Profile, QueuePolicy, RelaxStep, Reservation

SKILLS = ("billing", "tech")
GROUPS = ("east", "west")
QUEUES = ("q1", "q2", "q3")
CHANNELS = ("voice", "chat", "email")
AGENTS = ("ann", "bob", "cat", "dan")
LANGUAGES = ("en", "yue")
OUT = WayOut(WayOutKind.CALLBACK)

needs = st.builds(SkillNeed, st.sampled_from(SKILLS), st.integers(1, 4))
groups = st.builds(
    AgentGroup, id=st.sampled_from(GROUPS), rank=st.integers(0, 1), delay_ms=st.sampled_from([0, 0, 7_000])
)


def _some(values: tuple[str, ...], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True).map(tuple)


steps = st.builds(
    RelaxStep,
    after_ms=st.sampled_from([5_000, 9_000, 20_000]),
    lower_levels_by=st.integers(0, 2),
    drop_skills=_some(SKILLS, 1),
    add_groups=st.lists(groups, max_size=1).map(tuple),
    add_queues=_some(QUEUES, 1),
    any_language=st.booleans(),
    way_out=st.sampled_from([None, None, None, OUT]),
)


@st.composite
def queue_policies(draw: st.DrawFn, queue_id: str) -> QueuePolicy:
    return QueuePolicy(
        id=queue_id,
        target_ms=draw(st.sampled_from([10_000, 20_000, 60_000])),
        profile=draw(st.sampled_from(Profile)),
        agent_order=draw(st.sampled_from(AgentOrder)),
        skills=tuple(draw(st.lists(needs, max_size=1))),
        groups=tuple(draw(st.lists(groups, max_size=2, unique_by=lambda group: group.id))),
        relax=tuple(draw(st.lists(steps, max_size=2))),
        max_wait_ms=draw(st.sampled_from([None, 45_000])),
        when_waited=OUT,
        max_length=draw(st.sampled_from([None, 3])),
        when_full=OUT,
        sticky_ms=draw(st.sampled_from([0, 6_000])),
        only_agent_ms=draw(st.sampled_from([None, 8_000])),
        offers_at_once=draw(st.sampled_from([1, 1, 2])),
        reservation=draw(st.sampled_from([None, None, Reservation(keep_free=1, until_waited_ms=4_000)])),
        pick_allowed=draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    return Policy(queues={queue_id: draw(queue_policies(queue_id)) for queue_id in QUEUES})


@st.composite
def agents(draw: st.DrawFn) -> AgentState:
    """Half of the agents are all-rounders, so that many are each other's equals."""
    agent_id = draw(st.sampled_from(AGENTS))
    if draw(st.booleans()):
        return AgentState(id=agent_id, skills={"billing": 4, "tech": 4}, languages=("yue",), groups=GROUPS)
    return AgentState(
        id=agent_id,
        is_available=draw(st.sampled_from([True, True, True, False])),
        is_connected=draw(st.sampled_from([True, True, True, False])),
        skills=draw(st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 5))),
        languages=draw(_some(LANGUAGES)),
        groups=draw(_some(GROUPS)),
        queue_ids=draw(st.sampled_from([None, None, ("q1",), ("q1", "q2")])),
        channels=draw(st.sampled_from([None, None, ("voice",), ("chat", "email")])),
        capacity_units=draw(st.sampled_from([100, 100, 50])),
        units=draw(st.sampled_from([{}, {}, {"chat": 50}])),
        speed=draw(st.sampled_from([1.0, 1.5])),
    )


@st.composite
def interactions(draw: st.DrawFn, interaction_id: str, at_ms: int) -> WaitingInteraction:
    return WaitingInteraction(
        id=interaction_id,
        queue_id=draw(st.sampled_from(QUEUES)),
        channel=draw(st.sampled_from(CHANNELS)),
        queued_at_ms=at_ms - draw(st.sampled_from([0, 0, 0, 3_000])),
        head_start_ms=draw(st.sampled_from([0, 0, 12_000])),
        value=draw(st.sampled_from([1, 1, 2, 4])),
        skills=tuple(draw(st.lists(needs, max_size=1))),
        any_of=draw(st.sampled_from([(), (), ((SkillNeed("billing", 2), SkillNeed("tech", 2)),)])),
        best_skills=draw(_some(SKILLS, 1)),
        languages=draw(st.sampled_from([(), (), ("yue",)])),
        only_agent_id=draw(st.sampled_from([None, None, None, "ann"])),
        preferred_agent_ids=draw(st.sampled_from([(), (), ("bob",), ("cat", "ann")])),
        excluded=draw(st.sampled_from([(), (), (), (Exclusion("dan", at_ms + 10_000),)])),
        stays=draw(st.sampled_from([False, False, True])),
    )
