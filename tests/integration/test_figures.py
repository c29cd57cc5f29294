"""The figures for collectors: whatever is promised on /metrics is really counted, while a hub lives a little."""

import asyncio
import logging
from pathlib import Path

from tests.security.yard import Yard, open_yard

QUIET = {
    "hub_arrivals": "no letter came",
    "hub_invariant_violations": "nothing is broken",
    "hub_jobs_overdue": "no timer is late",
    "hub_log_lines_dropped": "the log is read",
    "hub_webhooks_refused": "no provider was pretended to be",
}


def figures(yard: Yard) -> dict[str, float]:
    """Return what Prometheus is told, added up over the labels."""
    told: dict[str, float] = {}
    for family in yard.desk.hub.metrics.registry.collect():
        told[family.name] = sum(sample.value for sample in family.samples if not sample.name.endswith("_created"))
    return {name: value for name, value in told.items() if name.startswith("hub_")}


async def test_everything_on_the_page_is_counted(tmp_path: Path, database_url: str) -> None:
    async with open_yard(tmp_path, database_url, limits={"visitor_messages_per_day": 3}) as yard:
        desk, metrics = yard.desk, yard.desk.hub.metrics
        visitor, begun = await yard.chatting()
        chat = begun["thread"]["interaction"]
        await desk.wait(90)
        assert figures(yard)["hub_oldest_wait_seconds"] >= 89
        ann = await (await yard.staff("ann")).console()
        await ann.ask("presence", presence="available", reason="")
        await desk.settle()
        (offer,) = await desk.live_offers()
        assert (await ann.ask("accept", offer=offer.id))["ok"]
        assert (await ann.ask("send", interaction=chat, text="Good morning", client_id="said-0001", seen_n=1))["ok"]
        said = [await visitor.ask("message", interaction=chat, text="Hi", client_id=f"more-000{n}") for n in range(4)]
        assert [answer.get("error") for answer in said] == [None, None, "rate_limited", "rate_limited"]
        assert (await ann.ask("wrap_up", interaction=chat))["ok"]
        await yard.http("GET", "/healthz")
        logging.getLogger("hub.somewhere").error("something was caught")
        visitor.send(b"no packet of ours")
        await asyncio.wait_for(visitor.ended.wait(), 10)
        await desk.wait(90)

        silent = {name for name, value in figures(yard).items() if not value}
        assert silent == {"hub_waiting", "hub_oldest_wait_seconds", *QUIET}, "nobody waits any more"

        one = metrics.registry.get_sample_value
        assert one("hub_sockets", {"audience": "staff"}) == 1
        assert one("hub_sockets", {"audience": "visitor"}) == 0
        assert one("hub_sockets_cut_total", {"why": "malformed"}) == 1
        assert one("hub_ack_seconds_count", {"audience": "visitor"}) == 2, "those that were stored"
        assert one("hub_ack_seconds_count", {"audience": "staff"}) == 1
        assert one("hub_rate_limited_total", {"what": "message"}) == 2
        assert one("hub_failures_total", {"where": "hub.somewhere"}) == 1
        assert (one("hub_group_commit_size_sum") or 0) >= (one("hub_group_commit_size_count") or 0) > 5
