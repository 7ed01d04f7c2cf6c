"""A browser as far as this needs one: cookies, the token of a form, and what the meter said."""

import gzip
import http.client
import json
import re
import time
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    cost: dict  # of bench.meter, and "client": milliseconds as seen from here

    @property
    def text(self):
        return self.body.decode()

    @property
    def rows(self):
        """How many rows of a list it shows, whoever drew it."""
        return max(self.body.count(mark) for mark in (b'data-item="comment-', b'name="_selected_action"', b"<tr><td>"))

    @property
    def zipped(self):
        return len(gzip.compress(self.body, 6))


class Browser:
    """A new connection for each request, as through a proxy that keeps none."""

    def __init__(self, port):
        self.port, self.cookies, self.token = port, {}, ""

    def ask(self, path, data=None, htmx=""):
        """GET, or POST with `data` (pairs). `htmx` is the address of the page that asks.

        Raises RuntimeError when a GET is not answered with what was asked for, or a POST with an error.
        """
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if htmx:
            headers |= {"HX-Request": "true", "HX-Current-URL": f"http://127.0.0.1:{self.port}{htmx}"}
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode([*data, ("csrfmiddlewaretoken", self.token)])
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        started = time.perf_counter()
        connection.request("GET" if data is None else "POST", path, body, headers)
        response = connection.getresponse()
        content = response.read()
        took = 1000 * (time.perf_counter() - started)
        connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if found := re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', content):
            self.token = found[1].decode()
        if response.status >= 400 or (data is None and response.status not in (200, 204)):
            raise RuntimeError(f"{path[:200]} answered {response.status}: {content[:300]!r}")
        cost = json.loads(response.headers.get("X-Bench") or "{}")
        return Answer(response.status, response.headers, content, {**cost, "client": took})

    def sign_in(self, path, name_field, login, password, home):
        self.ask(path)
        answer = self.ask(path, [(name_field, login), ("password", password)])
        if answer.status != 302:
            raise RuntimeError(f"{login} could not sign in at {path}.")
        self.ask(home)  # whose forms have the new session's token
