"""How many mails a second one core reads, against the standard library in the same run.

`python -m tests.bench.mail.parse [COUNT]`. The standard library only reads headers and decodes
payloads (`policy.default`); ours also detects charsets, trims, sanitises and judges.
"""

import contextlib
import statistics
import sys
import time
from collections.abc import Callable
from email import message_from_bytes, policy

from channels.mail.parsed import as_json, parse
from tests.bench.mail.corpus import make


def _standard(raw: bytes) -> None:
    message = message_from_bytes(raw, policy=policy.default)
    for value in message.values():
        str(value)
    for part in message.walk():
        if part.get_content_maintype() == "text":
            with contextlib.suppress(LookupError, KeyError):
                part.get_content()
        elif not part.is_multipart():
            part.get_payload(decode=True)


def _ours(raw: bytes) -> None:
    as_json(parse(raw))


def _rate(read: Callable[[bytes], None], mails: list[bytes]) -> float:
    started = time.process_time()
    for raw in mails:
        read(raw)
    return len(mails) / (time.process_time() - started)


def main() -> None:
    """Print both rates and the slowest of ours."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    mails = make(count)
    _rate(_ours, mails[:50])
    ours, standard = [], []
    for _ in range(3):
        standard.append(_rate(_standard, mails))
        ours.append(_rate(_ours, mails))
    print(f"{count} mails, {sum(map(len, mails)) / count / 1000:.1f} kB on average, CPU time, median of 3")
    print(f"ours             {statistics.median(ours):8.0f} mails/s  everything, as JSON")
    print(f"policy.default   {statistics.median(standard):8.0f} mails/s  headers and payloads only")


if __name__ == "__main__":
    main()
