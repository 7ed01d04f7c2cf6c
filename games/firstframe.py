"""A screenshot of a game's first frame, by a headless Chromium that reaches nothing but a little server of ours.

The page is hostile and runs in a browser on this machine: PICTURE_BROWSER is empty unless somebody wants that.
Imports no Django.
"""

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

NAME = "screenshot.png"
TIMEOUT_S = 20
FLAGS = (
    "--headless=new --hide-scrollbars --window-size=960,600 --virtual-time-budget=4000 --mute-audio --no-first-run "
    "--disable-background-networking --disable-quic --disable-component-update --disable-sync --disable-breakpad "
    "--disable-extensions --disable-dev-shm-usage --enable-unsafe-swiftshader "
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp"
)
POLICY = (
    "sandbox allow-scripts; default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "connect-src 'self' data: blob:; form-action 'none'; webrtc 'block'"
)
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".woff2": "font/woff2",
}
PACKED = {".gz": "gzip", ".br": "br"}  # Unity packs its files one by one


def take(browser, folder):
    """Writes `folder / NAME`; False if the browser did not manage within its time."""
    picture, home = folder / NAME, folder / "browser"
    picture.unlink(missing_ok=True)
    try:
        home.mkdir(exist_ok=True)
        # its sockets need a short path, so they are not in the folder
        with (
            _served(folder / "files") as address,
            tempfile.TemporaryDirectory(prefix="frame-", ignore_cleanup_errors=True) as temporary,
        ):
            environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TMPDIR": temporary}
            _browse(browser, address, environ, picture)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return picture.is_file()


def _browse(browser, address, environ, picture):
    """`environ` is all it gets to know of ours: no secrets."""
    command = [*shlex.split(browser), *FLAGS.split(), f"--screenshot={picture}", f"--user-data-dir={environ['HOME']}"]
    # all its traffic, also to addresses, goes to our server as its proxy, which fetches nothing
    command += [f"--proxy-server=http://{address}", "--proxy-bypass-list=<-loopback>"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to start as root otherwise
    process = subprocess.Popen(
        [*command, f"http://{address}/index.html"],
        env=environ,
        cwd=environ["HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(TIMEOUT_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _die_with_parent():
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@contextmanager
def _served(files):
    """The folder on a free port of the loopback address, as `host:port`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    server.files = files.resolve()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class Handler(SimpleHTTPRequestHandler):
    """Serves the game's own files to a browser that takes us for its proxy; nothing else to anybody."""

    timeout = 10

    def log_message(self, *args):
        """The browser asks for what the game likes; nobody wants to read that."""

    def send_head(self):
        path = self._file()
        if not path:
            return self.send_error(HTTPStatus.NOT_FOUND)
        file = path.open("rb")
        self.send_response(HTTPStatus.OK)
        packed = PACKED.get(path.suffix.lower())
        name = Path(path.stem) if packed else path
        self.send_header("Content-Type", TYPES.get(name.suffix.lower(), "application/octet-stream"))
        self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
        if packed:
            self.send_header("Content-Encoding", packed)
        self.end_headers()
        return file

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Access-Control-Allow-Origin", "*")  # modules of a page without an origin of its own
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def _file(self):
        asked = urlsplit(self.path)
        if asked.netloc != f"127.0.0.1:{self.server.server_port}":  # asked of a proxy, names are complete
            return None
        path = Path(self.translate_path(asked.path))
        mine = path.is_file() and path.resolve().is_relative_to(self.server.files)
        return path if mine else None

    def translate_path(self, path):
        self.directory = str(self.server.files)
        return super().translate_path(path)
