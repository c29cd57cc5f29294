"""A real Dovecot for the tests, on free ports of the loopback, with any number of mailboxes and the password `secret`.

Started in the foreground in a session of its own, so that it is stopped, or killed, by its own process group.
"""

import base64
import contextlib
import datetime
import hashlib
import hmac
import ipaddress
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imapclient import IMAPClient

from tests.ports import free_port
from tests.servers import die_with_parent

PASSWORD = "secret"
_TOKEN_KEY = b"a key that only these tests know, 32 bytes"
_START_S = 20

_CONFIG = """
base_dir = {run}
state_dir = {run}
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
mail_location = maildir:{folder}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
{as_somebody}
disable_plaintext_auth = no
mail_max_userip_connections = 100
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = home={folder}/mail/%u
}}
service imap-login {{
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Gesendet {{
    special_use = \\Sent
  }}
}}
"""
_OAUTH = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = email
"""


class Dovecot:
    """One server. `port` speaks plain and STARTTLS, `tls_port` TLS; `ca_file` vouches for it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hub-imap-", dir="/tmp"))  # unix sockets want a short path
        self.port, self.tls_port = free_port(), free_port()
        self.ca_file = self.folder / "cert.pem"
        self._process: subprocess.Popen[bytes] | None = None
        self._prepare()
        self.start()

    def _prepare(self) -> None:
        is_root = os.geteuid() == 0
        me = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.geteuid())
        for name in ("run", "mail", "keys/default/HS256"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        if is_root:
            os.chown(self.folder / "mail", me.pw_uid, me.pw_gid)
        (self.folder / "keys/default/HS256/default").write_text(base64.b64encode(_TOKEN_KEY).decode())
        _certify(self.folder)
        name = me.pw_name
        own = f"default_internal_user = {name}\ndefault_login_user = {name}\nservice anvil {{\n  chroot =\n}}\n"
        (self.folder / "dovecot.conf").write_text(
            _CONFIG.format(
                folder=self.folder,
                run=self.folder / "run",
                user=name,
                group=me.pw_gid,
                as_somebody="" if is_root else own,
                password=PASSWORD,
                port=self.port,
                tls_port=self.tls_port,
            )
        )
        (self.folder / "oauth2.conf").write_text(_OAUTH.format(folder=self.folder))

    def start(self) -> None:
        """Start it and return when it accepts."""
        program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        assert program is not None, "The package dovecot-imapd is missing: .ci/bootstrap test"
        self._process = subprocess.Popen(
            [program, "-F", "-c", str(self.folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - nothing there takes a lock
        )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "dovecot.log").read_text()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                    if line.recv(4):
                        return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("Dovecot was not ready in time.")

    def kill(self) -> None:
        """End it, and every process that serves a client, as a power cut does."""
        assert self._process is not None
        # Held still, it begins no worker that the list would not have, and that would go on holding the port.
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)
        workers = psutil.Process(self._process.pid).children(recursive=True)
        os.killpg(self._process.pid, signal.SIGKILL)
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
        self._process.wait()
        # Their sockets answer until they are gone, and who answers is taken for a server that runs.
        psutil.wait_procs(workers, timeout=_START_S)
        for left in (self.folder / "run").glob("*.pid"):
            left.unlink()
        # A lock that nobody holds any more is believed in for two minutes: nothing a test would wait for.
        for left in (self.folder / "mail").rglob("dovecot-uidlist.lock"):
            left.unlink()

    def stop(self) -> None:
        """End it and remove all of it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, user: str) -> IMAPClient:
        """Sign in as an ordinary mail client."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20)
        client.login(user, PASSWORD)
        return client

    def put(self, user: str, mails: Iterable[bytes], folder: str = "INBOX", **more: Any) -> None:
        """Lay mails into a folder, made if it is not there."""
        with self.client(user) as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            waiting = list(mails)
            if not more and b"MULTIAPPEND" in client.capabilities():
                for start in range(0, len(waiting), 500):
                    client.multiappend(folder, waiting[start : start + 500])
            else:
                for raw in waiting:
                    client.append(folder, raw, **more)

    def drop(self, user: str, mails: Iterable[bytes]) -> int:
        """Lay mails into INBOX as files, as a delivery agent does: much quicker for many; returns how many."""
        box = self.folder / "mail" / user
        me = self.folder.joinpath("mail").stat()
        for name in ("tmp", "cur", "new"):
            (box / name).mkdir(parents=True, exist_ok=True)
            os.chown(box / name, me.st_uid, me.st_gid)
        os.chown(box, me.st_uid, me.st_gid)
        count = 0
        for count, raw in enumerate(mails, 1):
            path = box / "tmp" / f"{time.time_ns():020}.M{count:07}.test"
            path.write_bytes(raw)
            os.chown(path, me.st_uid, me.st_gid)
            path.rename(box / "new" / path.name)
        return count

    def block(self, user: str, **more: object) -> str:
        """Return a configuration block, as TOML, of a channel that reads this mailbox."""
        keys = {
            "kind": "mail",
            "address": user,
            "queue": "support",
            "imap_host": "127.0.0.1",
            "imap_port": self.port,
            "imap_security": "plain",
            "imap_password": f"file:{self.folder}/password",
            "first_reading": "all",
        }
        (self.folder / "password").write_text(PASSWORD)
        lines = [f"{name} = {json.dumps(value)}" for name, value in (keys | more).items()]
        return "\n".join(["[channels.post]", *lines])

    def token(self, user: str, *, life_s: int = 3_600) -> str:
        """Return an access token that this server accepts for `user` (RFC 7519, HS256)."""
        head = _b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "default"}).encode())
        now = int(time.time())
        claims = {"sub": user, "email": user, "iat": now - 10, "nbf": now - 10, "exp": now + life_s}
        body = _b64(json.dumps(claims).encode())
        signature = hmac.new(_TOKEN_KEY, f"{head}.{body}".encode(), hashlib.sha256).digest()
        return f"{head}.{body}.{_b64(signature)}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _certify(folder: Path) -> None:
    """Write a certificate for localhost that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "key.pem"
    path.touch(mode=0o600)
    path.write_bytes(secret)
