"""Whoever does not need addresses and e-mails of players whole finds them on no page, in no file, by no search, until
they ask for one player's and say why.
"""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.db import connection
from django.urls import reverse
from waffle.testutils import override_flag

from console import ledger, verbs
from console.models import Entry
from console.testing import form, make_received
from games.testing import make_build
from moderation import masking
from moderation.actions import ban_network
from moderation.models import Player
from moderation.testing import make_comment, make_player, make_reason
from project.tests import routesapart, test_routes

V4, V6, MAIL, NEW_MAIL = "192.0.2.77", "2001:db8:12:3::7", "ada.lovelace@mail.example", "countess@mail.example"
SECRETS = (V4, V6, MAIL, NEW_MAIL, "192.0.2.64", "ada.lovelace", "12:3::7", "%3A12%3A3%3A%3A7", "192.0.2.9")
PLAYERS, BANS, LEDGER = "/manage/players/", "/manage/bans/", "/manage/ledger/"


@pytest.fixture
def ada(lea, moses):
    """A player whose address and e-mail are wherever the console may keep them."""
    ada = make_player(username="ada", email=MAIL, last_ip=V4)
    other = make_player(username="twin", email="twin@mail.example", last_ip=V4)
    comments = [make_comment(player=ada, ip=ip) for ip in (V4, V6)] + [make_comment(player=other, ip=V6)]
    origin = ledger.Origin("r1", "192.0.2.9")
    said = {"by": lea.user, "origin": origin, "note": f"the same as {V4}, and {V6}, writes as {MAIL}"}
    verbs.get("player.note")(ada, **said)
    ada.refresh_from_db()
    verbs.get("player.edit")(ada, email=NEW_MAIL, **said)
    verbs.get("comment.approve")(comments[0], by=moses.user, origin=origin)
    for network in (V4, "192.0.2.64/26"):
        laid = ban_network(ip_network(network), reason="spam", reject_pending=False, **said)
    comments[2].blocked_by = laid.done[0]
    comments[2].save()
    for query in ({"q": NEW_MAIL}, {"q": V6}, {"q": V4}):
        lea.post(f"{PLAYERS}export/?{'&'.join(f'{k}={v}' for k, v in query.items())}", form(Player(version=0)))
    ada.refresh_from_db()
    return ada


def pages_about(ada, lea):
    """Every page there is, of what concerns the player, with tabs and searches."""
    kinds = [
        (test_routes.ON_PLAYERS, [ada.pk]),
        (test_routes.ON_BANS, list(ada_bans())),
        (test_routes.ON_REASONS, [make_reason().pk]),
        (test_routes.ON_GAMES, [make_build().game_id]),
        (test_routes.ON_BUILDS, [make_build().pk]),
        ({"console:staff_member"}, [lea.user.pk]),
        ({"console:undo", "console:entry"}, list(Entry.objects.values_list("pk", flat=True))),
    ]
    for name in test_routes.MATRIX:
        apart = name in routesapart.MATRIX  # with rows of their own
        if apart or name in test_routes.ALONE:
            yield test_routes.address(name, lea)
            continue
        comments = [each.pk for player in Player.objects.all() for each in player.comments.all()]
        keys = next((keys for names, keys in kinds if name in names), comments)
        if not name.endswith(":options"):
            yield from (reverse(name, args=[key]) for key in keys)
    yield from (f"{PLAYERS}{ada.pk}/?tab={tab}" for tab in ("comments", "addresses", "timeline"))
    yield from (f"{PLAYERS}?q={words}" for words in ("192.0.2.0/24", "2001:db8:12::/48", "ada", "mail.example"))
    yield from (f"{BANS}?q={words}" for words in ("192.0.2.0/24", "192.0."))
    yield from (f"{LEDGER}?q={words}" for words in ("192.0.2.0/24", "ada", "lea"))
    yield from (f"/manage/comments/?status=all&q={words}" for words in ("ada", "lovely"))
    yield from (f"/manage/comments/suggest/?player={words}" for words in ("ad", "lo", "mail"))


