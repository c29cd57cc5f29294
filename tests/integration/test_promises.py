"""Promises: made by agents and flows, kept, withdrawn or broken by the clock; seen where the customer is seen."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.errors import BadRequest, Conflict, Forbidden, NotFound
from hub.domain.interaction import Interaction
from hub.domain.promises import Promise, PromiseState
from hub.services.promises import TIMER
from hub.settings.sections import Flows
from hub.storage.tables import JOBS, NOTES, PROMISES
from hub.storage.unit_of_work import UnitOfWork
from tests.builders import Desk, open_desk, small_company

HOUR = 3_600_000
FLOW = (
    "flow: shop\ntitle: Shop\nperson: {queue: support}\nsteps:\n"
    '  ask: {ask: what, type: text, text: "What is missing?"}\n'
    "  promise: {promise: 'Find {{ answers.what }}.', due_s: 3600, queue: billing}\n"
    "  rest: {queue: support}\n"
)


async def made(desk: Desk, talk: Interaction, *, hours: int = 1, text: str = "Call back", queue: str = "") -> Promise:
    """Ann promises something in a conversation."""
    due_at = desk.clock.now() + hours * HOUR
    scope = await desk.scope("ann")
    promises = desk.hub.services.promises
    return await promises.make(talk.customer, text, due_at, scope, interaction=talk.id, queue=queue)


async def passes(desk: Desk, seconds: int) -> None:
    """Let a long time pass at once, as it does for a hub that was asleep: what fell due meanwhile happens now."""
    desk.clock._now += seconds * 1_000
    await desk.clock.advance(ms=1)
    for _ in range(50):
        await desk.settle()
        if not await desk._rows(PROMISES, "WHERE state = 'open' AND due_at <= $1", desk.clock.now()):
            break


async def ended(desk: Desk, promise: Promise, state: PromiseState, by: str = "ann") -> str:
    """Somebody ends it; returns how it stands, or what was said against it."""
    try:
        return str((await desk.hub.services.promises.end(promise.id, state, await desk.scope(by))).state)
    except Conflict:
        return "conflict"


async def stored(desk: Desk, promise: Promise) -> Promise:
    (found,) = await desk._rows(PROMISES, "WHERE id = $1", promise.id)
    return found


async def invariant(desk: Desk) -> None:
    """Every promise is open with its timer, or ended and without; what broke first may have been kept after that."""
    timers = {job.subject: job.due_at for job in await desk._rows(JOBS, "WHERE kind = $1", TIMER)}
    for one in await desk._rows(PROMISES, "ORDER BY id"):
        is_open = one.state is PromiseState.OPEN
        assert (one.ended_at is None, one.ended_by == "", timers.pop(one.id, None)) == (
            is_open,
            is_open,
            one.due_at if is_open else None,
        )

    async def ends(tx: UnitOfWork) -> list[tuple[str, str]]:
        rows = await tx.fetch("SELECT facts FROM journal WHERE kind = 'promise_ended' ORDER BY seq")
        facts = [msgspec.json.decode(str(row[0])) for row in rows]
        return [(one["promise"], one["outcome"]) for one in facts]

    told = await desk.hub.services.store.read(ends)
    assert timers == {}
    for one in await desk._rows(PROMISES, "ORDER BY id"):
        own = [outcome for promise, outcome in told if promise == one.id]
        assert own == ([] if one.state is PromiseState.OPEN else ([*own[:-1], str(one.state)]))
        assert own[:-1] in ([], ["broken"]), "only what broke ends a second time"


async def test_a_promise_is_shown_with_the_customer_and_kept(desk: Desk) -> None:
    talk = await desk.chat()
    promise = await made(desk, talk, text="  Call\nback, 4111 1111 1111 1111 ")
    assert (promise.made_by, promise.owner, promise.state) == ("agent:ann", "agent:ann", PromiseState.OPEN)
    assert "4111" not in promise.text
    assert "\n" not in promise.text
    services, scope = desk.hub.services, await desk.scope("bob")
    assert (await services.people.profile(talk.customer, scope)).promises == [promise]
    page = await services.timeline.page(talk.customer, scope)
    assert [(one.text, one.state, one.due_at, one.agent_name) for one in page.items if one.kind == "promise"] == [
        (promise.text, "open", promise.due_at, "Ann Example")
    ]
    await invariant(desk)
    assert await ended(desk, promise, PromiseState.KEPT, "bob") == "kept"
    assert await ended(desk, promise, PromiseState.KEPT, "bob") == "kept"
    assert await ended(desk, promise, PromiseState.WITHDRAWN) == "conflict"
    assert (await stored(desk, promise)).ended_by == "agent:bob"
    await passes(desk, 7_200)
    assert (await stored(desk, promise)).state is PromiseState.KEPT
    assert await desk._rows(NOTES, "ORDER BY id") == []
    await invariant(desk)


async def test_what_nobody_kept_is_broken_and_colleagues_read_so(desk: Desk) -> None:
    talk = await desk.chat()
    promise = await made(desk, talk)
    await passes(desk, 3_598)
    assert (await stored(desk, promise)).state is PromiseState.OPEN
    await passes(desk, 2)
    broken = await stored(desk, promise)
    assert (broken.state, broken.ended_by) == (PromiseState.BROKEN, "system")
    (note,) = await desk._rows(NOTES, "ORDER BY id")
    assert (note.text, note.name, note.interaction) == ("Not kept in time: Call back", "Ann Example", talk.id)
    await desk.hub.services.promises.overdue(promise.id)
    assert len(await desk._rows(NOTES, "ORDER BY id")) == 1
    await invariant(desk)


async def test_what_broke_needs_attention_until_it_is_kept_late_or_withdrawn(desk: Desk) -> None:
    talk = await desk.chat()
    late, never = await made(desk, talk), await made(desk, talk, text="Send a gift")
    await passes(desk, 3_600)
    promises, scope = desk.hub.services.promises, await desk.scope("sue")
    found = await promises.broken(scope)
    assert {one.id for one, _ in found} == {late.id, never.id}
    assert {customer.name for _, customer in found} == {"Li Wei"}
    with pytest.raises(Forbidden):
        await promises.broken(await desk.scope("ann"))
    assert await ended(desk, late, PromiseState.KEPT) == "kept"
    kept = await stored(desk, late)
    assert (kept.ended_by, kept.ended_at is not None and kept.ended_at > kept.due_at) == ("agent:ann", True)
    assert [one.id for one, _ in await promises.broken(scope)] == [never.id]
    assert await ended(desk, never, PromiseState.WITHDRAWN, "sue") == "withdrawn"
    assert await promises.broken(scope) == []
    assert await ended(desk, never, PromiseState.KEPT) == "conflict"
    await promises.overdue(late.id)
    await invariant(desk)


async def test_what_is_promised_twice_under_one_id_is_promised_once(desk: Desk) -> None:
    talk, other = await desk.chat(), await desk.chat("Bo")
    promises, due_at = desk.hub.services.promises, desk.clock.now() + HOUR

    async def makes(by: str, customer: str, client_id: str = "one-and-the-same") -> str:
        return (await promises.make(customer, "Call", due_at, await desk.scope(by), client_id=client_id)).id

    twice = await asyncio.gather(*(makes("ann", talk.customer) for _ in range(3)))
    assert len(set(twice)) == 1
    assert await makes("ann", talk.customer) == twice[0]
    rest = {
        await makes("bob", talk.customer),
        await makes("ann", other.customer),
        await makes("ann", talk.customer, "x"),
    }
    assert len(rest | set(twice)) == 4
    assert len(await desk._rows(PROMISES, "")) == 4
    await invariant(desk)


async def test_colleagues_read_in_the_companys_language(tmp_path: Path, migrated_file: Path) -> None:
    shutil.copy(migrated_file, tmp_path / "hub.db")
    company = msgspec.structs.replace(small_company(tmp_path, "").company, default_language="zh")
    desk = await open_desk(tmp_path, f"sqlite:///{tmp_path}/hub.db", {"company": company})
    try:
        await made(desk, await desk.chat())
        await passes(desk, 3_600)
        (note,) = await desk._rows(NOTES, "")
        assert note.text == "未按时兑现\uff1aCall back"
    finally:
        await desk.hub.stop()


@pytest.mark.parametrize("is_clock_first", [True, False])
async def test_a_keeper_and_the_clock_never_both_win(desk: Desk, is_clock_first: bool) -> None:
    promise = await made(desk, await desk.chat())
    desk.clock._now = promise.due_at
    promises, scope = desk.hub.services.promises, await desk.scope("ann")

    async def keeps() -> str:
        try:
            return str((await promises.end(promise.id, PromiseState.KEPT, scope)).state)
        except Conflict:
            return "conflict"

    if is_clock_first:
        _, said = await asyncio.gather(promises.overdue(promise.id), keeps())
    else:
        said, _ = await asyncio.gather(keeps(), promises.overdue(promise.id))
    final = (await stored(desk, promise)).state
    assert (final, said) == (PromiseState.KEPT, "kept"), "in time or late, kept it is"
    assert len(await desk._rows(NOTES, "ORDER BY id")) <= 1
    await invariant(desk)


async def test_of_two_who_end_it_one_does(desk: Desk) -> None:
    promise = await made(desk, await desk.chat())
    said = await asyncio.gather(
        ended(desk, promise, PromiseState.KEPT, "ann"), ended(desk, promise, PromiseState.WITHDRAWN, "bob")
    )
    assert sorted(said) in (["conflict", "kept"], ["conflict", "withdrawn"])
    await invariant(desk)


async def test_what_is_no_promise_is_refused(desk: Desk) -> None:
    talk, other = await desk.chat(), await desk.chat("Bo")
    promises, scope, now = desk.hub.services.promises, await desk.scope("ann"), desk.clock.now()
    for text, due_at in ((" \n", now + HOUR), ("x" * 501, now + HOUR), ("Call", now), ("Call", now + 400 * 24 * HOUR)):
        with pytest.raises(BadRequest):
            await promises.make(talk.customer, text, due_at, scope)
    for customer, interaction, queue in (
        ("nobody", None, ""),
        (talk.customer, other.id, ""),
        (talk.customer, None, "nowhere"),
    ):
        with pytest.raises(NotFound):
            await promises.make(customer, "Call", now + HOUR, scope, interaction=interaction, queue=queue)
    promise = await made(desk, talk)
    for state in (PromiseState.BROKEN, PromiseState.OPEN):
        with pytest.raises(BadRequest):
            await promises.end(promise.id, state, scope)
    await invariant(desk)


async def test_it_goes_along_when_customers_are_made_one_and_back(desk: Desk) -> None:
    talk, other = await desk.chat(), await desk.chat("Bo")
    promise = await made(desk, talk)
    people, scope = desk.hub.services.people, await desk.scope("sue")
    merge = await people.merge(other.customer, talk.customer, scope)
    assert [one.id for one in (await people.profile(other.customer, scope)).promises] == [promise.id]
    assert await ended(desk, promise, PromiseState.KEPT) == "kept"
    await people.undo_merge(merge.id, scope)
    assert [one.id for one in (await people.profile(talk.customer, scope)).promises] == [promise.id]
    await invariant(desk)


async def test_a_flow_promises_once_and_its_timer_survives_a_restart(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "shop.yaml").write_text(FLOW, encoding="utf-8")
    desk = await open_desk(tmp_path, database_url, {"flows": Flows(folder=tmp_path)})
    try:
        talk = await desk.chat(text="", flow="shop")
        for _ in range(2):
            await desk.visitor_says(talk, "my parcel", "one-and-the-same")
        (promise,) = await desk._rows(PROMISES, "ORDER BY id")
        assert (promise.text, promise.made_by, promise.owner) == ("Find my parcel.", "flow", "queue:billing")
        assert (promise.interaction, promise.due_at) == (talk.id, promise.made_at + HOUR)
        await invariant(desk)
    finally:
        await desk.hub.stop()
    clock = desk.clock
    clock._now += 2 * HOUR
    desk = await open_desk(tmp_path, database_url, {"flows": Flows(folder=tmp_path)}, clock=clock)
    try:
        for _ in range(50):
            if (await stored(desk, promise)).state is not PromiseState.OPEN:
                break
            await desk.wait(1)
        assert (await stored(desk, promise)).state is PromiseState.BROKEN
        assert [note.name for note in await desk._rows(NOTES, "ORDER BY id")] == ["Billing"]
    finally:
        await desk.hub.stop()


moves = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.integers(1, 3)),
        st.tuples(st.sampled_from(["kept", "withdrawn", "due"]), st.integers(0, 3)),
        st.tuples(st.just("hours"), st.integers(1, 2)),
    ),
    max_size=12,
)


@asynccontextmanager
async def empty_desk(folder: Path) -> AsyncIterator[Desk]:
    """Open a hub of its own for one example."""
    desk = await open_desk(folder, f"sqlite:///{folder}/hub.db")
    try:
        yield desk
    finally:
        await desk.hub.stop()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=moves)
def test_any_order_of_moves_leaves_each_open_with_a_timer_or_ended_once(
    tmp_path: Path, migrated_file: Path, told: list[tuple[str, int]]
) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    shutil.copy(migrated_file, folder / "hub.db")

    async def example() -> None:
        async with empty_desk(folder) as desk:
            talk = await desk.chat()
            promises: list[Promise] = []
            for name, value in told:
                if name == "make":
                    promises.append(await made(desk, talk, hours=value))
                elif name == "hours":
                    await passes(desk, value * 3_600)
                elif value < len(promises):
                    before = await stored(desk, promises[value])
                    if name == "due":
                        await desk.hub.services.promises.overdue(before.id)
                    else:
                        await ended(desk, before, PromiseState(name))
                    after = await stored(desk, before)
                    may_end = before.state is PromiseState.OPEN or (
                        before.state is PromiseState.BROKEN and name != "due"
                    )
                    assert may_end or after == before
                await invariant(desk)

    asyncio.run(example())
