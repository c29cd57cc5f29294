"""What the floor holds for those who wait in great numbers: nothing twice, however often they write."""

import msgspec

from hub.domain.interaction import Interaction, Needs, State
from hub.events import Commit
from hub.services.dispatching.floor import Floor
from hub.settings import Settings


def as_read(who: str, *, version: int, state: State = State.QUEUED) -> Interaction:
    """Return an interaction as a database has it: none of its values is another's object."""
    made = Interaction(
        id=who,
        channel="mail",
        kind="email",
        customer=f"c-{who}",
        queue="support",
        state=state,
        created_at=1,
        language="de",
        tier="gold",
        last_from="customer",
        root=who,
        needs=Needs(skills={"tax": 2}),
        version=version,
    )
    return msgspec.json.decode(msgspec.json.encode(made), type=Interaction)


def test_who_waits_shares_what_many_have_in_common_and_goes_on_to_when_written_to_again() -> None:
    floor = Floor(Settings())
    floor.apply(Commit((), (as_read("i-1", version=1), as_read("i-2", version=1))))
    first = floor.interactions["i-1"]

    floor.apply(Commit((), (as_read("i-2", version=2),)))

    again = floor.interactions["i-2"]
    assert again == as_read("i-2", version=2)
    shared = ("channel", "kind", "queue", "language", "tier", "last_from", "needs")
    assert [name for name in shared if getattr(again, name) is not getattr(first, name)] == []
    assert again.root is again.id is next(key for key in floor.interactions if key == "i-2")


def test_what_changes_is_what_it_is_now() -> None:
    floor = Floor(Settings())
    floor.apply(Commit((), (as_read("i-1", version=1),)))
    moved = msgspec.structs.replace(
        as_read("i-1", version=2), customer="c-9", queue="sales", needs=Needs(), root="i-0", language="fr"
    )

    floor.apply(Commit((), (moved,)))

    assert floor.interactions["i-1"] == moved
