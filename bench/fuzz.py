"""Sends a console what nobody would: every address and form, with values, bodies and headers that make no sense.

`python -m bench.fuzz --requests 5000 --seed 7 --role Senior` runs it as a test (project/tests/test_fuzz.py), which says
what must hold. The same seed sends the same requests, as far as the console's answers are the same.
"""

import io
import os
import random
import sys
import uuid
import zipfile
from collections import deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes, urlencode

from django.urls import URLPattern, get_resolver

STRANGE = [
    "", " ", "\0", "a\0b", "0", "-1", "1", "17", "1e9", "0x10", "99999999999999999999", "9" * 400, "½", "①", "١٢",
    "true", "null", "[]", "{}", "None", "nan", "inf", "-infinity", "' OR 1=1 --", "<script>alert(1)</script>",
    "javascript:alert(1)", "../../etc/passwd", "%00", "%s", "{{ 7 }}", "\u202eabc", "\u200b" * 9, "é" * 5000,
    "x" * 70_000,
    "2026-13-45", "2026-11-22T25:61", "0001-01-01", "9999-12-31T23:59:59", "10000-01-01", "never", "1d", "30d",
    "//evil.example",
    "https://evil.example/", "a\r\nSet-Cookie: b=c", "0.0.0.0/0", "::/0", "10", "010.0.0.1", "203.0.113.7/24",
    "::ffff:1.2.3.4",
    "fe80::1%eth0", "1:0", "1:0:0", "99999999999:1", "😀", "ﷺ" * 100, "#1", "#99999999999999999999", "\ufeff",
    "a" * 201, "\\",
    "1~2", "2020-01-01T00:00:00+00:00~1", "2020-01-01T00:00:00+00:00~99999999999999999999", "oldest", "all", "pending",
]  # fmt: skip
BYTES = [b"\xff\xfe", b"%", b"%zz", b"\xed\xa0\x80", b"a=b;c", b"&&==", b"\0" * 20, b"\xc3"]
PARAMETERS = [
    "q",
    "status",
    "game",
    "player",
    "players",
    "reported",
    "from",
    "to",
    "order",
    "after",
    "per",
    "live",
    "dialog",
]
PARAMETERS += [
    "next",
    "ticked",
    "term",
    "field_id",
    "v",
    "seen",
    "told",
    "watch",
    "network",
    "expires",
    "reason",
    "author",
]
PARAMETERS += ["verb", "selected", "target", "actor", "batch", "format", "title", "[]", "\0", "page", "allow", "note"]
EXTRA = [
    "is_superuser",
    "is_staff",
    "status",
    "version",
    "id",
    "pk",
    "actor",
    "next",
    "idempotency_key",
    "selected",
    "ask",
]
METHODS = ["GET"] * 6 + ["POST"] * 5 + ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"]
HEADERS = {
    "HTTP_HX_CURRENT_URL": ["http://testserver/manage/comments/?q=a", "http://[", "//evil.example/x", "%00", "http://testserver/\xff"],
    "HTTP_HX_HISTORY_RESTORE_REQUEST": ["true"],
    "HTTP_HX_BOOSTED": ["true", "x"],
    "HTTP_HX_TARGET": ["results", "<b>", "dialog-body"],
    "HTTP_HX_TRIGGER_NAME": ["q", "\xff"],
    "HTTP_HX_CURRENT_URL_URI_AUTOENCODED": ["true"],
    "HTTP_ACCEPT": ["application/json", "*/*;q=x", ""],
    "HTTP_ACCEPT_ENCODING": ["gzip", "br, gzip;q=0"],
    "HTTP_X_FORWARDED_FOR": ["1.2.3.4", "unknown, ,::1", "1," * 400],
    "HTTP_X_FORWARDED_PROTO": ["https", "gopher"],
    "HTTP_X_REQUEST_ID": ["a" * 64, "\r\n", "<b>"],
    "HTTP_HOST": ["evil.example", "testserver:99999", "127.0.0.1", "[::1"],
    "HTTP_REFERER": ["http://[", "https://evil.example/"],
    "HTTP_ORIGIN": ["null", "https://evil.example"],
    "HTTP_IF_MODIFIED_SINCE": ["yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"],
    "HTTP_RANGE": ["bytes=0-1", "bytes=-1-"],
    "HTTP_X_HTTP_METHOD_OVERRIDE": ["DELETE"],
    "HTTP_AUTHORIZATION": ["Bearer x", "Basic \xff"],
    "CONTENT_LENGTH": ["", "3"],  # what is no number, or too large, ends in gunicorn
}  # fmt: skip
TYPES = [
    "application/json",
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "",
    "\0",
    "a/b; charset=no-such",
]
TYPES += [
    "application/x-www-form-urlencoded; charset=utf-16",
    "multipart/form-data; boundary=b",
    "multipart/mixed; boundary=b",
]
GOOD = {  # what makes a form's field valid more often than not
    "reason": ["spam", "abuse", "other"],
    "note": ["because of what was said", "<b>why</b>"],
    "expires": ["1h", "1d", "7d", "30d", "never"],
    "network": ["203.0.113.0/24", "198.51.100.7", "2001:db8:7::1", "192.0.2.64/26"],
    "username": ["kit", "ada"],
    "email": ["kit@mail.example"],
    "label": ["Something new"],
    "code": ["new-one", "another"],
    "position": ["5"],
    "weight": ["1", "2"],
    "title": ["A new game", "Another"],
    "login": ["moses"],
    "password": ["correct horse battery", "wrong"],
    "q": ["lovely", "ada"],
    "game_text": [""],
    "author": [""],
}


