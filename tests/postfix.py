"""A real Postfix for the tests, from the Debian package, with a configuration of its own in a temporary folder.

It listens on the loopback and delivers `example.test` and `customer.test` into maildirs. Nothing can leave the machine:
whatever is for elsewhere fails with 5.1.1, so that mail to an alias of an outside address yields a real bounce.
"""

import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.ports import free_port

_START_S = 20
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.test
mydestination =
mynetworks = 127.0.0.0/8
recipient_delimiter = +
default_transport = error:5.1.1 no mail leaves this machine
relay_transport = error:5.1.1 no mail leaves this machine
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = yes
virtual_mailbox_domains = example.test, customer.test
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{folder}/boxes
virtual_alias_maps = texthash:{folder}/aliases
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtputf8_enable = yes
message_size_limit = 30000000
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""
BOXES = ("help@example.test", "li@customer.test", "boss@customer.test")
AWAY = "away@customer.test"


def why_not() -> str | None:
    """Return why no Postfix can be started here, or None."""
    if _program() is None:
        return "The package postfix is missing: .ci/bootstrap test"
    if os.geteuid() != 0:
        return "Postfix starts as root only."
    return None


def _program() -> str | None:
    return shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Postfix:
    """One server on `port`. It delivers into maildirs of its own, or into those of a Dovecot."""

    def __init__(self, mail: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hub-smtp-", dir="/tmp"))
        self.mail = mail or self.folder / "mail"
        self.port = free_port()
        self._prepare()
        self._command("start")
        try:
            self._await_ready()
        except BaseException:
            self.stop()
            raise

    def _prepare(self) -> None:
        self.folder.chmod(0o755)
        nobody, postfix = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
        for name in ("etc", "spool", "data", "log"):
            (self.folder / name).mkdir()
        self.mail.mkdir(exist_ok=True)
        os.chown(self.mail, nobody.pw_uid, nobody.pw_gid)
        os.chown(self.folder / "data", postfix.pw_uid, postfix.pw_gid)
        etc = self.folder / "etc"
        (etc / "main.cf").write_text(
            _MAIN.format(folder=self.folder, mail=self.mail, uid=nobody.pw_uid, gid=nobody.pw_gid)
        )
        (etc / "master.cf").write_text(_MASTER.format(port=self.port))
        boxes = [f"{box} {box}/" for box in (*BOXES, AWAY)]
        (self.folder / "boxes").write_text("\n".join(boxes) + "\n")
        (self.folder / "aliases").write_text(f"{AWAY} gone@outside.invalid\n")

    def _command(self, word: str) -> None:
        program = _program()
        assert program is not None
        done = subprocess.run(
            [program, "-c", str(self.folder / "etc"), word], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr + self.log()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                    if line.recv(3) == b"220":
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("Postfix was not ready in time. " + self.log())

    def log(self) -> str:
        """Return what it noted."""
        path = self.folder / "log" / "mail.log"
        return path.read_text()[-4_000:] if path.exists() else ""

    def hand_in(self, sender: str, to: str, mail: bytes) -> None:
        """Take a mail as from any mail program."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=_START_S) as line:
            line.sendmail(sender, [to], mail)

    def mails(self, box: str) -> list[bytes]:
        """Return what was delivered to an address, in order of arrival."""
        folder = self.mail / box / "new"
        return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.exists() else []

    def stop(self) -> None:
        """End it, by the process id that it noted, and remove all of it."""
        path = self.folder / "spool" / "pid" / "master.pid"
        pid = int(path.read_text()) if path.exists() else 0
        if pid:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + 5
            while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
