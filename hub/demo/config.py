"""The demo's settings: the demo company's file, a data folder of its own, and simulated visitors told apart."""

import importlib.resources
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from channels.simulator.post import elsewhere
from hub.settings import Problem, Secret, Server, Service, Settings, SettingsError, load

FOLDER: Final = Path("var/demo")
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


def demo_settings(
    path: Path | None, environ: Mapping[str, str], *, visitors: float | None = None, fresh: bool = False
) -> Settings:
    """Return what the demo runs under; `fresh` forgets what earlier runs have kept.

    Raises:
        SettingsError: the file is wrong, or `fresh` is asked of a database that is not the demo's own file.
    """
    if path is None and not environ.get("HUB_CONFIG"):
        path = company_file()
    settings = load(path, environ)
    settings = msgspec.structs.replace(settings, server=_server(settings.server))
    if "erp" not in settings.services:
        settings = msgspec.structs.replace(settings, services={**settings.services, "erp": _erp(settings.server)})
    if visitors is not None:
        rate = msgspec.convert(visitors, float)
        settings = msgspec.structs.replace(
            settings, demo=msgspec.structs.replace(settings.demo, visitors_per_minute=rate)
        )
    if fresh:
        _forget(settings.server)
    return elsewhere(settings)


def company_file() -> Path:
    """Return the demo company's settings: inside the installed package, or beside it in a checkout."""
    package = Path(str(importlib.resources.files("hub")))
    packaged = package / "_data" / "config"
    return (packaged if packaged.is_dir() else package.parent / "config") / "demo" / "hub.toml"


def _server(server: Server) -> Server:
    """Keep the demo's data apart, and believe simulated visitors where they say they come from.

    All of them sit on this machine. With their own addresses in X-Forwarded-For, as behind a proxy, the limits for one
    address hold as they are.
    """
    plain = Server()
    changes: dict[str, object] = {}
    if server.data_dir == plain.data_dir and server.database_url.reveal() == plain.database_url.reveal():
        changes["data_dir"] = FOLDER
        changes["database_url"] = Secret("")
    trusted = (*server.trusted_proxies, *(one for one in LOOPBACK if one not in server.trusted_proxies))
    return msgspec.structs.replace(server, trusted_proxies=trusted, **changes)


def _erp(server: Server) -> Service:
    """Return the demo company's own system: a page of this very hub, so the guard has to let it through."""
    return Service(id="erp", url=f"{loopback_url(server)}/demo/erp", allow_private=True)


def loopback_url(server: Server) -> str:
    """Return where the hub is reached from its own machine."""
    everywhere = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
    host = everywhere.get(server.host, server.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{server.port}"


def _forget(server: Server) -> None:
    own = f"sqlite:///{server.data_dir}/hub.db"
    if server.database_url.reveal() != own:
        problem = Problem(where="--fresh", text="The database is not the demo's own file: empty it yourself.")
        raise SettingsError([problem])
    for name in ("hub.db", "hub.db-wal", "hub.db-shm"):
        (server.data_dir / name).unlink(missing_ok=True)
    shutil.rmtree(server.data_dir / "files", ignore_errors=True)
