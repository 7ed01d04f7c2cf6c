"""Canned reasons: written by seniors, offered where they are meant for, the most given first."""

import re
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import verbs
from console.hot import HotCache
from console.models import Entry, Gesture
from console.testing import form, undo_form
from moderation import actions, reasons
from moderation.models import Reason
from moderation.testing import make_comment, make_game, make_player, make_reason

REASONS = "/manage/reasons/"
INSTALLED = ["spam", "scam", "abuse", "hate", "sexual", "personal", "other"]


def written(**fields):
    return undo_form(**{"code": "cheat", "label": "Cheating", "text": "No cheating, {player}.", "position": 5} | fields)


def offered(person, url):
    """Codes in the order of the form at that address."""
    return re.findall(r'type="radio" name="reason" value="(\w+)"', person.get(url).text)


def on(comment, verb="reject"):
    return f"/manage/comments/{comment.pk}/{verb}/"


def test_a_reason_that_is_added_is_offered_and_its_undo_takes_it_away(lea, moses):
    response = lea.post(f"{REASONS}new/", written(), follow=True)
    assert "The reason “Cheating” was added." in response.text
    comment = make_comment()
    assert offered(moses, on(comment)) == ["cheat", *INSTALLED]
    entry = Entry.objects.get(verb="reason.add")
    lea.post(entry.get_undo_url(), undo_form())
    assert offered(moses, on(comment)) == INSTALLED


def test_the_same_click_twice_adds_one_reason(lea):
    data = written()
    for said in ("was added", "was already added"):
        assert f"The reason “Cheating” {said}." in lea.post(f"{REASONS}new/", data, follow=True).text
    assert Reason.objects.filter(code="cheat").count() == Gesture.objects.count() == 1
    again = lea.post(f"{REASONS}new/", data | {"label": "Other words"})
    assert again.status_code == 422
    assert "Other words" in again.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"code": "spam"}, "There is a reason with this code already."),
        ({"code": "No Way"}, "Use small letters, digits, - and _ only."),
        ({"code": ""}, "Give the reason a code."),
        ({"label": "\u200b"}, "This name shows nothing."),
        ({"label": ""}, "Give the reason a name."),
        ({"text": "Hello {plyer}, stop."}, "“{plyer}” stands for nothing."),
        ({"text": "{player.email}"}, "“{player.email}” stands for nothing."),
        ({"text": "half a {brace"}, "“{” stands for nothing."),
        ({"verbs": ["comment.approve"]}, "There is no decision comment.approve that asks for a reason."),
        ({"position": "first"}, "Give a whole number."),
        ({"version": "x"}, "This form was out of date."),
    ],
)
def test_bad_input_is_said_and_nothing_typed_is_lost(lea, fields, words):
    response = lea.post(f"{REASONS}new/", written(**fields))
    assert response.status_code == 422
    assert words in response.text
    for name, value in written(**fields).items():
        if name in ("text", "position") and isinstance(value, str):
            assert value in response.text
    assert not Reason.objects.filter(code="cheat").exists()
    assert Gesture.objects.count() == 0


def test_an_edit_keeps_the_code_and_is_undone_field_by_field(lea):
    reason = Reason.objects.get(code="spam")
    page = lea.get(f"{REASONS}{reason.pk}/edit/").text
    assert 'value="Spam or advertising"' in page
    assert "This was removed as advertising." in page
    data = form(reason, code="junk", label="Junk", text="Junk, {player}.", position=3, verbs=["player.warn"])
    assert lea.post(f"{REASONS}{reason.pk}/edit/", data).status_code == 303
    reason.refresh_from_db()
    assert (reason.code, reason.label, reason.verbs, reason.version) == ("spam", "Junk", ["player.warn"], 1)
    lea.post(Entry.objects.get().get_undo_url(), undo_form())
    reason.refresh_from_db()
    assert (reason.label, reason.verbs, reason.position) == ("Spam or advertising", [], 10)


def test_an_edit_that_changes_nothing_is_said_to(lea):
    reason = make_reason(text="as it is")
    data = form(reason, label=reason.label, text="as it is", position=reason.position)
    response = lea.post(f"{REASONS}{reason.pk}/edit/", data)
    assert response.status_code == 409
    assert "this is how it stands already" in response.text
    assert Entry.objects.count() == 0


