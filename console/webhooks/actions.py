"""What operators do to endpoints and deliveries, and when the console itself gives an endpoint up."""

from django.db import transaction
from django.utils import timezone

from console import mail
from console.ledger import Conflict, Unchanged
from console.models import Delivery, Gesture, User, Webhook
from console.verbs import verb
from console.webhooks import signing
from console.webhooks.forms import EditForm, ReplayFailedForm, WhyForm

ENDPOINT, DELIVERY = "console.Webhook", "console.Delivery"
MANAGE = "console.manage_portal"
ON_ENDPOINTS = {"model": ENDPOINT, "permission": MANAGE, "fresh": True}
WAS_DISABLED = "The endpoint was disabled."
SENT = "What was sent cannot be called back."


@verb(
    "webhook.add",
    label="Add",
    past="added",
    legal=lambda webhook: webhook.added_at is None,
    icon="plus",
    by_hand=False,
    **ON_ENDPOINTS,
)
def add(webhooks, act):
    act.change(webhooks, added_at=timezone.now())


@transaction.atomic
def add_webhook(*, by, key, origin, **fields):
    """A new endpoint with a secret of its own. Returns the console.verbs.Outcome; in one that is `replayed` nothing was
    made. Raises what verbs raise.
    """
    webhook = Webhook(**fields)
    if not Gesture.objects.filter(actor=by, idempotency_key=key).exists():
        webhook.take(signing.new_secret())
        webhook.save()
    before = webhook.pk
    outcome = add(webhook, by=by, key=key, origin=origin, asked={name: str(value) for name, value in fields.items()})
    if outcome.replayed and before:  # the same click was quicker by a moment
        Webhook.objects.filter(pk=before, added_at=None).delete()
    return outcome


@verb(
    "webhook.test",
    label="Send a test",
    past="tested",
    legal=lambda webhook: webhook.is_there and webhook.is_active,
    icon="send",
    repeats=True,
    tells="A test was sent to {row}.",
    final=SENT,
    **ON_ENDPOINTS,
)
def test(webhooks, act):
    """A message like any other, but of nothing that happened. Whoever asked sends it (console.webhooks.views)."""
    act.change(webhooks, tested_at=timezone.now())
    Delivery.objects.bulk_create([Delivery(webhook=webhook, replayed_by=act.by) for webhook in webhooks])


@verb(
    "webhook.edit",
    label="Edit",
    past="edited",
    legal=lambda webhook: webhook.is_there,
    icon="pencil",
    repeats=True,
    form=EditForm,
    asks="Edit the endpoint {row}",
    **ON_ENDPOINTS,
)
def edit(webhooks, act, **fields):
    """Raises Unchanged when they are so already."""
    if all(getattr(webhook, name) == value for webhook in webhooks for name, value in fields.items()):
        raise Unchanged
    act.change(webhooks, **fields)
    afresh = {"failures": 0, "resting_until": None, "failing_since": None}  # how it fares there, is to be seen
    Webhook.objects.filter(pk__in=[webhook.pk for webhook in webhooks]).update(**afresh)


@verb(
    "webhook.rotate",
    label="New secret",
    past="gave a new secret to",
    legal=lambda webhook: webhook.is_there,
    icon="rotate-ccw",
    repeats=True,
    form=WhyForm,
    asks="A new secret for {row}?",
    tells="{row} has a new secret. For 24 hours messages are signed with the old one, too.",
    final="A secret that was replaced does not come back; make another.",
    **ON_ENDPOINTS,
)
def rotate(webhooks, act):
    act.change(webhooks, rotated_at=timezone.now())
    for webhook in webhooks:
        webhook.take(signing.new_secret())
    Webhook.objects.bulk_update(webhooks, ["secret", "previous_secret"])


