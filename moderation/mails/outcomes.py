"""What became of comments, of reports, and of bans: what players are told of it."""

from collections import defaultdict
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from console.models import Entry
from moderation.mails.topics import Part, Topic, register
from moderation.models import Ban, Comment, Reason, Report

QUOTED = 5  # of many comments; the rest is a number
REJECTED, AGAIN, BACK = "rejected", "again", "back"
REMOVED, STAYS = "removed", "stays"
NEVER, LIFTED = "never", "lifted"


def setup():
    register(Topic("ban", "banned", of_bans, look_at_bans, 10))
    register(Topic("comment", "author", of_comments, look_at_comments, 20))
    register(Topic("report", "reporter", of_reports, look_at_reports, 40))


def about(events, label):
    return [event for event in events if event.target_type == label]


def why(model, targets, field, value):
    """`{target id: (reason code, whether the console decided it alone)}` of the latest entries that made it so."""
    entries = Entry.objects.filter(target_type=model, target_id__in=targets, **{f"after__{field}": value})
    entries = entries.order_by("target_id", "-id").distinct("target_id")
    return {pk: (code, actor is None) for pk, code, actor in entries.values_list("target_id", "reason", "actor")}


def words_of(codes):
    """`{code: what the player may be told}`."""
    found = Reason.objects.filter(code__in=codes)
    return {reason.code: reason.text.strip() or reason.label for reason in found}


# --- comments ---------------------------------------------------------------------------------------------------


def of_comments(events):
    """Nobody wants a mail for each comment that is approved: only of one that had been rejected."""
    return [
        (event.payload["player"], event.target_id, event.name == "comment.rejected", event)
        for event in about(events, "moderation.comment")
        if event.payload.get("player")
    ]


def look_at_comments(player, notices):
    """Those rejected, one part for each reason; those that are back; those whose rejection was taken back."""
    comments = Comment.objects.filter(player=player).in_bulk([notice.target for notice in notices])
    rejected, back, again = [], [], []
    for notice in notices:
        comment = comments.get(notice.target)
        if comment is None:
            continue
        if comment.status == Comment.REJECTED and notice.said != REJECTED:
            notice.now = REJECTED
            rejected.append(comment)
        elif comment.status == Comment.APPROVED and notice.said in (REJECTED, AGAIN):
            notice.now = BACK
            back.append(comment)
        elif comment.status == Comment.PENDING and notice.said == REJECTED:
            notice.now = AGAIN
            again += [comment] if notice.corrects else []  # else its author sent another text
    parts = list(_rejected(rejected))
    parts += [quoting("comment_back", back)] if back else []
    parts += [quoting("comment_again", again)] if again else []
    return parts


def _rejected(comments):
    known = why("moderation.comment", [comment.pk for comment in comments], "status", Comment.REJECTED)
    by_reason = defaultdict(list)
    for comment in comments:
        code, alone = known.get(comment.pk, ("", True))
        by_reason[code, alone or comment.blocked_by_id is not None].append(comment)
    words = words_of([code for code, _ in by_reason])
    for (code, alone), several in by_reason.items():
        yield quoting("comment_rejected", several, reason=words.get(code, ""), automatic=alone)


def quoting(kind, comments, **context):
    """A part that quotes the first of these."""
    number = len(comments)
    quotes = [comment.body for comment in comments[:QUOTED]]
    return Part(kind, {"number": number, **context}, quotes, max(0, number - QUOTED))


# --- reports ----------------------------------------------------------------------------------------------------


def of_reports(events):
    decided = about(events, "moderation.comment")
    decided = {e.target_id: e for e in decided if e.name in ("comment.rejected", "comment.approved")}
    if not decided:
        return []
    made = Report.objects.filter(comment__in=decided, player__isnull=False).distinct()
    return [(player, comment, True, decided[comment]) for player, comment in made.values_list("player", "comment")]


def look_at_reports(player, notices):
    """Once for each comment; what became of its author is nobody else's business, and the comment is not quoted."""
    news = [notice for notice in notices if not notice.said]
    status = dict(Comment.objects.filter(pk__in=[n.target for n in news]).values_list("pk", "status"))
    counted = defaultdict(int)
    for notice in news:
        notice.now = {Comment.REJECTED: REMOVED, Comment.APPROVED: STAYS}.get(status.get(notice.target), "")
        counted[notice.now] += 1
    return [Part(f"report_{said}", {"number": counted[said]}) for said in (REMOVED, STAYS) if counted[said]]


# --- bans -------------------------------------------------------------------------------------------------------


def of_bans(events):
    """Of players only: who is behind a network nobody knows."""
    return [
        (event.payload["player"], event.payload["player"], event.name == "player.banned", event)
        for event in about(events, "moderation.ban")
        if event.payload.get("player")
    ]


def look_at_bans(player, notices):
    (notice,) = notices  # there is one thing to tell of a player: how long
    ban = Ban.objects.open().filter(player=player, held=False).order_by(F("expires_at").desc(nulls_first=True)).first()
    if ban is None:
        was, notice.now = notice.said, LIFTED
        return [Part("unbanned")] if _still_counts(was) else []
    notice.now = ban.expires_at.isoformat() if ban.expires_at else NEVER
    if notice.now == notice.said:
        return []
    context = {
        "until": ban.expires_at,
        "since": ban.starts_at if ban.starts_at > timezone.now() else None,
        "reason": words_of([ban.reason]).get(ban.reason, ""),
        "automatic": ban.asked_by_id is None,
    }
    return [Part("ban_changed" if _still_counts(notice.said) else "banned", context)]


def _still_counts(said):
    """Whether they were told of a ban that would not have ended by itself until now."""
    return said == NEVER or (said not in ("", LIFTED) and datetime.fromisoformat(said) > timezone.now())