def ada_bans():
    from moderation.models import Ban

    return Ban.objects.values_list("pk", flat=True)


def body(response):
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode(errors="replace")


@pytest.mark.parametrize("who", ["moses", "ann"])
def test_no_page_shows_an_address_or_email_to_those_who_do_not_need_it(request, ada, lea, who):
    person, seen = request.getfixturevalue(who), 0
    with override_flag("bulk_actions", active=True):
        for url in set(pages_about(ada, lea)):
            for htmx in (False, True):
                response = person.get(url, htmx=htmx)
                text = body(response) + str(response.headers)
                assert [secret for secret in SECRETS if secret in text] == [], url
                seen += response.status_code == 200
    assert seen > 80


def test_nor_does_an_event_that_could_not_be_taken_in(ann, olga):
    event = make_received(state="failed", error="ip is “203.0.113.7/33”, email is “kim@mail.example”.", data=None)
    for url in ("/manage/received/", event.get_absolute_url()):
        for person, whole in ((ann, False), (olga, True)):
            page = person.get(url).text
            assert "email is" in page
            assert [secret in page for secret in ("203.0.113.7", "kim@mail.example")] == [whole, whole], url


def test_those_who_need_them_see_them(ada, lea):
    page = lea.get(f"{PLAYERS}{ada.pk}/?tab=addresses").text
    assert V4 in page
    assert V6 in page
    assert NEW_MAIL in page
    assert V4 in lea.get(BANS).text
    assert "Show addresses" not in page


@pytest.mark.parametrize("wanted", ["csv", "xlsx", "jsonl"])
@pytest.mark.parametrize("path", [PLAYERS, LEDGER])
def test_no_file_holds_them_for_an_auditor(ada, ann, lea, path, wanted):
    def taken(person):
        file = b"".join(person.post(f"{path}export/", form(Player(version=0), format=wanted)).streaming_content)
        return unzipped(file) if wanted == "xlsx" else file.decode()

    if (path, wanted) == (PLAYERS, "jsonl"):
        return
    assert [secret for secret in SECRETS if secret in taken(ann)] == []
    assert "•••" in taken(ann) or wanted == "jsonl"
    assert V4 in taken(lea) or wanted == "jsonl"


def unzipped(file):
    import io
    import zipfile

    book = zipfile.ZipFile(io.BytesIO(file))
    return "".join(book.read(name).decode() for name in book.namelist())


@pytest.mark.parametrize("who", ["moses", "ann"])
@pytest.mark.parametrize(
    ("path", "one", "another"),
    [
        (f"{PLAYERS}?q=", V4, "192.0.2.78"),
        (f"{PLAYERS}?q=", "192.0.2.77/32", "192.0.2.80/28"),
        (f"{PLAYERS}?q=", NEW_MAIL, "nobody@mail.example"),
        (f"{PLAYERS}?q=", "countess@", "nobody@"),
        (f"{BANS}?status=all&q=", V4, "192.0.2.78"),
        (f"{LEDGER}?q=", "192.0.2.9", "192.0.2.10"),
        (f"{LEDGER}?network=", "192.0.2.9", "192.0.2.10"),
        (f"{LEDGER}?target=", V4, "192.0.2.78"),
        (f"{LEDGER}?target=", "192.0.2.64/26", "192.0.2.128/26"),
    ],
)
def test_a_search_tells_no_address_from_its_neighbour(request, ada, who, path, one, another):
    person = request.getfixturevalue(who)
    found = [person.get(path + words).context["rows"] for words in (one, another)]
    keys = [[getattr(row, "pk", None) or row.gesture.pk for row in rows] for rows in found]
    assert keys[0] == keys[1]


def test_a_wider_search_says_so(ada, moses, lea):
    said = "Your role sees no whole addresses, so all of 192.0.2.0/24 is searched."
    assert said in moses.get(f"{PLAYERS}?q={V4}").text
    assert said in moses.get(f"{BANS}?q={V4}").text
    assert said in moses.get(f"{LEDGER}?q={V4}").text
    assert said not in lea.get(f"{PLAYERS}?q={V4}").text
    assert said not in moses.get(f"{PLAYERS}?q=192.0.2.0/24").text
    assert "it cannot search them" in moses.get(f"{PLAYERS}?q=nobody@mail.example").text


