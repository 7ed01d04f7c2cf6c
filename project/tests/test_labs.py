"""Labs: who has a piece and since when, what switches stop, and what is on record of both."""

import pytest
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.template import Context, Template
from django.urls import reverse
from waffle import flag_is_active

from console import decisions, flags, hot
from console.labs import actions, drawing, state
from console.models import Choice, Entry, Flag, Switch
from console.testing import make_user, undo_form
from console.undo import may_undo

LABS, QUEUE = "/manage/labs/", "/manage/comments/"


@pytest.fixture(autouse=True)
def _told_at_once(monkeypatch):
    """Tests never commit, so what follows on commit follows at once."""
    for model in (Flag, Choice, Switch):
        monkeypatch.setattr(model, "after_change", classmethod(lambda cls, rows: state.forget()))


def flag(name=flags.KEY_LINE):
    return Flag.objects.get(name=name)


def move(person, stage, groups=(), share="", row=None, **more):
    row = row or flag()
    sent = undo_form(version=row.version, stage=stage, groups=list(groups), share=share, **more)
    return person.post(f"{row.get_absolute_url()}stage/", sent)


def choose(person, word, seen=0):
    return person.post(reverse(f"console:flag_{word}", args=[flag().pk]), undo_form(version=seen))


def flip(person, name, **more):
    row = Switch.objects.get(name=name)
    return person.post(f"{row.get_absolute_url()}flip/", undo_form(version=row.version, **more))


def has_it(person):
    return 'class="meta key-line"' in person.get(QUEUE).text


def test_a_piece_is_off_until_somebody_switches_it_on_for_themselves(moses, lea):
    assert not has_it(moses)
    assert choose(moses, "join").status_code == 303
    assert has_it(moses)
    assert not has_it(lea)
    assert "You switched it on." in moses.get(LABS).text
    assert choose(moses, "leave", seen=1).status_code == 303
    assert not has_it(moses)
    assert [entry.after for entry in Entry.objects.order_by("pk")] == [{"wanted": True}, {"wanted": False}]


def test_undo_takes_back_what_one_chose(moses):
    choose(moses, "join")
    entry = Entry.objects.get()
    assert "“Key line”" in moses.get("/manage/ledger/").text
    assert moses.post(entry.get_undo_url(), undo_form(next=LABS)).status_code == 303
    assert Choice.objects.get().wanted is None
    assert not has_it(moses)


def test_the_same_click_twice_is_one_choice(moses):
    sent = undo_form()
    for _ in range(2):
        assert moses.post(reverse("console:flag_join", args=[flag().pk]), sent).status_code == 303
    assert (Entry.objects.count(), Choice.objects.count()) == (1, 1)


def test_nobody_chooses_about_a_piece_that_is_off_for_everybody(moses, olga):
    move(olga, flags.OFF)
    response = choose(moses, "join")
    assert response.status_code == 409
    assert "not for you to switch just now" in response.text
    assert not Choice.objects.exists()
    assert "Switch on" not in moses.get(LABS).text.partition("Bulk actions")[0]


def test_a_group_has_it_and_who_does_not_want_it_switches_it_off(moses, lea, olga):
    move(olga, flags.GROUPS, ["Moderator"])
    assert (has_it(moses), has_it(lea)) == (True, False)
    assert "On for you by your group Moderator." in moses.get(LABS).text
    choose(moses, "leave")
    assert not has_it(moses)


def test_everyone_has_it_whatever_they_chose(moses, olga):
    choose(moses, "leave")
    move(olga, flags.EVERYONE)
    assert has_it(moses)


def test_a_share_grows_and_takes_nobody_back(olga):
    people = [make_user(f"kit{number}", "Moderator") for number in range(60)]
    had = set()
    for share in (10, 40, 70, 100):
        move(olga, flags.SHARE, share=share)
        facts = flag().facts
        has = {person.pk for person in people if flags.decide(facts, flags.KEY_LINE, person).on}
        assert has >= had
        assert abs(len(has) - share * 0.6) < 15
        had = has
    assert len(had) == 60


def test_two_pieces_have_shares_of_different_people():
    class Person:
        def __init__(self, pk):
            self.pk = pk

    places = [[flags.place_of(name, Person(pk)) for pk in range(200)] for name in (flags.KEY_LINE, flags.BULK_ACTIONS)]
    chosen = [{pk for pk, place in enumerate(each) if place < 50} for each in places]
    assert len(chosen[0] & chosen[1]) < 0.8 * len(chosen[0])


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"stage": "groups"}, "Tick at least one group"),
        ({"stage": "share"}, "Give a share of 1 to 100 percent"),
        ({"stage": "share", "share": "lots"}, "Give a whole number from 0 to 100."),
        ({"stage": "sideways"}, "There is no stage sideways."),
        ({}, "Choose a stage."),
    ],
)
def test_a_stage_that_makes_no_sense_is_refused_and_the_note_is_kept(olga, sent, words):
    response = move(olga, **{"stage": "", "share": ""} | sent, note="Because of the queue")
    assert response.status_code == 422
    assert words in response.text
    assert "Because of the queue" in response.text
    assert not Entry.objects.exists()