def test_two_seniors_do_not_write_over_each_other(lea, olga):
    reason = make_reason()
    seen = form(reason, label="Hers", text="", position=1)
    assert olga.post(f"{REASONS}{reason.pk}/edit/", form(reason, label="First", text="", position=1)).status_code == 303
    response = lea.post(f"{REASONS}{reason.pk}/edit/", seen)
    assert response.status_code == 409
    assert "olga edited this reason" in response.text
    assert 'value="Hers"' in response.text


def test_a_button_on_the_page_swaps_it_and_a_stale_one_tells_the_truth(lea, olga):
    reason = make_reason()
    here = f"{REASONS}{reason.pk}/"
    done = lea.post(f"{here}retire/", form(reason, next=here), htmx=True)
    assert (done.status_code, done["HX-Retarget"]) == (200, "#item")
    assert "Restore" in done.text
    stale = olga.post(f"{here}retire/", form(reason, next=here), htmx=True)
    assert stale.status_code == 409
    assert "lea retired this reason" in stale.text


def test_a_retired_reason_is_not_offered_nor_taken_and_old_decisions_keep_it(lea, moses):
    reason, comment, decided = Reason.objects.get(code="spam"), make_comment(), make_comment()
    actions.reject(decided, by=moses.user, reason="spam")
    assert lea.post(f"{REASONS}{reason.pk}/retire/", form(reason)).status_code == 303
    assert "spam" not in offered(moses, on(comment))
    refused = moses.post(on(comment), form(comment, reason="spam"))
    assert refused.status_code == 422
    assert "This reason is not on the list any more." in refused.text
    assert "Spam or advertising" in moses.get(f"/manage/comments/{decided.pk}/").text
    reason.refresh_from_db()
    lea.post(f"{REASONS}{reason.pk}/restore/", form(reason))
    assert offered(moses, on(comment)) == INSTALLED


def test_one_reason_for_everything_has_to_stay(lea):
    for code in INSTALLED[1:]:
        actions.retire(Reason.objects.get(code=code), by=lea.user)
    spam = Reason.objects.get(code="spam")
    for verb, fields in (("retire", {}), ("edit", {"label": "x", "position": 1, "verbs": ["player.warn"]})):
        response = lea.post(f"{REASONS}{spam.pk}/{verb}/", form(spam, **fields))
        assert response.status_code == 409
        assert "one reason that fits everything has to stay in use" in response.text
    spam.refresh_from_db()
    assert (spam.is_active, spam.verbs) == (True, [])


def test_a_form_offers_what_is_meant_for_its_verb(moses):
    make_reason(code="warned", verbs=["player.warn", "player.ban"], position=1)
    player = make_player()
    assert offered(moses, on(make_comment())) == INSTALLED
    for verb in ("warn", "ban"):
        assert offered(moses, f"/manage/players/{player.pk}/{verb}/") == ["warned", *INSTALLED]
    bulk = moses.post("/manage/comments/bulk/", {"verb": "comment.reject", "ask": "1", "selected": "1:0"})
    assert 'value="warned"' not in bulk.text


def test_the_most_given_by_the_team_for_this_verb_comes_first(moses, lea):
    for person, code in ((moses, "hate"), (lea, "hate"), (moses, "scam")):
        actions.reject(make_comment(), by=person.user, reason=code)
    actions.reject([make_comment() for _ in range(9)], by=moses.user, reason="abuse")  # one choice, not nine
    actions.warn(make_player(), by=moses.user, reason="other")
    comment = make_comment()
    assert offered(moses, on(comment)) == INSTALLED, "nobody has counted yet"
    reasons.count()
    assert offered(moses, on(comment)) == ["hate", "scam", "abuse", "spam", "sexual", "personal", "other"]
    assert offered(moses, f"/manage/players/{comment.player_id}/warn/")[0] == "other"
    assert "given 2 times in 30 days" in lea.get(REASONS).text
    assert "<dd>2</dd>" in lea.get(f"{REASONS}{Reason.objects.get(code='hate').pk}/").text


def test_what_was_given_long_ago_counts_no_more(moses, monkeypatch):
    actions.reject(make_comment(), by=moses.user, reason="hate")
    monkeypatch.setattr("django.utils.timezone.now", lambda: Entry.objects.get().at + timedelta(days=31))
    assert reasons.count() == {}


