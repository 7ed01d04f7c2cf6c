"""Staff: who there is, what each did in the last 30 days, day by day, and how much of it was undone by whom."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console import records, roles
from console.models import Gesture
from console.testing import Person, make_user
from console.undo import undo
from moderation import actions
from moderation.testing import make_comment, make_player

URL = "/manage/staff/"


def logins(person, query=""):
    return [each.username for each in person.get(f"{URL}?{query}").context["rows"]]


def page_of(person):
    return f"{URL}{person.user.pk}/"


def plain(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


def approve(by, number=1):
    return [actions.approve(make_comment(), by=by.user).gesture for _ in range(number)]


def reject(by, number=1):
    return [actions.reject(make_comment(), by=by.user, reason="spam").gesture for _ in range(number)]


def queries(person, path):
    with CaptureQueriesContext(connection) as captured:
        assert person.get(path).status_code == 200
    return len(captured)


def test_staff_are_listed_by_login_whatever_they_did(lea, moses, rita, ann, nora):
    approve(moses, 3)
    assert logins(lea) == ["ann", "lea", "moses", "rita"]
    text = plain(lea.get(URL))
    assert "moses Moderator, moses 3 decisions in 30 days last active just now" in text
    assert "ann Auditor, ann 0 decisions in 30 days nothing on record" in text


@pytest.mark.parametrize(("words", "found"), [("mos", ["moses"]), ("MOSES", ["moses"]), ("ada lov", ["l1"]), ("x", [])])
def test_staff_are_searched_by_login_and_name(lea, moses, words, found):
    make_user("l1", first_name="Ada", last_name="Lovelace")
    assert logins(lea, f"q={words}") == found


def test_moderators_and_publishers_see_themselves_only(moses, rita, lea):
    for person, other in ((moses, lea), (rita, moses)):
        assert logins(person) == [person.user.username]
        assert person.get(page_of(person)).status_code == 200
        assert person.get(page_of(other)).status_code == 404
        assert person.get(f"{page_of(other)}", htmx=True).status_code == 404


@pytest.mark.parametrize("who", ["lea", "ann", "olga"])
def test_others_see_everybody(request, moses, who):
    person = request.getfixturevalue(who)
    assert "moses" in logins(person)
    assert person.get(page_of(moses)).status_code == 200


def test_the_timeline_tells_each_gesture_in_a_line(lea, moses):
    player = make_player(username="ada")
    actions.ban(player, by=moses.user, reason="spam", note="three links", reject_pending=False)
    actions.reject([make_comment() for _ in range(47)], by=moses.user, reason="abuse")
    text = plain(lea.get(page_of(moses)))
    assert re.search(r"\d\d:\d\d rejected 47 comments , reason Abuse or bullying", text)
    assert re.search(r"\d\d:\d\d banned player ada , reason Spam or advertising “three links”", text)
    assert text.count(f"{timezone.now():%A}") == 1


def test_the_timeline_is_grouped_by_day_and_ends_after_30(committed_db):
    lea, moses = (Person(make_user(name, role)) for name, role in (("lea", roles.SENIOR), ("moses", roles.MODERATOR)))
    now = timezone.now()
    for back in (0, 3, 29, 31):
        did(moses.user, now - timedelta(days=back))
    days = lea.get(page_of(moses)).context["days"]
    assert [(day, len(several)) for day, several in days] == [
        ((now - timedelta(days=back)).date(), 1) for back in (0, 3, 29)
    ]
    assert records.of_several([moses.user.pk])[moses.user.pk].number == 3


def did(user, at):
    """A decision in the past, which only the owner of the tables may write."""
    key = uuid.uuid4()
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO console_gesture (id, at, actor_id, verb, idempotency_key, fingerprint) "
            "VALUES (%s, %s, %s, 'comment.approve', %s, '')",
            [key, at, user.pk, key],
        )
        cursor.execute(
            "INSERT INTO console_entry (at, actor_id, verb, target_type, target_id, target_label, reason, note, "
            "batch_id, before, after, request_id, ip) "
            "VALUES (%s, %s, 'comment.approve', 'moderation.comment', 1, '', '', '', %s, '{}', '{}', '', '')",
            [at, user.pk, key],
        )


def test_long_timelines_are_paged_without_gaps(lea, moses):
    approve(moses, 70)
    page = lea.get(page_of(moses))
    seen = [told.gesture.pk for _, several in page.context["days"] for told in several]
    assert len(seen) == 50
    page = lea.get(page_of(moses), {"after": page.context["following"]})
    seen += [told.gesture.pk for _, several in page.context["days"] for told in several]
    assert seen == list(Gesture.objects.order_by("-at", "-id").values_list("pk", flat=True))
    assert not page.context["following"]
    assert lea.get(page_of(moses), {"after": "nonsense"}).status_code == 404


def test_the_share_that_was_undone_says_by_whom(lea, moses):
    gestures = approve(moses, 6) + reject(moses, 4)
    undo(gestures[0], by=moses.user)
    undo(gestures[1], by=lea.user)
    undo(gestures[9], by=lea.user)
    undo(undo(gestures[2], by=lea.user).gesture, by=lea.user)  # stands again
    text = plain(lea.get(page_of(moses)))
    assert "3 of 10 decisions were undone (30 %): 1 by themselves, 2 by others." in text
    assert "Approve 6 Reject 4 Undo 1" in text
    assert "10 decisions in 30 days, 30 % undone" in plain(lea.get(URL))


def test_the_picture_has_its_table(lea, moses):
    approve(moses, 2)
    reject(moses)
    text = lea.get(page_of(moses)).text
    assert 'aria-label="Decisions per day: 3 in all, at most 3 on one day."' in text
    assert re.search(r"<td>2</td><td>1</td><td>3</td>", text)


def test_an_export_is_no_decision(lea, moses):
    approve(lea)
    lea.post("/manage/ledger/export/", {"format": "csv"})
    record = records.of_one(lea.user)
    assert (record.number, record.per_verb) == (1, [("Approve", 1)])
    assert "exported list of ledger entries as CSV" in plain(lea.get(page_of(lea)))


def test_nobody_did_nothing_is_said_kindly(lea, ann):
    text = plain(lea.get(page_of(ann)))
    assert "No decision in these days." in text
    assert "Nothing was done in these days." in text


def test_25_and_100_people_cost_the_same_queries(lea, moses):
    for number in range(100):
        approve(Person(make_user(f"m{number}", roles.MODERATOR)))
    queries(lea, URL)
    assert queries(lea, f"{URL}?per=25") == queries(lea, f"{URL}?per=100") <= 8


def test_a_timeline_costs_the_same_however_much_was_done(lea, moses):
    reject(moses, 60)
    reject(lea)
    queries(lea, page_of(moses))
    assert queries(lea, page_of(moses)) == queries(lea, page_of(lea)) <= 8


def test_a_cursor_that_no_text_can_hold_is_none_of_ours(lea):
    for odd in ("%00", "a%2500b"):
        assert lea.get(f"/manage/staff/?after={odd}").status_code == 404
