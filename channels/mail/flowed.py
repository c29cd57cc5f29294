"""format=flowed (RFC 3676): lines that the sender's client broke are put together again."""

import re

_QUOTE = re.compile(r">*")


def unflow(text: str, *, delete_space: bool = False) -> str:
    """`text` with its flowed lines joined and its space-stuffing undone; the signature line stays apart."""
    lines: list[str] = []
    depth_before = -1
    is_open = False
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        depth = len(_QUOTE.match(line).group())  # type: ignore[union-attr]
        content = line[depth:]
        content = content.removeprefix(" ")
        is_signature = content == "-- "
        if is_open and depth == depth_before and not is_signature:
            lines[-1] += content
        else:
            lines.append(f"{'>' * depth} {content}" if depth else content)
        is_open = content.endswith(" ") and not is_signature
        if is_open and delete_space:
            lines[-1] = lines[-1][:-1]
        depth_before = depth
    return "\n".join(line if line == "-- " else line.rstrip(" ") for line in lines)
