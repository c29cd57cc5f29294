"""The figures: one registry for each hub, children kept, labels bounded."""

from hub.metrics import MAX_CHILDREN, Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_two_hubs_do_not_add_up() -> None:
    one, other = Metrics(), Metrics()
    one.offers.add("accepted")
    one.meter("visitor", message="message").answered("message", 0.002, "")
    assert value(one, "hub_offers_total", outcome="accepted") == 1
    assert value(other, "hub_offers_total", outcome="accepted") is None
    assert value(one, "hub_ack_seconds_bucket", audience="visitor", le="0.002") == 1


def test_levels_not_named_any_more_fall_to_zero() -> None:
    metrics = Metrics()
    metrics.waiting.replace({"sales": 3, "billing": 1})
    metrics.waiting.replace({"sales": 2})
    assert value(metrics, "hub_waiting", queue="sales") == 2
    assert value(metrics, "hub_waiting", queue="billing") == 0
    metrics.sockets.add("visitor", 1)
    metrics.sockets.add("visitor", -1)
    assert value(metrics, "hub_sockets", audience="visitor") == 0


def test_a_strangers_text_as_label_does_not_grow_without_end() -> None:
    metrics = Metrics()
    for number in range(MAX_CHILDREN + 50):
        metrics.limited.add(f"text {number}")
    assert value(metrics, "hub_rate_limited_total", what="other") == 50
    metrics.limited.add("text 7")
    assert value(metrics, "hub_rate_limited_total", what="text 7") == 2


def test_page_is_what_prometheus_reads() -> None:
    metrics = Metrics(version="1.2.3")
    metrics.group_committed(17, 0.004)
    page, content_type = metrics.render()
    assert content_type.startswith("text/plain")
    assert b'hub_build_info{version="1.2.3"} 1.0' in page
    assert b"hub_group_commit_size_sum 17.0" in page
    assert b"process_resident_memory_bytes" in page
