"""Figures for Prometheus, built for each hub and never global, so that two hubs in one process do not add up.

Children of labelled figures are looked up once and kept: `.labels()` costs four times what counting does.
"""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

OTHER: Final = "other"
MAX_CHILDREN: Final = 500
"""Distinct values of one label. Values come from configuration and closed lists; should a stranger's text ever become
one, it is counted under `other` instead of filling the memory of hub and Prometheus."""

ACK_BUCKETS_S: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
GROUP_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Counts:
    """A counter with one label, its children kept."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._children: dict[str, Counter] = {}

    def add(self, value: str, amount: float = 1) -> None:
        """Count once more for this label's value."""
        child = self._children.get(value)
        if child is None:
            name = value if len(self._children) < MAX_CHILDREN else OTHER
            child = self._children.setdefault(name, self._counter.labels(name))
        child.inc(amount)


class Levels:
    """A gauge with one label, its children kept."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._children: dict[str, Gauge] = {}

    def set(self, value: str, level: float) -> None:
        """Say how high it stands for this label's value."""
        self._child(value).set(level)

    def add(self, value: str, amount: float) -> None:
        """Raise or lower it."""
        self._child(value).inc(amount)

    def replace(self, levels: Mapping[str, float]) -> None:
        """Say all levels at once; values not named fall to 0."""
        for value in self._children.keys() - levels.keys():
            self._children[value].set(0)
        for value, level in levels.items():
            self.set(value, level)

    def _child(self, value: str) -> Gauge:
        child = self._children.get(value)
        if child is None:
            name = value if len(self._children) < MAX_CHILDREN else OTHER
            child = self._children.setdefault(name, self._gauge.labels(name))
        return child


class Spreads:
    """A histogram with one label, its children kept."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._children: dict[str, Histogram] = {}

    def observe(self, value: str, amount: float) -> None:
        """Note one measurement for this label's value."""
        child = self._children.get(value)
        if child is None:
            name = value if len(self._children) < MAX_CHILDREN else OTHER
            child = self._children.setdefault(name, self._histogram.labels(name))
        child.observe(amount)


class Metrics:
    """Everything one hub counts. Names follow Prometheus: base units, `_total` for counters.

    Storage and sockets know nothing of this class: hand them the bound methods they need, such as `group_committed`.
    """

    def __init__(self, *, version: str = "") -> None:
        registry = self.registry = CollectorRegistry(auto_describe=False)
        self.messages = Counts(_counter(registry, "hub_messages", "Messages stored, by who wrote.", "author"))
        self.acks = Spreads(
            Histogram(
                "hub_ack_seconds",
                "From a message's arrival to its acknowledgement, stored and shown in between, by audience.",
                ["audience"],
                buckets=ACK_BUCKETS_S,
                registry=registry,
            )
        )
        self.journal_seq = Gauge("hub_journal_seq", "The journal's last number.", registry=registry)
        self.offers = Counts(_counter(registry, "hub_offers", "Offers that ended, by how.", "outcome"))
        self.arrivals = Counts(
            _counter(registry, "hub_arrivals", "Letters that arrived and were read, by what became of them.", "state")
        )
        self.refused = Counts(
            _counter(registry, "hub_webhooks_refused", "Requests in a provider's name that nothing proved.", "channel")
        )
        self.lines = Levels(
            _gauge(registry, "hub_channel_up", "Whether a channel's line to its provider is up.", "channel")
        )
        self.waiting = Levels(_gauge(registry, "hub_waiting", "Interactions waiting, by queue.", "queue"))
        self.oldest_wait_s = Levels(
            _gauge(registry, "hub_oldest_wait_seconds", "Wait of the longest waiting, by queue.", "queue")
        )
        self.sockets = Levels(_gauge(registry, "hub_sockets", "Open sockets, by audience.", "audience"))
        self.sockets_cut = Counts(_counter(registry, "hub_sockets_cut", "Sockets cut by the hub, by why.", "why"))
        self.limited = Counts(_counter(registry, "hub_rate_limited", "Requests refused as too many, by what.", "what"))
        self.group_size = Histogram(
            "hub_group_commit_size", "Transactions in one commit.", buckets=GROUP_BUCKETS, registry=registry
        )
        self.group_s = Histogram(
            "hub_group_commit_seconds", "Duration of one commit.", buckets=ACK_BUCKETS_S, registry=registry
        )
        self.jobs_overdue = Gauge("hub_jobs_overdue", "Timers past their instant and not done.", registry=registry)
        self.jobs = Counts(_counter(registry, "hub_jobs", "Timers that fired, by kind.", "kind"))
        self.violations = Counts(
            _counter(registry, "hub_invariant_violations", "Broken invariants seen, by name. Must be 0.", "invariant")
        )
        self.failures = Counts(
            _counter(registry, "hub_failures", "Errors that were caught and logged, by where.", "where")
        )
        self.requests = Counts(_counter(registry, "hub_http_requests", "HTTP answers, by class of status.", "status"))
        self.log_lines_dropped = Gauge(
            "hub_log_lines_dropped", "Log lines lost because nobody read them in time.", registry=registry
        )
        _gauge(registry, "hub_build_info", "The running version.", "version").labels(version).set(1)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def group_committed(self, size: int, seconds: float) -> None:
        """Note one commit of the store: how many transactions shared it and how long it took."""
        self.group_size.observe(size)
        self.group_s.observe(seconds)

    def meter(self, audience: str, *, message: str) -> "AudienceMeter":
        """Return what counts the sockets of an audience, in which the event `message` says something."""
        return AudienceMeter(self, audience, message)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the figures as Prometheus reads them, and the content type, as the Accept header wants them."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


class AudienceMeter:
    """Counts the sockets of one audience, and times what is said there (`hub.meters.SocketMeter`)."""

    def __init__(self, metrics: Metrics, audience: str, message: str) -> None:
        self._metrics = metrics
        self._audience = audience
        self._message = message

    def opened(self) -> None:
        """Count a socket."""
        self._metrics.sockets.add(self._audience, 1)

    def closed(self, why: str, *, by_hub: bool) -> None:
        """Count its end, and why if it was the hub's."""
        self._metrics.sockets.add(self._audience, -1)
        if by_hub:
            self._metrics.sockets_cut.add(why)

    def answered(self, event: str, seconds: float, error: str) -> None:
        """Time what was said and stored, count what was too much."""
        if error == "rate_limited":
            self._metrics.limited.add(event)
        elif event == self._message and not error:
            self._metrics.acks.observe(self._audience, seconds)


def _counter(registry: CollectorRegistry, name: str, text: str, label: str) -> Counter:
    return Counter(name, text, [label], registry=registry)


def _gauge(registry: CollectorRegistry, name: str, text: str, label: str) -> Gauge:
    return Gauge(name, text, [label], registry=registry)
