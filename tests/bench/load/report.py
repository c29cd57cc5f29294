"""A run as a line of a table."""

from tests.bench.load.drive import Run, percentile

HEADER = (
    f"{'':<26}{'turns/s':>9}{'per CPU-s':>11}{'ack p50':>9}{'p99':>8}{'shown p50':>11}{'p99':>8}"
    f"{'server CPU':>12}{'client':>8}"
)


def line(run: Run) -> str:
    """Return a run as a line of the table; times in milliseconds, CPU as a share of the wall clock."""
    latencies = [percentile(run.acks_ms, 50), percentile(run.acks_ms, 99)]
    latencies += [percentile(run.deliveries_ms, 50), percentile(run.deliveries_ms, 99)]
    ack50, ack99, shown50, shown99 = latencies
    notes = f"  refused {run.refused}" * bool(run.refused) + f"  late {run.late}" * bool(run.late)
    return (
        f"{run.name:<26}{run.per_s:>9,.0f}{run.per_cpu_s:>11,.0f}{ack50:>9.2f}{ack99:>8.2f}{shown50:>11.2f}{shown99:>8.2f}"
        f"{run.server_cpu_s / run.seconds:>11.0%} {run.client_cpu_s / run.seconds:>7.0%}{notes}"
    )
