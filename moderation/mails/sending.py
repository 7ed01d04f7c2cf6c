"""The job that writes to one player: what is true now, at most one mail in MAIL_PAUSE_S and PLAYER_MAIL_A_DAY a day."""

import json
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from console import jobs, mail
from console.models import Job
from moderation.mails import drawing, topics
from moderation.models import Mailing, Notice, Player

KEEP = timedelta(days=400)  # as long as somebody may object, and a ban may be lifted
BATCH = 5000
WAIT = "They were written to a short while ago. What there is to say is collected and sent later."
_SETTLE = """
    UPDATE moderation_notice AS notice SET said = mine.said, waiting = notice.changed_at > mine.changed_at
    FROM json_to_recordset(%s::json) AS mine (id bigint, said text, changed_at timestamptz) WHERE notice.id = mine.id
"""


def setup():
    jobs.register(jobs.Kind(topics.KIND, send, later_s=(5, 300), label="Mail to a player"))


def send(claim):
    """Writes to the player of this job, if there is anything to say to them, and a way to."""
    player = Player.objects.filter(pk=claim.job.args["player"]).first()
    if player is None or why_not(player):
        with claim.fenced(state=Job.DONE, progress=100, result={"sent": False}):
            Notice.objects.filter(player=claim.job.args["player"]).update(waiting=False)
        return
    notices = list(Notice.objects.filter(player=player, waiting=True).order_by("changed_at", "pk"))
    parts = topics.look(player, notices)
    allowed = room_at(player) if parts else None
    if allowed and allowed > timezone.now():
        raise jobs.Later(WAIT, allowed)
    if parts:
        _deliver(claim, player, parts, allowed)
    with claim.fenced(state=Job.DONE, progress=100, result={"said": [part.kind for part in parts]}):
        if parts:
            Mailing.objects.create(player=player)
        _settle(notices)


def _deliver(claim, player, parts, allowed):
    message = drawing.message(player, parts)
    claim.check()
    since = max(filter(None, (claim.job.created_at, allowed)))
    try:
        mail.deliver(message, claim.job, since)
    except mail.Refused:
        Mailing.objects.create(player=player, refused=digest(player.email))
        raise


def _settle(notices):
    """Notes what was said; news that came meanwhile goes on waiting, for the job that came with it."""
    rows = [{"id": each.pk, "said": each.now, "changed_at": each.changed_at.isoformat()} for each in notices]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, [json.dumps(rows)])


def why_not(player):
    """Why this player is not written to, in a sentence; "" when they are."""
    if player.erased_at:
        return "What was known of them was erased."
    if not player.email:
        return "There is no e-mail address."
    if player.mail_stopped_at:
        return "They asked not to be written to."
    try:
        validate_email(player.email)
    except ValidationError:
        return "Their e-mail address is none."
    if player.mailings.filter(refused=digest(player.email)).exists():
        return "A mail server refused their address for good."
    return ""


def digest(address):
    """By which a refused address is known again, and nothing else."""
    return salted_hmac("moderation.mails", address.casefold(), algorithm="sha256").hexdigest()


def room_at(player):
    """When they may be written to next; None when they were not today."""
    day, most = timedelta(days=1), settings.PLAYER_MAIL_A_DAY
    sent = player.mailings.filter(refused="", at__gt=timezone.now() - day).order_by("-at")
    times = list(sent.values_list("at", flat=True)[:most])
    if not times:
        return None
    pause = times[0] + timedelta(seconds=settings.PLAYER_MAIL_PAUSE_S)
    return max(pause, times[-1] + day) if len(times) >= most else pause


def sweep(now=None):
    """Removes what nobody will ask about any more. Returns how many rows."""
    before, swept = (now or timezone.now()) - KEEP, 0
    for rows in (Notice.objects.filter(changed_at__lt=before, waiting=False), Mailing.objects.filter(at__lt=before)):
        while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
            with transaction.atomic():
                swept += rows.model.objects.filter(pk__in=keys).delete()[0]
    return swept