@dataclass
class Form:
    """A form as a page offers it: fields are lists of `[name, value, kind, options]`."""

    action: str
    method: str
    multipart: bool
    fields: list = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects the forms and the addresses in a page."""

    def __init__(self, path):
        super().__init__()
        self.path, self.forms, self.links, self.select = path, [], [], None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a" and (attrs.get("href") or "").startswith(("/manage", "/accounts", "?")):
            self.links.append(attrs["href"])
        elif tag == "form":
            action = attrs.get("action") or self.path
            self.forms.append(
                Form(action, (attrs.get("method") or "get").upper(), "multipart" in str(attrs.get("enctype")))
            )
        elif self.forms and attrs.get("name") and tag in ("input", "button", "textarea", "select"):
            each = [attrs["name"], attrs.get("value") or "", attrs.get("type") or tag, []]
            self.forms[-1].fields.append(each)
            self.select = each if tag == "select" else None
        elif tag == "option" and self.select:
            self.select[3].append(attrs.get("value") or "")


def read(path, html):
    """`(forms, links)` of a page."""
    reader = _Reader(path)
    reader.feed(html)
    return reader.forms, reader.links


@dataclass
class Ask:
    """One request, as the test client's `generic` takes it."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/x-www-form-urlencoded"
    headers: dict = field(default_factory=dict)
    strict: bool = False  # whether CSRF is checked, as browsers' requests are

    def __str__(self):
        body = self.body if len(self.body) < 2000 else self.body[:2000] + b"..."
        return f"client.generic({self.method!r}, {self.path!r}, {body!r}, {self.content_type!r}, **{self.headers!r})"


