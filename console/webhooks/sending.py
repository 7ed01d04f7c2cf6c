"""From the outbox to the endpoints: `dispatch` gives each due event's deliveries to those who want it, once, and a job
for each endpoint sends what waits for it, so that a slow one holds up nobody else.

A try is counted, and the next one planned, before anything is sent: a worker that is killed has sent it again by plan.
"""

import json
import logging
import random
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from console import atrest, flags, jobs, live, meter, news, outbox, prepared
from console.models import Attempt, Delivery, Job, Webhook
from console.webhooks import actions, signing
from console.webhooks.client import Answer, Line

log = logging.getLogger("attendant.webhooks")
KIND, QUEUE = "console.tell_endpoint", "webhooks"
SECONDS = 20  # a job sends for so long, then the next goes on
BATCH, AT_A_TIME = 1000, 50  # events given out, and deliveries described, by one round of statements
JITTER = 0.1
BUSY = (429, 502, 503, 504)  # it asks to be left in peace
REST_S, REST_MOST_S = 5, 600
FAILING = timedelta(days=5)  # after so long without success it is disabled,
STUBBORN = 20  # when a message's last try failed, or so many in a row: one failure long ago is none
UNREADABLE = "Its secret cannot be read any more, because SECRET_KEY has changed. Make a new secret."
stopping = threading.Event()  # the worker ends: what is left waits for the next

# events in the order in which due ones are handed over (console.outbox.due), one round at a time
_DISPATCH = """
    WITH due AS (
        SELECT id, entry_id, name, at, due_at FROM console_event
        WHERE withdrawn_at IS NULL AND dispatched_at IS NULL AND due_at <= clock_timestamp()
            AND xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY due_at, entry_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ), told AS (
        UPDATE console_event SET dispatched_at = clock_timestamp() FROM due WHERE console_event.id = due.id
    ), made AS (
        INSERT INTO console_delivery (webhook_id, event_id, message, state, error)
        SELECT webhook.id, due.id, due.id,
            CASE WHEN is_active THEN 'waiting' ELSE 'failed' END, CASE WHEN is_active THEN '' ELSE %(disabled)s END
        FROM due JOIN console_webhook AS webhook
            ON added_at <= due.at AND removed_at IS NULL AND (events = '[]' OR events ? due.name)
        ORDER BY due.due_at, due.entry_id, webhook.id
        ON CONFLICT DO NOTHING
    )
    SELECT coalesce(array_agg(id), '{}') FROM due
"""
_IDLE = """
    SELECT id FROM console_webhook AS webhook
    WHERE is_active AND added_at IS NOT NULL AND removed_at IS NULL
        AND (resting_until IS NULL OR resting_until <= clock_timestamp())
        AND EXISTS (
            SELECT FROM console_delivery
            WHERE webhook_id = webhook.id AND state = 'waiting' AND next_at <= clock_timestamp()
        )
        AND NOT EXISTS (
            SELECT FROM console_job
            WHERE state IN ('queued', 'running') AND kind = %s AND (args ->> 'webhook')::bigint = webhook.id
        )
    ORDER BY id
"""
# a try is three statements, of which these are two: counted with what it will be known by, and taken well. That is not
# noted of the endpoint at every success: nobody needs to know it more exactly than to some seconds
_BEGIN = """
    WITH mine AS (
        UPDATE console_delivery SET attempts = attempts + 1, tries = tries + 1,
            next_at = statement_timestamp() + make_interval(secs => %s)
        FROM console_webhook AS webhook
        WHERE webhook.id = webhook_id AND is_active AND removed_at IS NULL AND added_at IS NOT NULL
            AND console_delivery.id = %s AND state = 'waiting' AND attempts = %s
            AND next_at <= statement_timestamp()
        RETURNING console_delivery.id, attempts
    )
    INSERT INTO console_attempt (delivery_id, number, answer, error, replayed_by_id)
    SELECT id, attempts, '', '', %s FROM mine RETURNING id
"""
_TAKEN = """
    WITH tried AS (
        UPDATE console_attempt SET answer = %s, took_ms = %s, code = %s, error = '' WHERE id = %s
    ), mine AS (
        UPDATE console_delivery SET state = 'delivered', delivered_at = statement_timestamp(), code = %s, error = ''
        WHERE id = %s AND attempts = %s
    )
    UPDATE console_webhook SET delivered_at = statement_timestamp(), failing_since = NULL, failures = 0,
        resting_until = NULL
    WHERE id = %s AND (
        delivered_at IS NULL OR delivered_at < statement_timestamp() - interval '5 seconds'
        OR failing_since IS NOT NULL OR resting_until IS NOT NULL
    )
"""


