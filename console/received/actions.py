"""What operators do to sources of events, and to events that came."""

from django.db import transaction
from django.utils import timezone

from console.models import Gesture, Received, Source
from console.received import working
from console.staffforms import WhyForm
from console.verbs import verb
from console.webhooks import signing

SOURCE, RECEIVED = "console.Source", "console.Received"
MANAGE = "console.manage_portal"
ON_SOURCES = {"model": SOURCE, "permission": MANAGE, "fresh": True}


@verb(
    "source.make",
    label="Add",
    past="added",
    legal=lambda source: source.made_at is None,
    icon="plus",
    by_hand=False,
    final="A secret that was shown may be in use. Retire the source instead: that holds at once.",
    **ON_SOURCES,
)
def make(sources, act):
    act.change(sources, made_at=timezone.now())


@transaction.atomic
def make_source(*, by, name, key=None, origin=None):
    """A new source with a secret of its own. Returns the console.verbs.Outcome; one that is `replayed` made nothing.
    Raises what verbs raise.
    """
    source = Source(name=name)
    if not Gesture.objects.filter(actor=by, idempotency_key=key).exists():
        source.take(signing.new_secret())
        source.save()
    outcome = make(source, by=by, key=key, origin=origin, asked={"name": name})
    if outcome.replayed:
        transaction.set_rollback(True)  # the same click was quicker
    return outcome


@verb(
    "source.rotate",
    label="New secret",
    past="gave a new secret to",
    legal=lambda source: source.is_active,
    icon="rotate-ccw",
    repeats=True,
    form=WhyForm,
    asks="A new secret for {row}?",
    tells="{row} has a new secret. For 24 hours messages may be signed with the old one, too.",
    final="A secret that was replaced does not come back; make another.",
    **ON_SOURCES,
)
def rotate(sources, act):
    act.change(sources, rotated_at=timezone.now())
    for source in sources:
        source.take(signing.new_secret())
    Source.objects.bulk_update(sources, ["secret", "previous_secret"])


@verb(
    "source.retire",
    label="Retire",
    past="retired",
    legal=lambda source: source.is_active,
    icon="lock",
    tone="danger",
    form=WhyForm,
    asks="Retire the source {row}?",
    tells="{row} was retired. Its next message is refused.",
    final="A source that was retired stays so: somebody may have its secret. Add a new one.",
    **ON_SOURCES,
)
def retire(sources, act):
    act.change(sources, retired_at=timezone.now())


@verb(
    "received.replay",
    label="Replay",
    past="had taken in again",
    model=RECEIVED,
    permission=MANAGE,
    legal=lambda received: received.can_be_replayed,
    icon="rotate-ccw",
    repeats=True,
    tells="{row} is being taken in again. What had its effect already has no second one.",
    final="What was taken in is the portal's word. Only the portal can take it back.",
)
def replay(several, act):
    act.change(several, state=Received.WAITING, replayed_at=timezone.now(), status="", error="")
    working.ask({received.source_id for received in several})