def addresses(resolver=None, prefix="/"):
    """Every address as `(format string, names of its arguments)`; of Django's admin, the first few."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            route, names = get_resolver_route(pattern)
            yield prefix + route, names
        elif pattern.namespace != "admin":
            yield from addresses(pattern, prefix + str(pattern.pattern))
        else:
            yield from (
                (f"/admin/{rest}", []) for rest in ("", "login/", "jsi18n/", "console/user/", "console/flag/add/")
            )


def get_resolver_route(pattern):
    names = list(pattern.pattern.converters)
    route = str(pattern.pattern).lstrip("^").rstrip("$")
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower()
        route = route.replace(f"<{kind}:{name}>", f"{{{name}}}").replace(f"<{name}>", f"{{{name}}}")
    if "(?P" in route:  # allauth's few regular expressions
        route, names = "password/reset/key/{uidb36}-{key}/", ["uidb36", "key"]
    return route, names


class Fuzzer:
    """Makes up requests. `keys` are primary keys that exist, of whatever."""

    def __init__(self, seed, keys):
        self.chance, self.keys = random.Random(seed), keys  # noqa: S311
        self.addresses = sorted(addresses())
        self.forms, self.links = deque(maxlen=300), deque(["/manage/"], maxlen=300)

    def pick(self, many):
        return self.chance.choice(many)

    def often(self, share):
        return self.chance.random() < share

    def saw(self, ask, html):
        """Learns forms and addresses from an answer."""
        forms, links = read(ask.path.partition("?")[0], html)
        self.forms.extend(form for form in forms if form.method == "POST" or self.often(0.2))
        page = ask.path.partition("?")[0]
        self.links.extend(
            page + link if link[0] == "?" else link for link in self.chance.sample(links, min(8, len(links)))
        )

    def next(self):
        ask = self.pick(
            [self.look, self.look, self.submit, self.submit, self.submit, self.poke, self.poke, self.garble]
        )()
        if self.often(0.45):
            ask.headers["HTTP_HX_REQUEST"] = "true"
        for _ in range(self.pick([0, 0, 0, 0, 1, 1, 2, 4])):
            name = self.pick(sorted(HEADERS))
            ask.headers[name] = self.pick(HEADERS[name])
        ask.strict = self.often(0.15)
        return ask

    # --- what is asked ---------------------------------------------------------------------------------------

    def look(self):
        """A page, as links lead to it."""
        return Ask("GET", self.pick(self.links) if self.often(0.6) else self.address())

    def submit(self):
        """A form, filled in well or nearly so."""
        if not self.forms:
            return self.look()
        form = self.pick(self.forms)
        fields = [pair for each in form.fields if (pair := self.filled(each))]
        for _ in range(self.pick([0, 0, 0, 1, 1, 3])):
            self.spoil(fields)
        if form.method == "GET":
            return Ask("GET", f"{form.action.partition('?')[0]}?{urlencode(fields)}")
        if form.multipart or self.often(0.1):
            return Ask("POST", form.action, *self.multipart(fields))
        return Ask("POST", form.action, urlencode(fields).encode())

    def poke(self):
        """Any address, by any method, with parameters of all kinds."""
        method, path = self.pick(METHODS), self.address()
        fields = [(self.pick(PARAMETERS), self.value()) for _ in range(self.pick([0, 1, 1, 2, 5]))]
        if method == "POST":
            fields += [
                ("version", self.pick(["0", "1", "x"])),
                ("idempotency_key", str(uuid.UUID(int=self.chance.getrandbits(128)))),
            ]
            return Ask(method, path, urlencode(fields).encode())
        return Ask(method, f"{path}?{urlencode(fields)}" if fields else path)

    def garble(self):
        """Bytes that are no form, or say they are another."""
        path = self.pick(self.forms).action if self.forms and self.often(0.5) else self.address()
        body = self.pick(BYTES) * self.pick([1, 3, 50])
        if self.often(0.3):
            body, content_type = self.multipart([("note", "x")])
            body = body[: self.chance.randrange(len(body))]
            return Ask("POST", path, body, self.pick([content_type, *TYPES]))
        if self.often(0.05):
            body = urlencode([(f"f{number}", "") for number in range(4100)]).encode()
        if self.often(0.3):
            return Ask("GET", f"{path}?{self.pick(PARAMETERS[:30])}={quote_from_bytes(body)}")
        return Ask(
            self.pick(["POST", "POST", "PUT"]), path, body, self.pick(["application/x-www-form-urlencoded", *TYPES])
        )

    def address(self):
        route, names = self.pick(self.addresses)
        given = {name: self.argument() for name in names}
        return route.format(**given) or "/"

    def argument(self):
        if self.often(0.8):
            return self.pick(self.keys)
        return self.pick(
            ["0", "99999999", "9223372036854775807", "9223372036854775808", "9" * 40, "-1", "x", "%00", "%FF", "1/2"]
        )

    def value(self):
        return self.pick(STRANGE) if self.often(0.6) else str(self.pick(self.keys))

    # --- forms -----------------------------------------------------------------------------------------------

    def filled(self, each):
        """`(name, value)` of a field, as a person would; None for what a browser does not send."""
        name, value, kind, options = each
        if kind in ("checkbox", "radio"):
            return (name, value or "on") if self.often(0.5) else None
        if kind in ("submit", "button") and self.often(0.3):
            return None
        if kind == "file":
            return name, self.file()
        if options:
            return name, self.pick(options)
        return name, value if kind == "hidden" or (value and self.often(0.5)) else self.pick(
            GOOD.get(name, ["", "words"])
        )

    def spoil(self, fields):
        what = self.pick(["drop", "double", "strange", "strange", "extra", "version", "key"])
        if what == "extra" or not fields:
            fields.append((self.pick(EXTRA), self.value()))
            return
        at = self.chance.randrange(len(fields))
        name = fields[at][0]
        if what == "drop":
            del fields[at]
        elif what == "double":
            fields.insert(self.chance.randrange(len(fields) + 1), (name, self.value()))
        elif what == "strange":
            fields[at] = (name, self.value())
        else:
            wanted = {"version": "version", "key": "idempotency_key"}[what]
            fields[:] = [
                (n, self.pick(["", "-1", "7", "x", "9" * 30, *STRANGE[:4]]) if n == wanted else v) for n, v in fields
            ]

    def file(self):
        """A zip of a small game, sound or cut off, or what is none."""
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                self.pick(["index.html", "game/index.html", "a.php", "../x"]), f"<h1>{self.chance.random()}</h1>"
            )
        whole = kept.getvalue()
        return self.pick([whole, whole, whole, whole[: len(whole) // 2], b"", b"no zip"])

    def multipart(self, fields):
        """`(body, content type)`; files where values are bytes, and now and then where none belongs."""
        parts = []
        for name, value in fields:
            if self.often(0.03):
                value = b"a file where none belongs"
            text = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
            about = "".join(each for each in str(name) if each.isprintable() and each not in '"\\')
            extra = f'; filename="{self.pick(["neon.zip", "../x", "é.zip", ""])}"' if isinstance(value, bytes) else ""
            parts.append(
                f'--b\r\nContent-Disposition: form-data; name="{about}"{extra}\r\n\r\n'.encode() + text + b"\r\n"
            )
        return b"".join(parts) + b"--b--\r\n", "multipart/form-data; boundary=b"


def main():
    import argparse

    import pytest

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=5000, help="for each role")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--role", default="", help="one of them instead of all")
    given = parser.parse_args()
    os.environ |= {"FUZZ_REQUESTS": str(given.requests), "FUZZ_SEED": str(given.seed)}
    arguments = ["project/tests/test_fuzz.py", "-q", "-m", "not slow", "-k", given.role or "fuzz"]
    return pytest.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