def register():
    jobs.register(jobs.Kind(KIND, drain, queue=QUEUE, label="Tell an endpoint", about=about))


def about(several):
    """`{pk of a job: (the endpoint it tells, its address)}`."""
    there = Webhook.objects.in_bulk([job.args["webhook"] for job in several])
    found = [(job.pk, there.get(job.args["webhook"])) for job in several]
    return {pk: (str(webhook), webhook.get_absolute_url()) for pk, webhook in found if webhook}


def dispatch():
    """Gives out what is due, and sees to it that every endpoint for which something waits has its job. Any number of
    these may run at once: all but one have nothing to do. Returns how many events it gave out.
    """
    number, some = 0, 0 if flags.is_flipped(flags.PAUSE_WEBHOOKS) else BATCH
    while some == BATCH:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('console.webhooks.dispatch'))")
            if not cursor.fetchone()[0]:
                break
            cursor.execute(_DISPATCH, {"most": BATCH, "disabled": actions.WAS_DISABLED})
            (keys,) = cursor.fetchone()
            outbox.given_out(keys)
            cursor.execute(_IDLE, [KIND])
            idle = [pk for (pk,) in cursor.fetchall()]
            if idle:
                jobs.enqueue(KIND, [{"webhook": pk} for pk in idle])
        some = len(keys)
        number += some
    return number


def sweep():
    """Removes jobs that are done: what they did is told by their deliveries."""
    Job.objects.filter(kind=KIND, state=Job.DONE, ended_at__lt=timezone.now() - timedelta(hours=1)).delete()


def drain(claim):
    """The job: sends what waits for one endpoint, the oldest first, until nothing is left or the time is over."""
    pk, until, sent = claim.job.args["webhook"], time.monotonic() + SECONDS, 0
    while (webhook := _ready(pk)) and (several := _waiting(webhook)):
        told = _described(several)
        with Line(webhook.url) as line:
            for delivery in several:
                if time.monotonic() > until or stopping.is_set():
                    break
                claim.check()
                answer = send(webhook, delivery, told[delivery.pk], line)
                sent += answer is not None
                if answer is None or says_rest(answer):
                    break
        if time.monotonic() > until or stopping.is_set():
            break
    with claim.fenced(state=Job.DONE, progress=100, result={"sent": sent}):
        webhook = _ready(pk)
        if webhook and _waiting(webhook, 1) and not stopping.is_set():
            jobs.enqueue(KIND, [claim.job.args])


def _ready(pk):
    """The endpoint as it is now, if anything may be sent to it."""
    if flags.is_flipped(flags.PAUSE_WEBHOOKS):
        return None
    in_peace = Q(resting_until__gt=Now())
    return Webhook.objects.filter(~in_peace, pk=pk, is_active=True, removed_at=None).exclude(added_at=None).first()


def _waiting(webhook, most=AT_A_TIME):
    due = webhook.deliveries.filter(state=Delivery.WAITING, next_at__lte=Now())
    return list(due.select_related("event").order_by("next_at", "id")[:most])


def _described(several):
    """`{delivery id: the message's body, in bytes}`."""
    events = [delivery.event for delivery in several if delivery.event]
    told = dict(zip((event.pk for event in events), news.described(events), strict=True))
    return {each.pk: body_of(told[each.event_id] if each.event_id else ping(each)) for each in several}


def ping(delivery):
    """What an endpoint is sent as a test."""
    return {"type": "ping", "timestamp": news.moment(delivery.at), "data": {}}


def body_of(told):
    return json.dumps(told, separators=(",", ":")).encode()


