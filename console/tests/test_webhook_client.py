"""Where messages may go and how: out to who was checked and nowhere inside, by TLS for the name, within ten seconds."""

import ipaddress
import os
import socket
import ssl
import time

import pytest

from console.tests.receivers import Receiver, canary, certificate, listening, trickling
from console.webhooks import client, guard
from console.webhooks.client import Line

PUBLIC = "93.184.215.14"
LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "0x7f.1",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1%25lo]",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "0.0.0.0",
    "0",
    "[::]",
]
INSIDE = ["169.254.169.254", "100.64.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "192.0.0.8", "224.0.0.1"]
INSIDE += ["[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[64:ff9b:1::1]", "[2001::1]", "255.255.255.255", "198.18.0.1"]


@pytest.fixture(autouse=True)
def strict(settings):
    """As a deployment that allows nothing of its own."""
    settings.WEBHOOK_ALLOW = []


@pytest.fixture
def any_port(monkeypatch):
    """Canaries listen on ports that nobody could write otherwise."""

    class Any:
        def __contains__(self, port):
            return True

    monkeypatch.setattr(guard, "PORTS", Any())


def named(monkeypatch, *answers):
    """Every name is at these addresses, of each lookup one after the other."""
    given = list(answers)
    asked = []

    def resolve(host, port):
        asked.append(host)
        return [given.pop(0) if len(given) > 1 else given[0]]

    monkeypatch.setattr(guard, "resolve", resolve)
    return asked


def send(url, body=b"{}", headers=None):
    with Line(url) as line:
        return line.post(body, headers or {})


# --- nothing inside is reached -------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("host", LOOPBACK)
def test_no_spelling_of_this_machine_is_saved_or_reached(any_port, host, scheme):
    with canary() as (port, callers), canary(socket.AF_INET6) as (port6, callers6):
        for at in (port, port6):
            url = f"{scheme}://{host}:{at}/hook"
            with pytest.raises(guard.Refused):
                guard.checked(guard.parse(url))
            answer = send(url)
            assert answer.code is None
            assert answer.error
        time.sleep(0.1)
        assert callers == callers6 == []


@pytest.mark.parametrize("host", INSIDE)
def test_no_network_inside_is_saved_or_tried(monkeypatch, host):
    tried = []
    monkeypatch.setattr(client.socket, "create_connection", lambda *args, **kwargs: tried.append(args))
    with pytest.raises(guard.Refused) as refused:
        guard.checked(guard.parse(f"https://{host}/latest/meta-data"))
    answer = send(f"https://{host}/latest/meta-data")
    assert (answer.code, tried) == (None, [])
    assert answer.error == str(refused.value) == guard.NOWHERE


@pytest.mark.parametrize("inside", ["10.0.0.7", "127.0.0.1", "::ffff:10.0.0.7", "100.64.0.1", "64:ff9b::7f00:1"])
def test_a_name_that_leads_inside_is_refused_and_nothing_is_told_of_it(monkeypatch, inside):
    named(monkeypatch, inside)
    with pytest.raises(guard.Refused) as refused:
        guard.checked(guard.parse("https://portal.example/hook"))
    assert inside not in str(refused.value)
    assert send("https://portal.example/hook").error == guard.NOWHERE


def test_a_name_of_which_one_address_is_inside_is_refused_whole(monkeypatch):
    monkeypatch.setattr(guard, "resolve", lambda host, port: [PUBLIC, "127.0.0.1"])
    with pytest.raises(guard.Refused):
        guard.checked(guard.parse("https://portal.example/hook"))


def test_a_name_that_changes_its_mind_reaches_nobody(monkeypatch, any_port):
    """Rebinding: outside when the endpoint is saved, inside when something is sent."""
    with canary() as (port, callers):
        asked = named(monkeypatch, PUBLIC, "127.0.0.1")
        url = f"https://portal.example:{port}/hook"
        assert guard.checked(guard.parse(url)) == [PUBLIC]
        assert send(url).error == guard.NOWHERE
        time.sleep(0.1)
        assert (len(asked), callers) == (2, [])


def test_what_was_looked_up_is_what_is_connected_to(monkeypatch):
    """Once for each connection: there is no second lookup that could say something else."""
    asked, tried = named(monkeypatch, PUBLIC, "127.0.0.1"), []

    def connect(address, timeout):
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(client.socket, "create_connection", connect)
    assert send("https://portal.example/hook").error == "The connection was refused."
    assert (asked, tried) == (["portal.example"], [(PUBLIC, 443)])


def test_a_redirect_to_the_inside_is_a_failure_and_not_followed(settings):
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    with canary() as (port, callers):
        away = (302, {"Location": f"http://127.0.0.1:{port}/"}, b"")
        with listening(Receiver([away])) as at:
            answer = send(f"http://127.0.0.1:{at}/")
        time.sleep(0.1)
        assert (answer.code, answer.is_good, callers) == (302, False, [])


def test_no_proxy_of_the_environment_is_asked(settings, monkeypatch):
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    with canary() as (port, callers), listening(Receiver()) as at:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setitem(os.environ, name, f"http://127.0.0.1:{port}")
        assert send(f"http://127.0.0.1:{at}/").is_good
        assert callers == []


def test_the_two_lists_agree_on_what_is_public():
    for text in (PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"):
        assert guard.is_outside(ipaddress.ip_address(text)), text
    for text in ("192.0.0.8", "224.0.0.1", "64:ff9b::1", "2002::1", "::7f00:1", "100.64.0.1", "fec0::1", "5f00::1"):
        assert not guard.is_outside(ipaddress.ip_address(text)), text


# --- what may be written -------------------------------------------------------------------------------------

WRONG = {
    "http://93.184.215.14/": guard.HTTPS,
    "ftp://93.184.215.14/": guard.HTTPS,
    "file:///etc/passwd": guard.HTTPS,
    "gopher://127.0.0.1:6379/_": guard.HTTPS,
    "https://93.184.215.14:6379/": guard.ODD_PORT,
    "https://93.184.215.14:22/": guard.ODD_PORT,
    "https://me:secret@93.184.215.14/": "name and password",
    "https://93.184.215.14@127.0.0.1/": "name and password",
    "https://93.184.215.14/#there": "behind #",
    "https://93.184.215.14/a b": "without spaces",
    "https://93.184.215.14\\@127.0.0.1/": "without spaces",
    "https://93.184.215.14/\r\nHost: x": "without spaces",
    "https://pörtal.example/": "xn--",
    "https://[::1/": "no address",
    "https://93.184.215.14:99999/": "no address",
    "https:///hook": guard.NOWHERE,
    "https://-a.example/": guard.NOWHERE,
    "https://[v1.x]/": "no address|no such name",
    "//93.184.215.14/": guard.HTTPS,
    "": "without spaces",
}


@pytest.mark.parametrize("url", WRONG)
def test_what_is_wrong_with_an_address_is_said(url):
    with pytest.raises(guard.Refused, match=WRONG[url].partition(":")[0]):
        guard.checked(guard.parse(url))


@pytest.mark.parametrize("url", ["https://93.184.215.14/", "https://93.184.215.14:8443/a?b=c", "HTTPS://93.184.215.14"])
def test_a_public_address_by_https_is_welcome(url):
    assert guard.checked(guard.parse(url)) == [PUBLIC]


def test_networks_of_ours_are_allowed_by_name_only(settings):
    settings.WEBHOOK_ALLOW = ["10.20.0.0/16"]
    assert guard.checked(guard.parse("http://10.20.3.4:8080/hook")) == ["10.20.3.4"]
    for other in ("http://10.21.3.4/", "http://93.184.215.14/", "http://127.0.0.1/"):
        with pytest.raises(guard.Refused):
            guard.checked(guard.parse(other))


def test_a_name_that_nobody_knows_is_told_like_one_inside(monkeypatch):
    def unknown(host, port):
        raise socket.gaierror

    monkeypatch.setattr(guard, "resolve", unknown)
    with pytest.raises(guard.Refused, match="no such name"):
        guard.checked(guard.parse("https://portal.example/"))


# --- TLS -----------------------------------------------------------------------------------------------------


@pytest.fixture
def trusted(tmp_path, settings, monkeypatch):
    """A server's context for the name portal.example, which we trust and find on this machine."""
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    named(monkeypatch, "127.0.0.1")
    tls, file = certificate(tmp_path, "portal.example")
    monkeypatch.setattr(client, "context", lambda: ssl.create_default_context(cafile=file))
    return tls


def test_the_name_is_asked_for_and_its_certificate_checked(trusted):
    receiver, asked = Receiver(), []
    trusted.sni_callback = lambda sock, name, context: asked.append(name)
    with listening(receiver, trusted) as port:
        answer = send(f"https://portal.example:{port}/hook?a=b", b'{"a": 1}', {"webhook-id": "1"})
    assert (answer.code, answer.text) == (200, "thanks")
    path, headers, body, _ = receiver.seen[0]
    assert (path, body, asked) == ("/hook?a=b", b'{"a": 1}', ["portal.example"])
    assert headers["host"] == f"portal.example:{port}"
    assert headers["content-type"] == "application/json"


def test_a_certificate_for_another_name_is_refused_before_anything_is_sent(trusted):
    receiver = Receiver()
    with listening(receiver, trusted) as port:
        answer = send(f"https://another.example:{port}/")
    assert answer.code is None
    assert "certificate" in answer.error
    assert receiver.seen == []


def test_a_certificate_of_nobody_we_trust_is_refused(trusted, monkeypatch):
    monkeypatch.setattr(client, "context", ssl.create_default_context)
    receiver = Receiver()
    with listening(receiver, trusted) as port:
        answer = send(f"https://portal.example:{port}/")
    assert "certificate" in answer.error
    assert receiver.seen == []


# --- time and size -------------------------------------------------------------------------------------------


@pytest.fixture
def near(settings, monkeypatch):
    """Receivers on this machine, and little patience."""
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    monkeypatch.setattr(client, "TOTAL_S", 0.5)


def test_no_more_than_ten_seconds_are_spent():
    assert client.TOTAL_S == 10


TRICKLES = {
    "nothing at all": (b"", b""),
    "a status line without an end": (b"HTTP/1.1 200 OK", b"x"),
    "headers without an end": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "a body without an end": (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b"x"),
    "a body until the connection is closed": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x"),
    "a body as of old": (b"HTTP/1.0 200 OK\r\n\r\n", b"x"),
    "chunks without an end": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


@pytest.mark.parametrize("name", TRICKLES)
def test_whoever_trickles_is_hung_up_on(near, name):
    first, drop = TRICKLES[name]
    began = time.monotonic()
    with trickling(first, drop) as port:
        answer = send(f"http://127.0.0.1:{port}/")
    assert (answer.code, answer.error) == (None, client.TOO_LONG)
    assert time.monotonic() - began < 5, "the limit is half a second here"


def test_a_handshake_that_trickles_is_hung_up_on_too(near):
    began = time.monotonic()
    with trickling(b"\x16\x03\x03\x3f\xff", b"\0") as port:
        answer = send(f"https://127.0.0.1:{port}/")
    assert answer.code is None
    assert time.monotonic() - began < 5


def test_of_a_long_answer_little_is_read_and_less_is_kept(settings):
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    sent = []

    def pour(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 30))
        handler.end_headers()
        try:
            for _ in range(1 << 14):
                sent.append(handler.wfile.write(b"x" * 65536))
        except OSError:
            handler.close_connection = True

    with listening(Receiver([pour])) as port:
        answer = send(f"http://127.0.0.1:{port}/")
    assert (answer.code, len(answer.text)) == (200, client.KEPT)
    assert sum(sent) < 1 << 26, "what the system had room for, of a gigabyte"


def test_a_chunk_of_less_than_nothing_is_not_read_to_its_end(near):
    with trickling(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * 65536, 0) as port:
        answer = send(f"http://127.0.0.1:{port}/")
    assert (answer.code, answer.error) == (None, "What came back is no HTTP.")


def test_what_is_said_ahead_of_an_answer_is_not_the_answer(settings):
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    codes = [200, 500, 204]

    def hint(handler):
        handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        time.sleep(0.1)
        handler.wfile.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % codes.pop(0))

    with listening(Receiver([hint])) as port, Line(f"http://127.0.0.1:{port}/") as line:
        assert [line.post(b"{}", {}).code for _ in range(3)] == [200, 500, 204]


def test_an_answer_is_kept_as_text_that_can_be_stored(settings):
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    with listening(Receiver([(200, {}, b"a\0b\xff<script>")])) as port:
        assert send(f"http://127.0.0.1:{port}/").text == "a\ufffdb\ufffd<script>"


@pytest.mark.parametrize(
    "what", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 99_000]
)
def test_what_is_no_http_is_a_failure_in_words(near, what):
    with trickling(what, b"") as port:
        answer = send(f"http://127.0.0.1:{port}/")
    assert answer.code is None
    assert answer.error.endswith(".")


def test_a_connection_is_kept_and_opened_anew_when_it_was_closed(settings):
    settings.WEBHOOK_ALLOW = ["127.0.0.1/32"]
    receiver = Receiver([200, 200, (200, {"Connection": "close"}, b""), 200])
    with listening(receiver) as port, Line(f"http://127.0.0.1:{port}/") as line:
        assert [line.post(b"{}", {}).code for _ in range(4)] == [200] * 4
    assert (len(receiver.seen), receiver.connections) == (4, 2)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("0", 0), ("99999", client.WAIT_MOST_S), ("-1", None), ("soon", None), ("", None), ("²", None)],
)
def test_retry_after_is_read_with_care(said, seconds):
    assert client.seconds(said) == seconds


@pytest.mark.parametrize("when", ["01 Jan 99999999999999 00:00:00 GMT", "01 Jan 2030 00:00:00 +99999999999999"])
def test_retry_after_may_be_a_date_that_no_calendar_has(when):
    assert client.seconds(f"Mon, {when}") is None


def test_retry_after_may_be_a_date():
    assert client.seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert client.seconds("Wed, 21 Oct 2065 07:28:00 GMT") == client.WAIT_MOST_S
