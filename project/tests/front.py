"""nginx as Debian packages it, with deploy/nginx.conf, before gunicorn under the settings of production: by https,
under names of their own, on free ports.
"""

import datetime
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.test import override_settings

from console import roles
from console.testing import Person, make_user
from project import embedded
from project.testing import ROOT, create_database, drop_database, environment, own_database, working_on
from project.tests.rig import until

NAME, PLAY = "console.example.org", "play.example.net"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
MAIN = """
worker_processes 1;
daemon off;
pid {state}/nginx.pid;
error_log {state}/error.log notice;
{user}
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    client_body_temp_path {state}/bodies;
    proxy_temp_path {state}/answers;
    fastcgi_temp_path {state}/unused; uwsgi_temp_path {state}/unused; scgi_temp_path {state}/unused;
    gzip on;  # as Debian's own has it
    include {state}/attendant.conf;
}}
"""


class Front:
    """Use as a context manager. `threads` is how many requests gunicorn answers at once."""

    threads = 2

    def __init__(self):
        self.state = Path(tempfile.mkdtemp(prefix="attendant-front-"))
        self.state.chmod(0o755)
        self.database = f"{own_database()}_front"
        self.http, self.https = free_port(), free_port()
        self.socket = self.state / "web.sock"
        self.processes, self._stack = {}, ExitStack()

    def __enter__(self):
        try:
            self._stack.callback(shutil.rmtree, self.state, ignore_errors=True)
            (self.state / "static").symlink_to(settings.STATIC_ROOT)
            create_database(self.database)
            self._stack.callback(drop_database, self.database)
            self._stack.enter_context(working_on(self.database))
            stored = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
            stored["OPTIONS"] = {"location": self.state / "games", "allow_overwrite": True}
            ours = override_settings(STORAGES={**settings.STORAGES, "default": stored})
            self._stack.enter_context(ours)
            self._stack.callback(self.stop)
            self.rita = Person(make_user("rita", roles.PUBLISHER))
            Authenticator.objects.create(user=self.rita.user, type="totp", data={})
            self._certify()
            self._configure()
            self.start_web()
            self._start("nginx", [NGINX, "-c", self.state / "nginx.conf", "-p", self.state])
            until(lambda: self.answers(), "nginx and gunicorn answer", 40, self.story)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc):
        self._stack.close()

    def story(self):
        return "\n".join(path.read_text()[-3000:] for path in self.state.glob("*.log"))

    def start_web(self):
        web = ["gunicorn", "project.wsgi", "--bind", f"unix:{self.socket}", "--workers", "1", "--worker-class"]
        web += ["gthread", "--threads", str(self.threads), "--no-control-socket", "--log-level", "warning"]
        self._start("web", [sys.executable, "-m", *web], env=self.environ())

    def stop(self, *names):
        for name in names or list(self.processes):
            process = self.processes.pop(name)
            process.terminate()
            process.wait(20)

    def _start(self, name, command, **options):
        with (self.state / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, preexec_fn=embedded.die_with_parent(), **options
            )

    def environ(self):
        ours = {
            "ATTENDANT_STATE": str(self.state),
            "SECRET_KEY": settings.SECRET_KEY,  # it knows the session that was made here
            "DEMO": "0",
            "DEBUG": "0",
            "ALLOWED_HOSTS": NAME,
            "TRUSTED_PROXIES": "unix",
            "PREVIEW_ORIGIN": f"https://{{build}}.{PLAY}",
            "STORAGE": str(self.state / "games"),
        }
        return {**os.environ, **environment(self.database), **ours}

    def _configure(self):
        values = {
            "NAME": NAME,
            "PREVIEW": PLAY,
            "UPSTREAM": f"unix:{self.socket}",
            "STATIC": settings.STATIC_ROOT.resolve(),
            "ANSWERS": ROOT / "deploy/answers",
            "TLS": self.state,
            "LOG": self.state,
            "HTTP": f"127.0.0.1:{self.http}",
            "HTTPS": f"127.0.0.1:{self.https}",
        }
        text = re.sub(r"\$\{ATTENDANT_(\w+)\}", lambda found: str(values[found[1]]), conf())
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)  # not every machine has IPv6
        (self.state / "attendant.conf").write_text(text)
        user = "user root;" if os.getuid() == 0 else ""  # the folders of tests are their owner's
        (self.state / "nginx.conf").write_text(MAIN.format(state=self.state, user=user))

    def _certify(self):
        """One certificate for all names, signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
        names = x509.SubjectAlternativeName([x509.DNSName(each) for each in (NAME, f"*.{PLAY}")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(names, critical=False)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for site in ("console", "preview"):
            (self.state / f"{site}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
            (self.state / f"{site}.key").write_bytes(private)

    # --- asking ----------------------------------------------------------------------------------------------

    def answers(self):
        try:
            return self.ask("/healthz").status == 200
        except OSError:
            return False

    def connect(self, host=NAME, source="127.0.0.1", secure=True):
        """An open socket, by TLS for `host` when `secure`."""
        port = self.https if secure else self.http
        plain = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0))
        return self._context().wrap_socket(plain, server_hostname=host) if secure else plain

    def _context(self):
        return ssl.create_default_context(cafile=str(self.state / "console.crt"))

    def ask(self, path, method="GET", body=None, headers=(), *, host=NAME, site="", **where):
        """The answer, its bytes as `body`. `host` is whom TLS asks for, `site` the Host header where it is another."""
        connection = http.client.HTTPConnection(host)
        connection.sock = self.connect(host, **where)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        sent = [("Host", site or host), *headers]
        if body is not None:
            sent.append(("Content-Length", str(len(body))))
        for name, value in sent:
            connection.putheader(name, value)
        try:
            connection.endheaders()
            if body:
                connection.send(body)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            pass  # it was refused before all of it was sent
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        return response

    def ask_as_rita(self, path, method="GET", body=None, headers=(), **where):
        cookies = {"__Host-sessionid": self.rita.cookies["sessionid"].value, "__Host-csrftoken": "x" * 32}
        sent = [("Cookie", "; ".join(f"{key}={value}" for key, value in cookies.items()))]
        if body is not None:
            sent += [("X-CSRFToken", "x" * 32), ("Origin", f"https://{NAME}")]
        return self.ask(path, method, body, [*sent, *headers], **where)

    # --- logs ------------------------------------------------------------------------------------------------

    def line_of(self, request_id, log="attendant.log"):
        """nginx's line about a request, as JSON."""

        def find():
            lines = map(json.loads, (self.state / log).read_text().splitlines())
            return next((line for line in lines if line["request_id"] == request_id), None)

        return until(find, f"nginx's line about {request_id}", 5)

    def said(self):
        """All that nginx has logged, as text; what it does as its last is waited for."""
        time.sleep(0.1)
        return "".join(path.read_text() for path in self.state.glob("*.log") if path.stem != "web")


def conf():
    return (ROOT / "deploy/nginx.conf").read_text()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def front(django_db_setup, django_db_blocker):
    if NGINX is None:
        pytest.skip("nginx is not installed (Debian: apt install nginx-light; bin/test does it as root)")
    with django_db_blocker.unblock(), Front() as front:
        yield front