def test_nor_does_the_answer_to_a_verb_count_them(ada, moses):
    counted = []
    for words in (V4, "192.0.2.78"):
        ada.refresh_from_db()
        data = form(ada, note="fine", next=f"{PLAYERS}?q={words}")
        counted.append("2 players" in moses.post(f"{PLAYERS}{ada.pk}/note/", data, htmx=True).text)
    assert counted == [True, True]


def ask(person, player, **fields):
    data = form(player, note="Another account writes the same.", next=player.get_absolute_url()) | fields
    return person.post(f"{PLAYERS}{player.pk}/reveal/", data, follow=True)


@pytest.mark.parametrize("who", ["moses", "ann"])
def test_whoever_asks_with_a_reason_sees_one_players_for_a_quarter_of_an_hour(request, ada, who, monkeypatch):
    person = request.getfixturevalue(who)
    assert "Show addresses" in person.get(ada.get_absolute_url()).text
    page = ask(person, ada).text
    assert "are shown to you for 15 minutes" in page
    assert NEW_MAIL in page
    assert V4 in person.get(f"{ada.get_absolute_url()}?tab=addresses").text
    assert V4 not in person.get(f"{PLAYERS}?q=ada").text
    twin = Player.objects.get(username="twin")
    assert V4 not in person.get(twin.get_absolute_url()).text
    monkeypatch.setattr(masking, "SHOWN_FOR", timedelta(0))
    assert V4 not in person.get(f"{ada.get_absolute_url()}?tab=addresses").text


def test_asking_is_on_record_and_nobodys_form_is_out_of_date_for_it(ada, moses, lea):
    ask(moses, ada)
    entry = Entry.objects.latest("pk")
    assert (entry.actor, entry.verb, entry.before, entry.after) == (moses.user, "player.reveal", {}, {})
    assert "moses saw the addresses of" in lea.get(entry.get_absolute_url()).text
    assert "Another account writes the same." in lea.get(entry.get_absolute_url()).text
    assert Player.objects.get(pk=ada.pk).version == ada.version


def test_without_a_reason_nothing_is_shown(ada, moses):
    response = ask(moses, ada, note=" ")
    assert response.status_code == 422
    assert "Write why you need to see them." in response.text
    assert V4 not in moses.get(ada.get_absolute_url()).text


def test_one_persons_reason_opens_nothing_for_another(ada, moses, ann):
    ask(moses, ada)
    assert V4 not in ann.get(ada.get_absolute_url()).text


def test_whether_somebody_asked_is_found_by_an_index(ada, moses):
    ask(moses, ada)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    asked = Entry.objects.filter(target_type="moderation.player", target_id=ada.pk, actor=moses.user)
    assert "Index" in asked.filter(verb=masking.VERB).order_by("-id").explain()


def test_whoever_may_edit_but_not_see_writes_over_no_email(ada, moses):
    from django.contrib.auth.models import Permission

    moses.user.user_permissions.add(Permission.objects.get(codename="change_player"))
    assert "countess" not in moses.get(f"{PLAYERS}{ada.pk}/edit/").text
    moses.post(f"{PLAYERS}{ada.pk}/edit/", form(ada, username="ada", email="", next=PLAYERS))
    ada.refresh_from_db()
    assert ada.email == NEW_MAIL


@pytest.mark.parametrize("htmx", [False, True])
def test_what_has_been_seen_offers_no_undo(moses, ada, htmx):
    url = f"{PLAYERS}{ada.pk}/"
    data = form(Player.objects.get(pk=ada.pk), note="They asked.", next=url)
    page = moses.post(f"{url}reveal/", data, htmx=htmx, follow=not htmx).text
    assert "are shown to you for 15 minutes." in page
    (entry,) = Entry.objects.filter(verb="player.reveal")
    assert entry.get_undo_url() not in page
