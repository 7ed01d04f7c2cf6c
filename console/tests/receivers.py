"""Real servers on loopback for tests of what leaves the console: receivers by http and https, a canary nobody should
reach, and one that never comes to an end.
"""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Receiver:
    """What a portal has: `answers` are given one after the other, the last one ever after. An answer is a status, or
    `(status, headers, body)`, or a function of the request's handler. `seen` are `(path, headers, body, time)`.
    """

    def __init__(self, answers=(200,)):
        self.answers, self.seen, self.connections = list(answers), [], 0

    @property
    def ids(self):
        return [headers["webhook-id"] for _, headers, _, _ in self.seen]

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.seen.append((handler.path, headers, body, time.monotonic()))
        wanted = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(wanted):
            return wanted(handler)
        status, more, text = (wanted, {}, b"thanks") if isinstance(wanted, int) else wanted
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **more}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text)
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        self.receiver.connections += 1
        return super().get_request()

    def handle_error(self, request, client_address):
        """Whoever hangs up is no error here."""


@contextmanager
def listening(receiver, tls=None):
    """The port at which it listens, by https when there is an ssl.SSLContext."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            receiver.answer(self)

        do_GET = do_POST

        def log_message(self, *args):
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    server.receiver = receiver
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def canary(family=socket.AF_INET):
    """`(port, callers)`: whoever connects is noted, and gets nothing."""
    callers = []
    with socket.socket(family) as listener:
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        listener.listen(20)
        listener.settimeout(0.05)
        over = threading.Event()

        def watch():
            while not over.is_set():
                try:
                    caller, address = listener.accept()
                except OSError:
                    continue
                callers.append(address)
                caller.close()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        yield listener.getsockname()[1], callers
        over.set()
        thread.join()


@contextmanager
def trickling(first=b"", drop=b"x", every=0.05):
    """The port of a server that takes a request and answers a byte at a time, without an end."""
    over = threading.Event()

    def serve(caller):
        with caller:
            caller.settimeout(20)
            try:
                caller.recv(65536)
                caller.sendall(first)
                while not over.wait(every):
                    caller.sendall(drop)
            except OSError:
                pass

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(20)
        listener.settimeout(0.1)

        def accept():
            while not over.is_set():
                try:
                    caller = listener.accept()[0]
                except OSError:
                    continue
                threading.Thread(target=serve, args=(caller,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        over.set()


def certificate(folder, *names):
    """`(server's context, file of the certificate)`: signed by itself, for these names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    whom = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [_general(name) for name in names]
    made = (
        x509.CertificateBuilder(whom, whom, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
