"""The worker that tells portals is killed in the middle of it: what was on its way comes again, with the same id."""

import pytest
from django.db.models import F

from console import verbs
from console.models import Attempt, Delivery, Event
from console.tests.receivers import Receiver, listening
from console.webhooks.testing import make_webhook
from moderation.testing import make_comment
from project.tests.rig import Rig, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
WORKER = "worker for webhooks"


@pytest.fixture
def rig(django_db_setup, django_db_blocker):
    settings = {"UNDO_WINDOW_S": 0, "WEBHOOK_ALLOW": "127.0.0.1/32", "WEBHOOK_PLAN_S": "0,2,2,2,2,2"}
    with django_db_blocker.unblock(), Rig(**settings) as rig:
        yield rig


def test_killed_in_the_middle_it_is_sent_again_and_nothing_is_left_out(rig):
    def slowly(handler):
        """Long enough for a worker to be killed while it waits for the answer."""
        import time

        time.sleep(0.3)
        handler.send_response(204)
        handler.end_headers()

    rig.start(WORKER)
    with listening(receiver := Receiver([slowly])) as port:
        make_webhook(url=f"http://127.0.0.1:{port}/")
        comments = [make_comment() for _ in range(20)]
        verbs.get("comment.approve")(comments, by=None)
        Event.objects.update(due_at=F("at"))
        for most in (3, 8):
            until(lambda most=most: len(receiver.seen) > most, "some are told")
            rig.kill(WORKER)
            rig.start(WORKER)
        until(lambda: Delivery.objects.filter(state=Delivery.DELIVERED).count() == 20, "all are told")
    ids = {str(pk) for pk in Event.objects.values_list("pk", flat=True)}
    assert set(receiver.ids) == ids
    assert len(receiver.ids) - len(ids) <= 2, "no more than what was on its way came twice"
    assert 1 <= Attempt.objects.filter(took_ms=None).count() <= 2