def send_now(delivery):
    """One try at this delivery, at once, by whoever calls. The Answer, or None when it was not to be sent any more."""
    delivery = Delivery.objects.select_related("webhook", "event").get(pk=delivery.pk)
    with Line(delivery.webhook.url) as line:
        return send(delivery.webhook, delivery, _described([delivery])[delivery.pk], line)


def send(webhook, delivery, body, line):
    """One try: counted, sent, and what came of it put on record. The Answer; None when it was not to be sent."""
    attempt = _begin(webhook, delivery)
    if attempt is None:
        return None
    if not connection.in_atomic_block:
        connection.close()  # others can use it while we wait
    try:
        headers = signing.headers(webhook.secrets, str(delivery.message), body)
    except atrest.Unreadable:
        answer = Answer(error=UNREADABLE)
    else:
        answer = line.post(body, headers)
    _end(webhook, delivery, attempt, answer)
    return answer


def _begin(webhook, delivery):
    """Counts the try, and plans the next in case that nobody will be there to say how it ended. None when somebody
    else was quicker, or it is not wanted any more.
    """
    again = _pause(delivery.tries + 1).total_seconds()
    replayed_by = delivery.replayed_by_id if delivery.tries == 0 else None
    with prepared.cursor() as cursor:
        cursor.execute(_BEGIN, [again, delivery.pk, delivery.attempts, replayed_by])
        attempt = cursor.fetchone()
    if attempt is None:
        return None
    delivery.attempts += 1
    delivery.tries += 1
    return attempt[0]


def _pause(tries):
    """How long after so many tries the next one comes."""
    plan = settings.WEBHOOK_PLAN_S
    return timedelta(seconds=plan[min(tries, len(plan) - 1)] * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311


def _end(webhook, delivery, attempt, answer):
    """What came of the try with this key is put on record, and how the endpoint fares."""
    words = _in_words(answer)
    if answer.is_good:
        with prepared.cursor() as cursor:
            said = [answer.text, answer.took_ms, answer.code, attempt, answer.code, delivery.pk, delivery.attempts]
            cursor.execute(_TAKEN, [*said, webhook.pk])
        meter.happened("delivery_tries", "taken")
        if webhook.delivered_at is None:  # whoever connects a portal waits for that
            live.bump()
        return
    now, said = timezone.now(), {"code": answer.code, "error": words}
    mine = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=Delivery.WAITING)
    last = delivery.event_id is None or delivery.tries >= len(settings.WEBHOOK_PLAN_S)
    again = now + max(_pause(delivery.tries), timedelta(seconds=answer.retry_after or 0))
    with transaction.atomic():
        Attempt.objects.filter(pk=attempt).update(answer=answer.text, took_ms=answer.took_ms, **said)
        mine.update(state=Delivery.FAILED if last else Delivery.WAITING, next_at=again, **said)
        _fares_badly(webhook, answer, now, given_up=last and delivery.event_id is not None)
    meter.happened("delivery_tries", "given up" if last else "to be tried again")


def _in_words(answer):
    if answer.error:
        return answer.error
    if 300 <= answer.code < 400:
        return f"It answered {answer.code}. Redirects are not followed: give the endpoint the address itself."
    return f"It answered {answer.code}."


def says_rest(answer):
    """Whether whatever else waits for the endpoint had better wait a little longer."""
    return answer.code is None or answer.code in BUSY or answer.code == 410


def _fares_badly(webhook, answer, now, given_up):
    mine = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook.pk)
    fresh = mine.get()
    rest = {}
    if says_rest(answer):
        wait = max(min(REST_MOST_S, REST_S * 2 ** min(fresh.failures, 10)), answer.retry_after or 0)
        rest = {"failures": fresh.failures + 1, "resting_until": now + timedelta(seconds=wait)}
    Webhook.objects.filter(pk=webhook.pk).update(failing_since=fresh.failing_since or now, **rest)
    if answer.code == 410:
        actions.disable_by_itself(fresh, "It answered 410: it is gone for good.")
    elif (given_up or fresh.failures >= STUBBORN) and fresh.failing_since and fresh.failing_since < now - FAILING:
        actions.disable_by_itself(fresh, "It has taken nothing for 5 days.")
