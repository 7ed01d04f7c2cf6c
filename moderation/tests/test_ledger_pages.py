"""The ledger as pages: who sees what, what it can be narrowed by, what an entry tells, and undo from there."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import ledger
from console.ledger import Origin
from console.models import Entry, Gesture, Personal
from console.testing import undo_form
from console.undo import undo
from moderation import actions
from moderation.models import Comment
from moderation.testing import make_comment, make_player

URL = "/manage/ledger/"


@pytest.fixture
def deeds(moses, lea):
    """Moses rejects three at once and bans Ada, Lea approves one; all by hand, from two networks."""
    office, home = Origin("r1", "203.0.113.7"), Origin("r2", "2001:db8::5")
    comments = [make_comment() for _ in range(3)]
    rejected = actions.reject(comments, by=moses.user, reason="spam", note="the same words thrice", origin=office)
    ada = make_player(username="ada")
    banned = actions.ban(ada, by=moses.user, reason="hate", origin=home, reject_pending=False)
    approved = actions.approve(make_comment(), by=lea.user, origin=office)
    names = {"rejected": rejected, "banned": banned, "approved": approved}
    return {name: outcome.gesture for name, outcome in names.items()} | {"comments": comments, "ada": ada}


def verbs_on(person, query=""):
    return [told.gesture.verb.rpartition(".")[2] for told in person.get(f"{URL}?{query}").context["rows"]]


def first(gesture):
    return gesture.entries.order_by("pk").first()


def page_of(gesture):
    return f"{URL}{first(gesture).pk}/"


def test_a_gesture_is_one_line_in_words(lea, deeds):
    html = lea.get(URL).text
    text = " ".join(re.sub(r"<[^>]+>", "", html).split())
    assert "moses rejected 3 comments" in text
    assert "reason Spam" in text
    assert "“the same words thrice”" in text
    assert "moses banned player ada" in text
    assert "with it 1 ban" in text
    assert page_of(deeds["rejected"]) in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["approve", "ban", "reject"]),
        ("order=oldest", ["reject", "ban", "approve"]),
        ("actor=moses", ["ban", "reject"]),
        ("actor=MOSES", ["ban", "reject"]),
        ("actor=le", ["approve"]),
        ("actor=nobody", []),
        ("actor=system", []),
        ("verb=player.ban", ["ban"]),
        ("reason=spam", ["reject"]),
        ("target=ada", ["ban"]),
        ("target=ADA", ["ban"]),
        ("target=bea", []),
        ("network=203.0.113.7", ["approve", "reject"]),
        ("network=203.0.113.0/24", ["approve", "reject"]),
        ("network=%3A%3Affff%3A203.0.113.7", ["approve", "reject"]),
        ("network=2001:db8::/32", ["ban"]),
        ("network=198.51.100.0/24", []),
        ("from=2001-01-01", ["approve", "ban", "reject"]),
        ("to=2001-01-01", []),
        ("q=ada", ["ban"]),
        ("q=moses", ["ban", "reject"]),
        ("q=banned", ["ban"]),
        ("q=2001:db8::5", ["ban"]),
        ("q=203.0.113.99/24", ["approve", "reject"]),
        ("status=stands", ["approve", "ban", "reject"]),
        ("status=undone", []),
    ],
)
def test_the_ledger_is_narrowed_and_sorted(ann, deeds, query, found):
    assert verbs_on(ann, query) == found


@pytest.mark.parametrize("spelling", ["{}", "comment {}", "comment:{}", "Comment #{}", "moderation.comment:{}"])
@pytest.mark.parametrize("name", ["target", "q"])
def test_a_target_is_found_by_any_spelling(ann, deeds, name, spelling):
    Comment.objects.filter(pk=deeds["comments"][0].pk).exists()
    for comment in deeds["comments"]:
        found = ann.get(URL, {name: spelling.format(comment.pk)}).context["rows"]
        assert deeds["rejected"] in [told.gesture for told in found]
    assert verbs_on(ann, f"{name}=comment+987654321") == []


def test_a_gesture_is_found_by_its_id(ann, deeds):
    for name in ("batch", "q"):
        assert verbs_on(ann, f"{name}={deeds['rejected'].pk}") == ["reject"]


def test_what_the_system_did_is_found(ann, deeds):
    actions.reject(make_comment(), by=None, reason="spam")
    assert verbs_on(ann, "actor=system") == ["reject"]
    assert "The system rejected" in re.sub(r"<[^>]+>", "", ann.get(URL).text)


def test_an_erased_name_finds_nothing(ann, deeds):
    Personal.objects.filter(subject=f"moderation.player:{deeds['ada'].pk}").delete()
    assert verbs_on(ann, "target=ada") == []
    assert f"player {deeds['ada'].pk}" in ann.get(URL).text


def test_undone_and_done_again(ann, moses, lea, deeds):
    undone = undo(deeds["banned"], by=lea.user).gesture
    assert verbs_on(ann, "status=undone") == ["ban"]
    assert "Undone by lea" in ann.get(URL).text
    undo(undone, by=lea.user)
    assert verbs_on(ann, "status=undone") == ["undo"]
    assert "ban" in verbs_on(ann, "status=stands")


@pytest.mark.parametrize(
    "query",
    [
        "status=odd",
        "from=yesterday",
        "from=2026-10-02&to=2026-10-01",
        "per=7",
        "network=nonsense",
        "network=203.0.113.0/99",
        "batch=17",
        "verb=comment.eat",
        "reason=odd",
    ],
)
def test_a_filter_without_sense_is_told_and_shows_nothing(ann, deeds, query):
    response = ann.get(f"{URL}?{query}")
    assert response.context["filter"].form.errors
    assert list(response.context["rows"]) == []
    assert ann.get(f"{URL}?{query}", htmx=True).status_code == 422
    assert ann.get(f"{URL}panel/?{query}").status_code == 200


@pytest.mark.parametrize("who", ["moses", "rita"])
def test_a_moderator_sees_only_what_they_did(request, deeds, who):
    person = request.getfixturevalue(who)
    mine = ["ban", "reject"] if who == "moses" else []
    assert verbs_on(person) == mine
    assert verbs_on(person, "actor=lea") == []
    assert verbs_on(person, f"batch={deeds['approved'].pk}") == []
    assert verbs_on(person, "q=approved") == []
    assert person.get(page_of(deeds["approved"])).status_code == 404
    assert person.get(page_of(deeds["banned"])).status_code == (200 if mine else 404)
    for path in (URL, page_of(deeds["approved"])):
        assert "approved" not in person.get(path, htmx=True).text


@pytest.mark.parametrize("who", ["lea", "ann", "olga"])
def test_others_see_all(request, deeds, who):
    person = request.getfixturevalue(who)
    assert verbs_on(person) == ["approve", "ban", "reject"]
    assert person.get(page_of(deeds["approved"])).status_code == 200


def many(by, number):
    for _ in range(number):
        actions.reject(make_comment(), by=by, reason="spam", note="why")


def queries(person, path):
    with CaptureQueriesContext(connection) as captured:
        assert person.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("query", ["", "target=ada", "actor=moses", "q=ada", "reason=spam", "network=203.0.113.7"])
def test_25_and_100_lines_cost_the_same_queries(lea, moses, deeds, query):
    many(moses.user, 70)
    path = f"{URL}?{query}" if query else f"{URL}?"
    queries(lea, path)
    assert queries(lea, f"{path}&per=25") == queries(lea, f"{path}&per=100") <= 8


def test_the_far_page_costs_the_same(lea, moses, deeds):
    many(moses.user, 60)
    page = lea.get(URL).context
    seen = [told.gesture.pk for told in page["rows"]]
    costs = []
    while page["more"]:
        costs.append(queries(lea, f"{URL}?{page['more']}"))
        page = lea.get(f"{URL}?{page['more']}").context
        seen += [told.gesture.pk for told in page["rows"]]
    assert seen == list(Gesture.objects.order_by("-at", "-id").values_list("pk", flat=True))
    assert len(costs) == 2
    assert max(costs) <= queries(lea, URL) <= 8


def test_new_lines_are_offered_by_the_poll(lea, deeds):
    seen = lea.get(URL).context["newest"]
    many(lea.user, 2)
    header = {"HTTP_HX_CURRENT_URL": f"http://testserver{URL}"}
    assert "2 new, load" in lea.get("/manage/live/", {"seen": seen}, htmx=True, **header).text


def test_an_entry_tells_all_about_itself(lea, deeds):
    text = lea.get(page_of(deeds["rejected"])).text
    for words in ("moses rejected", "203.0.113.7", "r1", "Spam", "the same words thrice", str(deeds["rejected"].pk)):
        assert words in text
    assert re.search(r"Status</th><td><bdi>pending</bdi></td><td><bdi>rejected</bdi>", text)
    assert "Done together: 3 entries" in text
    assert deeds["comments"][0].get_absolute_url() in text


def test_personal_values_are_shown_until_they_are_erased(lea, moses):
    player = make_player(username="ada")
    gesture, _ = ledger.open_gesture("player.warn", moses.user, None, [])
    act = ledger.Act(gesture, moses.user, note="secret words")
    act.change([player], username="bea")
    changed = re.compile("<td><bdi>(.*)</bdi></td><td><bdi>(.*)</bdi></td>")
    assert changed.search(lea.get(page_of(gesture)).text).groups() == ("ada", "bea")
    Personal.objects.all().delete()
    text = lea.get(page_of(gesture)).text
    assert changed.search(text).groups() == ("erased", "erased")
    assert "it has been erased" in text
    assert f"player {player.pk}" in text


def test_a_large_gesture_is_paged(lea, moses):
    gesture = actions.approve([make_comment() for _ in range(120)], by=moses.user).gesture
    page = lea.get(page_of(gesture))
    assert "Done together: 120 entries" in page.text
    seen = [each.pk for each, *_ in page.context["several"]]
    while further := page.context["further"]:
        page = lea.get(f"{page_of(gesture)}?after={further}")
        assert "Done together: 120 entries" in page.text
        seen += [each.pk for each, *_ in page.context["several"]]
    assert seen == list(gesture.entries.order_by("pk").values_list("pk", flat=True))


def test_an_entry_costs_the_same_however_much_was_done_with_it(lea, moses):
    small = actions.reject([make_comment(), make_comment()], by=moses.user, reason="spam", note="why").gesture
    large = actions.reject([make_comment() for _ in range(120)], by=moses.user, reason="spam", note="why").gesture
    lea.get(page_of(small))
    assert queries(lea, page_of(small)) == queries(lea, page_of(large)) <= 8


def chain(person, gesture):
    return [link.entry_id for link in person.get(page_of(gesture)).context["chain"]]


def test_the_chain_of_undo_is_shown_from_every_link(lea, deeds):
    links = [deeds["banned"]]
    for _ in range(4):
        links.append(undo(links[-1], by=lea.user).gesture)
    entries = [first(link).pk for link in links]
    for link in links:
        assert chain(lea, link) == entries
    queries(lea, page_of(links[0]))
    assert max(queries(lea, page_of(link)) for link in links) <= 8
    assert chain(lea, deeds["approved"]) == []


def test_a_moderator_sees_who_undid_it_without_a_way_in(moses, lea, deeds):
    undone = undo(deeds["banned"], by=lea.user).gesture
    text = moses.get(page_of(deeds["banned"])).text
    assert "lea undid that" in text
    assert f'href="{page_of(undone)}"' not in text


@pytest.mark.parametrize("htmx", [False, True])
def test_undo_from_the_page_of_an_entry_comes_back_to_it(moses, deeds, htmx):
    here = page_of(deeds["rejected"])
    assert f'action="{here}undo/"' in moses.get(here).text
    header = {"HTTP_HX_CURRENT_URL": f"http://testserver{here}"} if htmx else {}
    response = moses.post(f"{here}undo/", undo_form(next=here), htmx=htmx, **header)
    if htmx:
        assert response["HX-Retarget"] == "#item"
        text = response.text
    else:
        assert (response.status_code, response["Location"]) == (303, here)
        text = moses.get(here).text
    assert "moses undid that" in text
    assert f'action="{here}undo/"' not in text
    assert {comment.status for comment in Comment.objects.all()} == {"pending", "approved"}


def test_undo_is_offered_to_those_who_may(ann, moses, lea, deeds):
    here = page_of(deeds["approved"])
    assert "undo/" in lea.get(here).text
    assert "undo/" not in ann.get(here).text
    assert "undo/" not in ann.get(URL).text
    assert f"{here}undo/?next=" in lea.get(URL).text


def test_an_empty_ledger_says_why(lea, db):
    assert "Nothing was done yet" in lea.get(URL).text
    assert "No match for “neon”" in lea.get(f"{URL}?q=neon").text
    assert "Nothing matches these filters" in lea.get(f"{URL}?actor=lea").text


def test_a_cursor_that_is_none_of_ours_is_a_404(lea, deeds):
    for cursor in ("x", "2026-01-01~x", "~"):
        assert lea.get(f"{URL}?after={cursor}").status_code == 404
    assert lea.get(f"{page_of(deeds['rejected'])}?after=x").status_code == 200


def test_days_are_days_in_utc(ann, deeds):
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    assert verbs_on(ann, f"from={day}&to={day}") == ["approve", "ban", "reject"]
    assert verbs_on(ann, f"from={tomorrow}") == []


def test_every_entry_has_a_page(olga, moses, deeds):
    undo(deeds["banned"], by=moses.user)
    for entry in Entry.objects.all():
        assert olga.get(entry.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("said", ["fe80::1%25eth0", "fe80::1%25eth0/64", "[fe80::1%25eth0]"])
def test_a_zone_is_no_part_of_a_network(lea, deeds, said):
    for name in ("q", "network"):
        assert verbs_on(lea, f"{name}={said}") == []


def test_what_is_no_number_is_no_place_among_entries(lea, deeds):
    for odd in ("%C2%B2", "x", "%00", "9" * 30):
        assert lea.get(f"{page_of(deeds['rejected'])}?after={odd}").status_code == 200
