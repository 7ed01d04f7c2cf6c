"""Every page and its fragment are one: what htmx is given is part of what a browser is given."""

import pytest

from console import meter
from console.ops import services
from console.testing import steady
from project.tests.test_routes import MATRIX, address

# they send pages elsewhere, or are none
NO_PAGE = {
    "console:deliveries_bulk",
    "console:exported_file",
    "console:jobs_bulk",
    "console:live",
    "games:authors",
    "games:options",
    "games:picture",
    "moderation:ban_reach",
    "moderation:bulk",
    "moderation:mail_example",
    "moderation:options",
    "moderation:suggest",
}


@pytest.fixture(autouse=True)
def still(db, monkeypatch):
    """The overview of operations shows what it costs itself: the second of two would show the first."""
    monkeypatch.setattr(meter, "count", lambda *given: None)
    redis, database = services.redis(), services.database()
    monkeypatch.setattr(services, "redis", lambda: redis)
    monkeypatch.setattr(services, "database", lambda: database)


@pytest.mark.parametrize("name", sorted(MATRIX.keys() - NO_PAGE))
def test_the_fragment_is_part_of_the_page(lea, olga, name):
    person = lea if "lea" in MATRIX[name] else olga
    url = address(name, lea)
    fragment = steady(person.get(url, htmx=True).text).strip()
    assert fragment
    assert "<!DOCTYPE" not in fragment
    assert fragment in steady(person.get(url).text)
