"""What reaches far takes two people, whichever way one goes about it. All over HTTP."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.utils import timezone

from console import roles
from console.models import Entry, Gesture, SignIn
from console.testing import Person as Browser
from console.testing import form, make_user, undo_form
from moderation import doors
from moderation.models import Ban, Comment
from moderation.testing import make_comment, make_network_ban

NEW = "/manage/bans/new/"
INSIDE = "203.0.113.30"


@pytest.fixture
def lou(db):
    return Browser(make_user("lou", roles.SENIOR))


@pytest.fixture
def colleague(moses):
    SignIn.objects.create(user=moses.user, ip=INSIDE)


def asked(person, network="203.0.113.0/24", **fields):
    data = undo_form(network=network, reason="spam", expires="7d", reject_pending="off") | fields
    response = person.post(NEW, data)
    assert response.status_code == 303, response.text
    return Ban.objects.latest("pk")


def do(person, ban, verb, **fields):
    ban.refresh_from_db()
    return person.post(f"{ban.get_absolute_url()}{verb}/", form(ban, **fields))


def undo(person, gesture=None):
    gesture = gesture or Gesture.objects.latest("at")
    return person.post(gesture.get_undo_url(), undo_form())


def banned():
    return bool(doors.check(INSIDE))


def test_a_ban_that_touches_a_colleague_waits_until_another_approves(colleague, lea, lou):
    comment = make_comment(ip=INSIDE)
    ban = asked(lea, reject_pending="on")
    assert (ban.state, ban.held, banned()) == ("waiting", True, False)
    assert "Needs a second person" in lou.get("/manage/bans/?status=waiting").text
    assert do(lea, ban, "approve").status_code == 403
    assert not banned()
    assert f"{ban.get_absolute_url()}approve/" not in lea.get("/manage/bans/?status=waiting").text
    assert f"{ban.get_absolute_url()}approve/" in lou.get("/manage/bans/?status=waiting").text
    assert do(lou, ban, "approve").status_code == 303
    ban.refresh_from_db()
    assert (ban.state, ban.approved_by, banned()) == ("active", lou.user, True)
    comment.refresh_from_db()
    assert comment.status == "rejected"
    undo(lou)
    comment.refresh_from_db()
    assert (banned(), comment.status) == (False, "pending")


def test_a_ban_of_many_in_good_standing_waits(lea, settings):
    settings.BAN_SECOND_PERSON_ABOVE = 2
    for place in range(2):
        make_comment(ip=f"203.0.113.{place}")
    assert asked(lea, "203.0.113.0/25").state == "active"
    make_comment(ip="203.0.113.200")
    assert asked(lea).state == "waiting"


def test_one_that_reaches_nobody_does_not_wait(lea):
    assert asked(lea).state == "active"


def test_undoing_the_undo_of_an_approval_is_approving(colleague, lea, lou):
    ban = asked(lea)
    do(lou, ban, "approve")
    undo(lou)
    assert undo(lea).status_code == 409
    assert not banned()
    assert undo(lou).status_code == 303
    assert banned()


def test_undoing_the_undo_of_asking_asks_again_and_no_more(colleague, lea):
    ban = asked(lea)
    undo(lea)
    undo(lea)
    ban.refresh_from_db()
    assert (ban.state, banned()) == ("waiting", False)


@pytest.mark.parametrize("took_back", [undo, lambda lea: do(lea, Ban.objects.get(), "lift")])
def test_what_was_taken_back_is_not_brought_back_and_approved_by_one(colleague, lea, lou, took_back):
    ban = asked(lea)
    took_back(lea)
    undo(lou)
    ban.refresh_from_db()
    do(lou, ban, "approve")
    assert not banned()


def test_a_request_that_another_lifted_by_mistake_comes_back(colleague, lea, lou):
    ban = asked(lea)
    do(lou, ban, "lift")
    assert undo(lou).status_code == 303
    ban.refresh_from_db()
    assert ban.state == "waiting"


def test_lengthening_takes_another(colleague, lea, lou):
    ban = asked(lea)
    do(lou, ban, "approve")
    assert do(lea, ban, "change", expires="30d").status_code == 403
    assert do(lou, ban, "change", expires="30d").status_code == 303
    assert do(lea, ban, "change", expires="1h").status_code == 303
    undo(lea)
    ban.refresh_from_db()
    assert ban.expires_at < timezone.now() + timedelta(hours=2)
    assert undo(lou, Gesture.objects.latest("at")).status_code == 303
    ban.refresh_from_db()
    assert ban.expires_at > timezone.now() + timedelta(days=29)


def test_what_was_lifted_comes_back_by_another_only(colleague, lea, lou):
    ban = asked(lea)
    do(lou, ban, "approve")
    do(lea, ban, "lift")
    assert undo(lea).status_code == 409
    assert not banned()
    assert undo(lou).status_code == 303
    assert banned()


def test_an_exception_that_holds_a_ban_in_bounds_is_lifted_by_another_only(colleague, lea, lou):
    exception = asked(lea, INSIDE, allow="on", expires="never")
    by_lea = Gesture.objects.latest("at")
    ban = asked(lea)
    assert (ban.state, banned()) == ("active", False)
    assert do(lea, exception, "lift").status_code == 403
    assert do(lea, exception, "change", expires="1h").status_code == 403
    assert undo(lea, by_lea).status_code == 409
    assert not banned()
    assert do(lou, exception, "lift").status_code == 303
    assert banned()


def test_nor_is_one_in_a_ban_that_begins_later(colleague, lea, lou):
    exception = asked(lea, INSIDE, allow="on", expires="never")
    by_lea = Gesture.objects.latest("at")
    starts = (timezone.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert not asked(lea, starts=starts).held
    assert do(lea, exception, "lift").status_code == 403
    assert undo(lea, by_lea).status_code == 409
    assert do(lou, exception, "lift").status_code == 303


def test_each_ban_around_an_exception_counts(colleague, lea):
    wide, middle = asked(lea, "203.0.112.0/23", allow="on", expires="never"), None
    asked(lea, "203.0.0.0/16")
    exception = asked(lea, INSIDE, allow="on", expires="never")
    middle = asked(lea)
    assert (wide.allow, middle.state, banned()) == (True, "active", False)
    assert do(lea, exception, "lift").status_code == 403
    assert not banned()


def test_an_exception_that_ends_first_holds_nothing_in_bounds(colleague, lea):
    data = undo_form(network=INSIDE, reason="spam", expires="1h", allow="on")
    assert lea.post(NEW, data).status_code == 303
    assert asked(lea).state == "waiting"


def test_a_ban_that_reaches_nobody_may_be_lengthened_and_brought_back_alone(lea):
    ban = asked(lea)
    assert do(lea, ban, "change", expires="30d").status_code == 303
    assert do(lea, ban, "lift").status_code == 303
    assert undo(lea).status_code == 303
    assert banned()


def test_what_changed_since_it_was_looked_at_is_not_approved_unseen(colleague, lea, lou):
    ban = asked(lea)
    seen = form(ban)
    do(lea, ban, "change", expires="never")
    response = lou.post(f"{ban.get_absolute_url()}approve/", seen)
    assert response.status_code == 409
    assert not banned()


def test_the_same_form_twice_is_one_ban(lea):
    data = undo_form(network="203.0.113.0/24", reason="spam", expires="7d")
    assert [lea.post(NEW, data).status_code for _ in range(2)] == [303, 303]
    assert Ban.objects.count() == 1
    assert Entry.objects.filter(verb="ban.lay").count() == 1
    assert lea.post(NEW, data | {"network": "203.0.112.0/24"}).status_code == 422
    assert Ban.objects.count() == 1


def test_the_same_network_is_banned_once(lea, lou):
    asked(lea)
    response = lou.post(NEW, undo_form(network="203.0.113.0/24", reason="spam", expires="7d", note="kept"))
    assert response.status_code == 409
    assert "There is the ban of 203.0.113.0/24 already, active" in response.text
    assert "kept" in response.text
    assert Ban.objects.count() == 1


WRONG = [
    ({"network": "nonsense"}, "is no address or network"),
    ({"network": ""}, "Write an address"),
    ({"network": "10.0.0.0/24"}, "private"),
    ({"reason": ""}, "Choose the reason"),
    ({"expires": "soon"}, "or give a moment to come"),
    ({"starts": "yesterday"}, "Give a moment within a year"),
    ({"starts": "2020-01-01T00:00"}, "Give a moment within a year"),
]


@pytest.mark.parametrize(("fields", "said"), WRONG)
def test_a_mistake_is_explained_and_nothing_typed_is_lost(lea, fields, said):
    data = undo_form(network="203.0.113.0/24", reason="spam", expires="7d", note="what I typed") | fields
    response = lea.post(NEW, data)
    assert response.status_code == 422
    assert said in response.text
    assert "what I typed" in response.text
    assert not Ban.objects.exists()


def test_ones_own_address_is_refused(lea):
    data = undo_form(network="198.51.100.0/24", reason="spam", expires="7d")
    assert "Your own address" in lea.post(NEW, data, REMOTE_ADDR="198.51.100.7").text
    assert not Ban.objects.exists()


def test_a_ban_that_begins_later_waits_by_itself_and_takes_nothing_along(lea):
    comment = make_comment(ip=INSIDE)
    starts = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    ban = asked(lea, starts=starts, reject_pending="on")
    assert (ban.state, banned()) == ("waiting", False)
    assert ban.expires_at - ban.starts_at == timedelta(days=7)
    comment.refresh_from_db()
    assert comment.status == "pending"
    Ban.objects.update(starts_at=timezone.now())
    assert banned()


def test_undo_brings_back_what_a_ban_of_a_network_rejected(lea, moses):
    kept, changed = make_comment(ip=INSIDE), make_comment(ip="203.0.113.31")
    other = make_comment(ip="203.0.112.1")
    asked(lea, reject_pending="on")
    laid = Gesture.objects.latest("at")
    statuses = lambda: dict(Comment.objects.values_list("pk", "status"))  # noqa: E731
    assert statuses() == {kept.pk: "rejected", changed.pk: "rejected", other.pk: "pending"}
    changed.refresh_from_db()
    moses.post(f"{changed.get_absolute_url()}approve/", form(changed))
    response = lea.post(laid.get_undo_url(), undo_form(), follow=True)
    assert f"Comment {changed.pk} has changed since" in response.text
    assert statuses() == {kept.pk: "pending", changed.pk: "approved", other.pk: "pending"}


def test_the_list_is_narrowed_and_searched(lea, moses):
    wide = make_network_ban("203.0.0.0/16")
    narrow = make_network_ban("203.0.113.7/32", expires_at=timezone.now() + timedelta(hours=3))
    exception = make_network_ban("198.51.100.0/24", allow=True)
    lifted = make_network_ban("192.0.2.0/24", lifted_at=timezone.now())
    expired = make_network_ban("192.0.2.8/32", expires_at=timezone.now() - timedelta(hours=3))
    player = Ban.objects.create(player=make_comment().player, reason="spam")
    later = make_network_ban("192.0.2.9/32", starts_at=timezone.now() + timedelta(hours=3))
    held = make_network_ban("192.0.2.10/32", held=True)

    def listed(query):
        page = moses.get(f"/manage/bans/?{query}").text
        return {ban for ban in Ban.objects.all() if f'data-item="ban-{ban.pk}"' in page}

    everything = set(Ban.objects.all())
    assert listed("") == {wide, narrow, exception, player}
    assert listed("status=all") == everything
    assert listed("status=waiting") == {later, held}
    assert listed("status=ending") == {narrow}
    assert listed("status=lifted") == {lifted}
    assert listed("status=expired") == {expired}
    assert listed("kind=exception") == {exception}
    assert listed("kind=player") == {player}
    assert listed("q=203.0.113.7") == {wide, narrow}
    assert listed("q=203.0.112.0/24") == {wide}
    assert listed(f"q={player.player.username}") == {player}
    assert listed("order=ending&status=all") == {narrow, expired}


@pytest.mark.parametrize("number", [3, 30])
def test_the_list_costs_the_same_for_few_and_for_many(lea, django_assert_max_num_queries, number):
    for _ in range(number):
        make_network_ban()
        Ban.objects.create(player=make_comment().player, reason="spam")
    lea.get("/manage/bans/")  # what badges ask for is remembered
    with django_assert_max_num_queries(6):
        lea.get("/manage/bans/?status=all&per=100")


def test_one_ban_costs_few_statements(lea, django_assert_max_num_queries):
    ban = make_network_ban(ip_network("203.0.113.0/24"))
    lea.get("/manage/bans/")  # what badges and flags ask for is remembered
    with django_assert_max_num_queries(8):
        page = lea.get(ban.get_absolute_url())
    assert "203.0.113.0/24" in page.text


def test_the_ledger_names_the_network(lea):
    ban = asked(lea)
    do(lea, ban, "lift")
    for page in (lea.get("/manage/ledger/"), lea.get("/manage/ledger/?target=203.0.113.0/24")):
        assert page.text.count("ban 203.0.113.0/24") >= 2
    assert "The ban of 203.0.113.0/24" in lea.get("/manage/bans/").text + undo(lea).text + lea.get("/manage/bans/").text


def test_a_ban_of_a_player_has_nothing_to_approve_and_says_so(lea):
    ban = Ban.objects.create(player=make_comment().player, reason="spam")
    assert lea.get(f"{ban.get_absolute_url()}approve/").status_code == 200
    assert do(lea, ban, "approve").status_code == 409


@pytest.mark.parametrize("width", [32, 24, 16])
def test_the_form_with_its_reach_costs_few_statements(lea, django_assert_max_num_queries, width):
    make_comment(ip="203.0.113.7")
    lea.get(NEW)
    with django_assert_max_num_queries(8):
        page = lea.get(f"{NEW}?network=203.0.113.7/{width}").text
    assert "staff sign-in" in page


def test_nobody_approves_what_would_lock_them_out(colleague, lea, lou):
    ban = asked(lea)
    ban.refresh_from_db()
    response = lou.post(f"{ban.get_absolute_url()}approve/", form(ban), REMOTE_ADDR="203.0.113.77")
    assert response.status_code == 403
    assert not banned()
