"""The bare relay on python-socketio as it comes, as a newcomer would write it: nothing is stored.

`python -m tests.bench.load.relay_stock` prints its port and serves until it is ended.
"""

from collections import Counter
from typing import Any

import socketio
from aiohttp import web

from tests.bench.load.serve import serve

sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
counts: Counter[str] = Counter()


@sio.on("connect", namespace="/console")  # type: ignore[untyped-decorator]
async def connect_agent(sid: str, environ: dict[str, Any], auth: dict[str, Any]) -> None:
    await sio.enter_room(sid, auth["room"], namespace="/console")


@sio.on("connect", namespace="/chat")  # type: ignore[untyped-decorator]
async def connect_visitor(sid: str, environ: dict[str, Any], auth: dict[str, Any]) -> None:
    await sio.save_session(sid, {"agent": auth["agent"]}, namespace="/chat")


@sio.on("message", namespace="/chat")  # type: ignore[untyped-decorator]
async def message(sid: str, data: dict[str, Any]) -> dict[str, Any]:
    session = await sio.get_session(sid, namespace="/chat")
    counts[data["interaction"]] += 1
    n = counts[data["interaction"]]
    await sio.emit("frame", {**data, "n": n}, room=session["agent"], namespace="/console")
    return {"ok": True, "n": n}


@sio.on("tick", namespace="/chat")  # type: ignore[untyped-decorator]
async def tick(sid: str, data: dict[str, Any]) -> dict[str, Any]:
    await sio.emit("frame", data, namespace="/console")
    return {"ok": True}


def main() -> None:
    """Serve."""
    app = web.Application()
    sio.attach(app)
    serve(app)


if __name__ == "__main__":
    main()
