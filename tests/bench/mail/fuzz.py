"""Damage mails at random and read them: `python -m tests.bench.mail.fuzz [COUNT] [FIRST_SEED]`.

Ends with 1 on any error.
"""

import json
import sys
import time
import traceback

from channels.mail.parsed import as_json, parse
from tests.payloads.mail.damage import SEEDS, mutated


def main() -> int:
    """Read `COUNT` damaged mails; print each error's seed, the rate and the slowest."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    errors, slowest = 0, (0.0, 0)
    started = time.process_time()
    for seed in range(first, first + count):
        raw = mutated(SEEDS[seed % len(SEEDS)], seed)
        began = time.process_time()
        try:
            json.dumps(as_json(parse(raw)), ensure_ascii=False).encode("utf-8")
        except Exception:  # noqa: BLE001 - finding every kind of error is the purpose
            errors += 1
            print(f"seed {seed}:")
            traceback.print_exc(limit=-3)
        slowest = max(slowest, (time.process_time() - began, seed))
    taken = time.process_time() - started
    print(
        f"{count} mails, {errors} errors, {count / taken:.0f}/s, slowest {slowest[0] * 1000:.0f} ms (seed {slowest[1]})"
    )
    return int(errors > 0)


if __name__ == "__main__":
    sys.exit(main())
