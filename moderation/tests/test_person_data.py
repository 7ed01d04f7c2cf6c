"""One player's data as a file for them: complete, of nobody else, and on record."""

import json

import pytest

from console import personal, verbs
from console.models import Entry
from console.testing import form
from moderation import persondata
from moderation.models import Ban, Player, Report, Strike
from moderation.testing import make_comment, make_player, make_report


@pytest.fixture
def ada(lea):
    ada = make_player(username="ada", email="ada@mail.example", last_ip="192.0.2.77", bio="I like “snails”")
    for number in range(5):
        make_comment(player=ada, body=f"number {number}\n</script>", ip="192.0.2.77")
    make_report(ada.comments.first(), player=make_player(username="kit"), words="by kit")
    Report.objects.create(comment=make_comment(body="of moss"), player=ada, words="by ada")
    Strike.objects.create(player=ada, reason="spam")
    Ban.objects.create(player=ada, reason="spam", note="again and again")
    verbs.get("player.note")(ada, by=lea.user, note="talks to children")
    return Player.objects.get(pk=ada.pk)


def taken(person, player):
    response = person.post(f"{player.get_absolute_url()}export/", form(Player(version=0), format="json"))
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def test_it_is_complete_and_of_nobody_else(lea, ada, monkeypatch):
    monkeypatch.setattr(persondata, "CHUNK", 2)
    file = taken(lea, ada)
    data = json.loads(file)
    assert (data["username"], data["email"], data["last_ip"]) == ("ada", "ada@mail.example", "192.0.2.77")
    assert [comment["body"] for comment in data["comments"]] == [f"number {number}\n</script>" for number in range(5)]
    assert [report["words"] for report in data["reports_made"]] == ["by ada"]
    assert data["notes"][0]["text"] == "talks to children"
    assert data["bans"][0]["note"] == "again and again"
    assert [decision["verb"] for decision in data["decisions"]] == ["player.note"]
    assert len(data["strikes"]) == 1
    for other in ("kit", "lea", "of moss"):
        assert other not in file


def test_it_is_on_record_without_a_name(lea, ada):
    taken(lea, ada)
    entry = Entry.objects.latest("pk")
    assert (entry.verb, entry.actor) == ("export.hand_out", lea.user)
    assert entry.after["what"] == f"data of player {ada.pk}"
    assert personal.reveal([entry.note]) == {entry.note: f"q=%23{ada.pk}"}


def test_an_auditor_has_the_addresses_shown_first(ann, ada):
    url = f"{ada.get_absolute_url()}export/"
    response = ann.post(url, form(Player(version=0), format="json"))
    assert response.status_code == 422
    assert "Have them shown on the player&#39;s page first" in response.text
    ann.post(f"{ada.get_absolute_url()}reveal/", form(ada, note="They asked for their data.", next="/manage/"))
    assert json.loads(taken(ann, ada))["email"] == "ada@mail.example"


def test_the_page_leads_there_those_who_may(lea, moses, ada):
    assert f"{ada.get_absolute_url()}export/" in lea.get(ada.get_absolute_url()).text
    assert f"{ada.get_absolute_url()}export/" not in moses.get(ada.get_absolute_url()).text
    assert moses.get(f"{ada.get_absolute_url()}export/").status_code == 403


def test_a_format_that_is_not_on_offer_is_refused(lea, ada):
    data = form(Player(version=0), format="csv")
    assert lea.post(f"{ada.get_absolute_url()}export/", data).status_code == 422