@verb(
    "webhook.replay",
    label="Replay all failed",
    past="replayed what failed at",
    legal=lambda webhook: webhook.is_there and webhook.is_active,
    icon="rotate-ccw",
    repeats=True,
    form=ReplayFailedForm,
    asks="Replay what failed at {row}",
    tells="What failed is on its way to {row} again.",
    final=SENT,
    **ON_ENDPOINTS,
)
def replay_failed(webhooks, act, since=None):
    """All that failed since then (an ISO time; None: all there is). Raises Conflict when there is nothing of it."""
    failed = Delivery.objects.filter(webhook__in=webhooks, state=Delivery.FAILED).exclude(event=None)  # tests are over
    failed = failed.filter(at__gte=since) if since else failed
    act.change(webhooks, replayed_at=timezone.now())
    if not failed.update(**_anew(act)):
        raise Conflict("Nothing was sent: no delivery failed since then.", webhooks[0])
    _wake(webhooks)


@verb(
    "webhook.disable",
    label="Disable",
    past="disabled",
    legal=lambda webhook: webhook.is_there and webhook.is_active,
    while_frozen=True,
    icon="pause",
    tone="danger",
    form=WhyForm,
    asks="Disable {row}?",
    **ON_ENDPOINTS,
)
def disable(webhooks, act):
    _stop(webhooks, act, "By hand.")


@verb(
    "webhook.give_up",
    label="Give up",
    past="disabled",
    legal=lambda webhook: webhook.is_there and webhook.is_active,
    icon="pause",
    by_hand=False,
    final="It is enabled again by an operator, on its page.",
    **ON_ENDPOINTS,
)
def give_up(webhooks, act, why=""):
    _stop(webhooks, act, why)


def _stop(webhooks, act, why):
    """What waits is failed with it, and what comes will be: nothing is lost, and nothing leaves unasked."""
    act.change(webhooks, is_active=False, disabled_at=timezone.now(), why_disabled=why)
    waiting = Delivery.objects.filter(webhook__in=webhooks, state=Delivery.WAITING)
    waiting.update(state=Delivery.FAILED, error=WAS_DISABLED)


def disable_by_itself(webhook, why):
    """In the caller's transaction; operators are told by mail. Does nothing when somebody has disabled it before."""
    try:
        give_up(webhook, by=None, why=why)
    except Conflict:
        return
    for person in User.objects.filter(is_superuser=True, is_active=True).exclude(email=""):
        mail.post("webhook_disabled", person.pk, webhook=webhook.pk)


@verb(
    "webhook.enable",
    label="Enable",
    past="enabled",
    legal=lambda webhook: webhook.is_there and not webhook.is_active,
    icon="play",
    tone="primary",
    tells="{row} was enabled. What failed meanwhile is sent when you replay it.",
    **ON_ENDPOINTS,
)
def enable(webhooks, act):
    act.change(webhooks, is_active=True, disabled_at=None, why_disabled="")
    keys = [webhook.pk for webhook in webhooks]
    Webhook.objects.filter(pk__in=keys).update(failing_since=None, failures=0, resting_until=None)


@verb(
    "webhook.remove",
    label="Remove",
    past="removed",
    legal=lambda webhook: webhook.is_there,
    icon="trash-2",
    tone="danger",
    form=WhyForm,
    asks="Remove {row}?",
    **ON_ENDPOINTS,
)
def remove(webhooks, act):
    """It is told nothing any more; what it was told stays on record."""
    act.change(webhooks, removed_at=timezone.now())
    waiting = Delivery.objects.filter(webhook__in=webhooks, state=Delivery.WAITING)
    waiting.update(state=Delivery.CANCELLED, error="The endpoint was removed.")


@verb(
    "delivery.replay",
    label="Replay",
    past="replayed",
    model=DELIVERY,
    permission=MANAGE,
    fresh=True,
    legal=lambda delivery: delivery.may_be_replayed,
    icon="rotate-ccw",
    repeats=True,
    final=SENT,
)
def replay(deliveries, act):
    """The same message with the same id, signed anew."""
    act.change(deliveries, **_anew(act))
    _wake({delivery.webhook_id for delivery in deliveries})


def _anew(act):
    now = timezone.now()
    return {"state": Delivery.WAITING, "tries": 0, "next_at": now, "replayed_at": now, "replayed_by": act.by}


def _wake(webhooks):
    """Whoever asks for it is not made to wait for the end of a rest."""
    Webhook.objects.filter(pk__in=[getattr(each, "pk", each) for each in webhooks]).update(resting_until=None)


BY_HAND = (test, edit, rotate, enable, replay_failed, disable, remove)
