"""Requests no browser sends: answered in our words, with our headers, by the server as deployed."""

import urllib.error
import urllib.request

import pytest


@pytest.mark.parametrize("charset", ["hex", "base64", "undefined", "idna", "utf-16", "nonsense"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("body", [None, b"login=a&password=b"])
def test_a_claimed_charset_is_no_error(base_url, charset, kind, body):
    headers = {"Content-Type": f"{kind}; charset={charset}"}
    request = urllib.request.Request(f"{base_url}/accounts/login/?q=%61", data=body, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        response = error
    assert response.status == (403 if body else 200)
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