def test_a_stage_somebody_else_moved_meanwhile_is_a_conflict(olga):
    row = flag()
    move(olga, flags.EVERYONE)
    response = move(olga, flags.OFF, row=row, note="All of it")
    assert response.status_code == 409
    assert "All of it" in response.text
    assert flag().stage == flags.EVERYONE


def test_moving_to_where_it_is_leaves_no_entry(olga):
    move(olga, flags.OPT_IN)
    assert not Entry.objects.exists()


def test_an_undone_move_holds_at_once(moses, olga):
    move(olga, flags.EVERYONE)
    assert has_it(moses)
    assert olga.post(Entry.objects.get().get_undo_url(), undo_form(next=LABS)).status_code == 303
    assert not has_it(moses)


def test_seniors_undo_what_colleagues_chose_and_nothing_that_operators_decide(lea, olga):
    move(olga, flags.EVERYONE)
    assert not may_undo(lea.user, Entry.objects.get().batch)
    assert lea.post(Entry.objects.get().get_undo_url(), undo_form(next=LABS)).status_code == 403
    assert flag().stage == flags.EVERYONE


def test_a_decision_is_made_once_for_a_request(rf, moses, django_assert_num_queries):
    choose(moses, "join")
    request = rf.get("/")
    request.user = moses.user
    moses.user.group_names  # noqa: B018
    state.current()
    with django_assert_num_queries(0):
        assert flags.is_on(request, flags.KEY_LINE)
        assert not flags.is_on(request, flags.BULK_ACTIONS)
    assert request.decided_flags == {flags.KEY_LINE: True, flags.BULK_ACTIONS: False}
    choose(moses, "leave", seen=1)
    assert flags.is_on(request, flags.KEY_LINE), "what was decided stays so to the end of the request"


def test_waffles_own_words_ask_the_one_decision(rf, moses):
    choose(moses, "join")
    request = rf.get("/")
    request.user = moses.user
    assert flag_is_active(request, flags.KEY_LINE)
    assert request.decided_flags == {flags.KEY_LINE: True}


def test_a_template_asks_by_the_tag(rf, moses):
    choose(moses, "join")
    request = rf.get("/")
    request.user = moses.user
    drawn = Template('{% flag "key_line" as on %}{{ on }}').render(Context({"request": request}))
    assert drawn == "True"


def test_without_redis_the_next_request_sees_a_change_too(moses, olga, monkeypatch):
    monkeypatch.setattr(hot.HotCache, "_ask", lambda self, method, absent, *args, **kwargs: absent)
    assert not has_it(moses)
    move(olga, flags.EVERYONE)
    assert has_it(moses)


def test_a_slow_reader_does_not_put_back_how_things_stood(db):
    """It read before a change, and comes to keep that after it."""
    state.current()
    mark = caches["hot"].get(state.MARK)
    before = state._read()
    Flag.objects.filter(name=flags.KEY_LINE).update(stage=flags.EVERYONE)
    state.forget()
    caches["hot"].set(state.KEPT, (mark, before), 60)
    assert state.current().flags[flags.KEY_LINE].stage == flags.EVERYONE


def test_who_has_a_piece_is_listed_with_why_a_page_at_a_time(olga, lea):
    for number in range(drawing.ON_A_PAGE + 1):
        make_user(f"kit{number:02}", "Moderator")
    choose(lea, "join")
    move(olga, flags.GROUPS, ["Moderator"])
    url = flag().get_absolute_url()
    page = olga.get(url)
    assert "Who has it: 27 of 28" in page.text
    assert "in the group Moderator" in page.text
    assert "kit25" not in page.text
    later = olga.get(url, {"after": page.context["reach"].after}).text
    assert "kit25" in later
    assert "switched it on for themselves" in later


def test_a_page_of_who_has_it_takes_the_same_queries_for_2_and_for_20(olga, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    move(olga, flags.EVERYONE)
    numbers = []
    for more in (2, 18):
        for _ in range(more):
            make_user(f"kit{len(numbers)}{more}{Group.objects.count()}{_}", "Moderator", "Beta")
        olga.get(flag().get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            olga.get(flag().get_absolute_url())
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]


def test_auditors_read_all_of_labs_and_have_no_button(ann):
    page = ann.get(LABS).text
    assert "Take no new builds" in page
    assert "<form" not in page.partition('id="results"')[2]
    assert "Flip" not in ann.get(Switch.objects.first().get_absolute_url()).text.partition('id="item"')[2]


def test_moderators_see_what_they_can_switch_and_nothing_of_the_rest(moses):
    page = moses.get(LABS).text
    assert "Key line" in page
    assert "Take no new builds" not in page


def test_a_flag_tells_how_requests_fare_with_it_on_and_off(olga, moses, lea):
    choose(moses, "join")
    for person in (moses, moses, lea):
        person.get(QUEUE)
    (on, having), (off, without) = olga.get(flag().get_absolute_url()).context["health"]
    assert (on, having.requests, off, without.requests) == ("On", 2, "Off", 1)


def test_the_verbs_on_flags_name_their_permissions():
    assert actions.join.permission == "console.join_flag"
    assert {verb.permission for verb in actions.BY_HAND} == {"console.manage_flags"}


def test_what_staff_do_in_labs_is_no_decision_about_the_portal(olga):
    move(olga, flags.EVERYONE)
    assert Entry.objects.filter(verb="flag.stage").count() == 1
    assert decisions.chart()["series"] == []
