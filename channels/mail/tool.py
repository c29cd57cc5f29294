"""`hub mail parse FILE|-`: what the channel sees in a mail, as one JSON object; `--stream` for many."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from channels.mail.parsed import as_json, parse

_DESCRIPTION = "Read a mail as the e-mail channel does and print one JSON object."


def main(argv: Sequence[str], stdin: BinaryIO, stdout: TextIO, stderr: TextIO | None = None) -> int:
    """Parse the mails named in `argv`.

    With `--stream`, paths come on `stdin`, one a line, and each gets one line of JSON at once;
    a path that cannot be read gets {"error": ...} and does not end the stream.

    Returns: exit code; 2 on misuse.
    """
    parser = argparse.ArgumentParser(prog="hub mail parse", description=_DESCRIPTION)
    parser.add_argument("file", nargs="?", help="a mail as stored or fetched; - reads standard input")
    parser.add_argument("--stream", action="store_true", help="read paths from standard input, one a line")
    try:
        options = parser.parse_args(argv)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 2
    if options.stream == (options.file is not None):
        parser.print_usage(stderr or sys.stderr)
        return 2
    if options.stream:
        return _stream(stdin, stdout)
    try:
        raw = stdin.read() if options.file == "-" else Path(options.file).read_bytes()
    except OSError as error:
        (stderr or sys.stderr).write(f"hub mail parse: {error}\n")
        return 1
    stdout.write(_line(raw))
    return 0


def _stream(stdin: BinaryIO, stdout: TextIO) -> int:
    for line in stdin:
        path = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if not path:
            continue
        try:
            answer = _line(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            answer = json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n"
        stdout.write(answer)
        stdout.flush()
    return 0


def _line(raw: bytes) -> str:
    return json.dumps(as_json(parse(raw)), ensure_ascii=False) + "\n"