def test_without_redis_the_order_is_that_of_the_list(moses, monkeypatch):
    actions.reject(make_comment(), by=moses.user, reason="hate")
    reasons.count()
    monkeypatch.setattr(HotCache, "asleep_until", float("inf"))
    assert offered(moses, on(make_comment())) == INSTALLED
    assert "not counted yet" in moses.get(REASONS).text


def test_a_form_asks_once_for_reasons_and_never_for_entries(moses):
    reasons.count()
    moses.get(on(make_comment()))
    with CaptureQueriesContext(connection) as queries:
        moses.get(on(make_comment()))
    asked = [query["sql"] or "" for query in queries]
    assert sum("moderation_reason" in sql for sql in asked) == 1
    assert not any("console_entry" in sql for sql in asked)


def test_the_list_takes_as_many_queries_for_25_reasons_as_for_50(lea):
    def number():
        with CaptureQueriesContext(connection) as queries:
            lea.get(REASONS)
        return len(queries)

    [make_reason() for _ in range(25)]
    lea.get(REASONS)
    few = number()
    [make_reason() for _ in range(25)]
    assert number() == few <= 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hi {player}, in {game}.", "Hi ada, in Neon Drift."),
        ("{{player}}", "{ada}"),
        ("{player.password}", "{player.password}"),
        ("100 % of {game}", "100 % of Neon Drift"),
    ],
)
def test_variables_are_replaced_and_nothing_else(db, text, said):
    comment = make_comment(player=make_player(username="ada"), game=make_game(title="Neon Drift"))
    assert reasons.filled(text, comment) == said


def test_a_name_that_looks_like_a_variable_stays_a_name(db):
    comment = make_comment(player=make_player(username="{game}"), game=make_game(title="Neon Drift"))
    assert reasons.filled("{player}", comment) == "{game}"
    assert reasons.filled("{player} in {game}") == "the player in the game"
    assert reasons.filled("{player} in {game}", comment.player) == "{game} in the game"


def test_the_form_shows_what_this_player_may_be_told(moses):
    make_reason(text="Stop it, {player}. It is only {game}.", position=1)
    comment = make_comment(player=make_player(username="<b>ada"), game=make_game(title="Neon Drift"))
    page = moses.get(on(comment)).text
    told = re.search(r'aria-describedby="(\w+)"', page)[1]
    words = re.search(rf'id="{told}"[^>]*>(.*?)</p>', page)[1]
    assert words == "The player may be told: “Stop it, &lt;b&gt;ada. It is only Neon Drift.”"


def test_every_verb_that_asks_for_a_reason_can_be_chosen(lea):
    page = lea.get(f"{REASONS}new/").text
    for name, words in reasons.verbs_that_ask():
        assert f'value="{name}"' in page
        assert words in page
    assert {"comment.reject", "player.ban", "player.warn"} <= {name for name, _ in reasons.verbs_that_ask()}
    assert verbs.get("comment.approve") not in dict(reasons.verbs_that_ask())


def test_who_may_not_change_reasons_is_offered_no_way_to(moses, lea):
    reason, comment = make_reason(), make_comment()
    for person, there in ((moses, False), (lea, True)):
        assert ("Add a reason" in person.get(REASONS).text) is there
        assert ("/edit/" in person.get(f"{REASONS}{reason.pk}/").text) is there
        assert ("Change this list" in person.get(on(comment)).text) is there
        assert (f'href="{REASONS}"' in person.get("/manage/").text) is there


def test_emergency_access_changes_no_reason(olga):
    assert olga.get("/admin/moderation/reason/add/").status_code == 403


def test_counts_are_kept_for_a_day(moses):
    reasons.count()
    assert 3600 < caches["hot"].ttl(reasons.KEY) <= reasons.KEPT_S


def test_a_ban_of_a_network_is_offered_what_is_meant_for_it_alone(lea):
    form = "/manage/bans/new/"
    make_reason(code="rude", verbs=["comment.reject"])
    make_reason(code="proxy", verbs=["ban.lay"], position=0)
    assert offered(lea, form) == ["proxy", *INSTALLED]
    sent = undo_form(network="203.0.113.7", expires="7d", reason="rude")
    assert lea.post(form, sent).status_code == 422
    assert "Bans: Ban network" in lea.get(f"{REASONS}new/").text
