"""The log: events with their fields, the interaction's id in every line, nothing secret, never in the way."""

import asyncio
import io
import json
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from hub import logs
from hub.settings import Secret


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def a_log(**options: Any) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(stream=stream, **{"form": "json", **options})
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_event_first_fields_after() -> None:
    stream = a_log()
    logs.get("hub.services.offers").info("offer expired", offer_id="o1", rang_s=20.0)
    line = stream.getvalue()
    assert list(json.loads(line)) == ["at", "level", "event", "offer_id", "rang_s", "logger"]
    assert json.loads(line)["logger"] == "hub.services.offers"

    stream = a_log(form="text")
    logs.get("x").warning("offer expired", offer_id="o 1", rang_s=20.0)
    assert stream.getvalue()[13:] == "warning offer expired offer_id='o 1' rang_s=20 logger=x\n"


async def test_interaction_travels_with_the_task_and_into_libraries() -> None:
    stream = a_log()

    async def work(name: str) -> None:
        with logs.about(interaction=name, agent=None):
            await asyncio.sleep(0)
            logs.get("x").info("ours")
            logging.getLogger("channels.some").info("theirs %s", "formatted", extra={"field": 1})

    await asyncio.gather(work("i1"), work("i2"))
    logs.get("x").info("outside")
    found = [(line["event"], line.get("interaction"), line.get("field")) for line in lines(stream)]
    assert found == [
        ("ours", "i1", None),
        ("theirs formatted", "i1", 1),
        ("ours", "i2", None),
        ("theirs formatted", "i2", 1),
        ("outside", None, None),
    ]


def test_secrets_never_show_addresses_only_at_debug() -> None:
    stream = a_log(level="debug", key=b"k")
    log = logs.get("x")
    fields = {
        "visitor_token": "v1_abc",
        "dsn": "postgresql://hub:hunter2@db/hub",
        "held": Secret("hunter2"),
        "email": "ann@example.com",
        "ip": "203.0.113.77",
        "detail": "mail to ann@example.com and +4915112345678 failed, see https://x.example/a?sig=hunter2",
    }
    log.info("refused", **fields)
    log.debug("refused", **fields)
    log.info("refused", ip="2001:db8:1:2::3", email="ANN@example.com", tokens=3)
    said, debugged, again = lines(stream)
    assert "hunter2" not in stream.getvalue()
    assert "v1_abc" not in stream.getvalue()
    assert said["visitor_token"] == "***"
    assert said["ip"] == "203.0.113.0/24"
    assert said["email"].startswith("~")
    assert (
        said["detail"] == f"mail to {said['email']} and {said['detail'].split()[4]} failed, see https://x.example/a?…"
    )
    assert again["email"] == said["email"]
    assert (again["ip"], again["tokens"]) == ("2001:db8:1::/48", 3)
    assert (debugged["email"], debugged["ip"]) == ("ann@example.com", "203.0.113.77")


def test_trace_is_kept_without_local_values_or_addresses() -> None:
    stream = a_log()

    def fails() -> None:
        card = "4111 1111 1111 1111"
        raise ValueError("no ann@example.com" if card else "")

    try:
        fails()
    except ValueError:
        logs.get("x").exception("handler failed")
        logging.getLogger("lib").exception("theirs failed")
    for line in lines(stream):
        assert "ValueError: no ~" in line["exception"]
        assert '4111 1111 1111 1111"' not in line["exception"].replace("card = ", "")
        assert "ann@example.com" not in line["exception"]


def test_level_filters_and_noise_of_libraries_is_left_out() -> None:
    stream = a_log(level="info")
    logs.get("x").debug("no")
    logging.getLogger("hub.x").debug("no")
    logging.getLogger("alembic.runtime").info("no")
    logging.getLogger("aiohttp.access").info("no")
    logging.getLogger("alembic.runtime").warning("yes")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.warn("yes", UserWarning, stacklevel=1)
    assert ["yes" in line["event"] for line in lines(stream)] == [True, True]


def test_values_cannot_forge_lines_and_long_ones_are_cut() -> None:
    stream = a_log(form="text")
    logs.get("x").info("said\nforged", name="a\n12:00 info forged", body="x" * 5000)
    assert stream.getvalue().count("\n") == 1
    assert len(stream.getvalue()) < 2200


def test_errors_text_begins_no_line_and_steers_no_terminal() -> None:
    stream = a_log(form="text")

    def fails() -> None:
        raise ValueError("no number\n12:00:00.000 info    signed in agent=ada\x1b[2K\r\u202e")

    try:
        fails()
    except ValueError:
        logs.get("x").exception("failed \x1b[31m\r\u2028")
    first, *trace = stream.getvalue().splitlines()
    assert "failed \\x1b[31m\\r\\u2028" in first
    assert trace[0].strip() == "Traceback (most recent call last):"
    assert {line[:2] for line in trace} == {"  "}
    assert trace[-1].endswith("agent=ada\\x1b[2K\\r\\u202e")


@pytest.mark.parametrize("form", ["json", "text"])
def test_half_a_character_loses_no_line(form: str) -> None:
    """Bytes in a header that are no UTF-8 are such halves; whoever logs them must not fail over it."""
    stream = a_log(form=form)
    logs.get("x").info("said \udcff", browser="\udcff", address="\udcff@example.com")
    logging.getLogger("lib").warning("said \udcff")
    assert len(stream.getvalue().splitlines()) == 2
    assert "udcff" in stream.getvalue()


def test_configured_twice_writes_once() -> None:
    a_log()
    stream = a_log()
    logging.getLogger("x").warning("once")
    assert len(lines(stream)) == 1


def test_full_pipe_drops_lines_and_does_not_stop_the_hub() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with os.fdopen(writer, "w") as stream:
        sink = logs.configure(stream=stream, form="json")
        log = logs.get("x")
        while not sink.dropped:
            log.info("filler", text="x" * 1500)
        assert sink.dropped == 1
        os.close(reader)
        log.info("nobody reads")
        assert sink.dropped == 2
