"""What a mailbox's configuration block says about reaching its IMAP server, checked."""

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from hub.settings import Problem, Secret

Security = Literal["tls", "starttls", "plain"]
AfterReading = Literal["keep", "seen", "move", "delete"]
FirstReading = Literal["all", "unseen", "new"]
PORTS: Final[dict[str, int]] = {"tls": 993, "starttls": 143, "plain": 143}


@dataclass(frozen=True, kw_only=True)
class Account:
    """One mailbox on one server, and how it is read."""

    host: str
    port: int = 0
    security: Security = "tls"
    ca_file: str = ""
    user: str
    password: Secret | None = None
    mechanism: Literal["", "xoauth2", "oauthbearer"] = ""
    folders: Sequence[str] = ("INBOX",)
    after_reading: AfterReading = "seen"
    done_folder: str = ""
    first_reading: FirstReading = "unseen"
    max_bytes: int = 30 * 1024 * 1024
    poll_s: float = 60.0
    idle: bool = True

    @property
    def real_port(self) -> int:
        """The port, the usual one where none is set."""
        return self.port or PORTS[self.security]

    def context(self) -> ssl.SSLContext:
        """Return what verifies the server: the machine's authorities, or the one file that is set."""
        return ssl.create_default_context(cafile=self.ca_file or None)

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with it, each with the key that has to change."""
        found = []
        if not self.host:
            found.append(Problem(where=f"{where}.imap_host", text="The name of the IMAP server is missing."))
        if self.security == "plain" and not is_loopback(self.host):
            text = "Without TLS the password and every letter can be read on the way."
            hint = "Use tls or starttls; plain is for servers on this machine."
            found.append(Problem(where=f"{where}.imap_security", text=text, hint=hint))
        if self.password is None and not self.mechanism:
            text = "There is neither a password nor OAuth for this mailbox."
            hint = 'Set imap_password = "env:NAME", or oauth_token_url and what belongs to it.'
            found.append(Problem(where=f"{where}.imap_password", text=text, hint=hint))
        if not self.folders:
            found.append(Problem(where=f"{where}.folders", text="No folder is read.", hint='Usually ["INBOX"].'))
        if self.after_reading == "move" and not self.done_folder:
            text = "after_reading is move, and no folder is named to move to."
            found.append(Problem(where=f"{where}.done_folder", text=text))
        if self.done_folder in self.folders:
            text = "Letters that were read would be moved to a folder that is read."
            found.append(Problem(where=f"{where}.done_folder", text=text))
        for name in (*self.folders, self.done_folder):
            if any(ord(character) < 32 or ord(character) == 127 for character in name):
                text = f"{name!r} is no folder's name: it holds a control character."
                found.append(Problem(where=f"{where}.folders", text=text))
        return found


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
