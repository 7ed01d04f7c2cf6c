"""Dangerous things take somebody who has just said who they are, and are done once."""

import pytest

from console.models import Export, Gesture
from console.testing import PASSWORD, just_signed_in, undo_form

EXPORT, CONFIRM = "/manage/ledger/export/", "/accounts/reauthenticate/"


@pytest.fixture
def stale(lea):
    """Lea, who signed in eleven minutes ago."""
    lea.session_says(just_signed_in(lea.user, at=lea_signed_in()))
    return lea


def lea_signed_in():
    import time

    return time.time() - 11 * 60


def test_within_ten_minutes_nothing_is_asked(lea):
    assert lea.post(EXPORT, undo_form(format="csv")).status_code == 200


def test_later_it_is_asked_first_and_done_afterwards(stale):
    asked = stale.post(f"{EXPORT}?verb=comment.approve", undo_form(format="csv"))
    assert asked.status_code == 303
    assert asked["Location"].startswith(CONFIRM)
    assert not Export.objects.exists()
    page = stale.get(asked["Location"])
    assert "Is it still you?" in page.text
    done = stale.post(asked["Location"], {"password": PASSWORD})
    assert done["Content-Disposition"].startswith("attachment")
    assert Export.objects.count() == Gesture.objects.count() == 1


def test_looking_at_the_form_asks_nothing(stale):
    assert stale.get(EXPORT).status_code == 200


def test_htmx_is_led_to_the_page(stale):
    asked = stale.post(EXPORT, undo_form(format="csv"), htmx=True)
    assert asked.headers["HX-Redirect"].startswith(CONFIRM)


def test_a_wrong_password_does_nothing_and_the_right_one_then_does(stale):
    where = stale.post(EXPORT, undo_form(format="csv"))["Location"]
    assert stale.post(where, {"password": "wrong"}).status_code == 200
    assert not Export.objects.exists()
    stale.post(where, {"password": PASSWORD})
    assert Export.objects.count() == 1


def test_confirming_twice_does_it_once(stale):
    where = stale.post(EXPORT, undo_form(format="csv"))["Location"]
    stale.post(where, {"password": PASSWORD})
    again = stale.post(where, {"password": PASSWORD})
    assert again.status_code == 302
    assert Export.objects.count() == 1


def test_what_was_left_is_not_done_by_confirming_something_else(stale):
    stale.post(EXPORT, undo_form(format="csv"))
    stale.post(f"{CONFIRM}?next=/manage/comments/", {"password": PASSWORD})
    assert not Export.objects.exists()


def test_who_lost_the_permission_meanwhile_does_nothing(stale):
    where = stale.post(EXPORT, undo_form(format="csv"))["Location"]
    stale.user.groups.clear()
    assert stale.post(where, {"password": PASSWORD}).status_code == 403
    assert not Export.objects.exists()


def test_somebody_elses_password_is_nobodys(stale, moses):
    where = stale.post(EXPORT, undo_form(format="csv"))["Location"]
    moses.user.set_password("seven purple giraffes waltz")
    moses.user.save()
    stale.post(where, {"password": "seven purple giraffes waltz"})
    assert not Export.objects.exists()
