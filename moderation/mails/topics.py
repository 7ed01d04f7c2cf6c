"""What players can be written to about, and whom an event concerns. Apps register topics."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from console import jobs
from console.models import Job

KIND = "moderation.player_mail"
GROUPS = ("author", "reporter", "banned", "game")  # the words of PLAYER_MAIL
_topics = {}

# one statement for a batch of events: what opens a matter is noted, what follows only where something was said before
_NOTE = """
    WITH news AS (
        SELECT news.* FROM json_to_recordset(%s::json)
            AS news (player_id bigint, topic text, target bigint, opens boolean, corrects boolean)
        JOIN moderation_player AS player ON player.id = player_id
        WHERE player.email <> '' AND player.erased_at IS NULL AND player.mail_stopped_at IS NULL
        ORDER BY player_id, topic, target
    ), opened AS (
        INSERT INTO moderation_notice (player_id, topic, target, waiting, corrects, changed_at)
        SELECT player_id, topic, target, true, corrects, clock_timestamp() FROM news WHERE opens
        ON CONFLICT (player_id, topic, target) DO UPDATE
            SET waiting = true, corrects = excluded.corrects, changed_at = excluded.changed_at
        RETURNING player_id
    ), followed AS (
        UPDATE moderation_notice AS notice SET waiting = true, corrects = news.corrects, changed_at = clock_timestamp()
        FROM news WHERE NOT news.opens AND notice.player_id = news.player_id AND notice.topic = news.topic
            AND notice.target = news.target
        RETURNING notice.player_id
    )
    SELECT player_id FROM opened UNION SELECT player_id FROM followed
"""


@dataclass
class Part:
    """One thing that a mail says: its template (`mail/player/<kind>.txt`; the first line is the subject), what that is
    drawn with, what is quoted (somebody's own words), and how much more there is of that.
    """

    kind: str
    context: dict = field(default_factory=dict)
    quotes: list[str] = field(default_factory=list)
    more: int = 0


@dataclass(frozen=True)
class Topic:
    """`group` is the word of PLAYER_MAIL that switches it on; topics are told in the order of `position`.

    `concerned(events)` gives `(player id, target id, whether it opens a matter, event)` for those of these events that
    concern somebody. `look(player, notices)` gives the Parts to be told now, judging by what is true now, and puts on
    each notice as `now` what will have been said. Both take a number of queries that does not depend on how many.
    """

    name: str
    group: str
    concerned: Callable
    look: Callable
    position: int = 100


def register(topic):
    _topics[topic.name] = topic


def wanted():
    """The groups that are written to. Raises ImproperlyConfigured for a word that is none."""
    words = [word.strip() for word in settings.PLAYER_MAIL]
    if words in ([], ["off"]):
        return ()
    if words == ["on"]:
        return GROUPS
    if unknown := set(words) - set(GROUPS):
        raise ImproperlyConfigured(
            f"PLAYER_MAIL: {', '.join(sorted(unknown))} is none of off, on, {', '.join(GROUPS)}."
        )
    return tuple(word for word in GROUPS if word in words)


def collect(events):
    """Notes whom these events concern, and has a job write to each (console.outbox.on_due)."""
    news = _news(events)
    if not news:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [json.dumps(list(news.values()))])
        players = {player for (player,) in cursor.fetchall()}
    # one that waits takes these along: it cannot begin before this transaction ends
    waiting = Job.objects.select_for_update().filter(kind=KIND, state=Job.QUEUED, args__player__in=list(players))
    players -= {job.args["player"] for job in waiting.order_by("pk")} if players else set()
    if players:
        jobs.enqueue(KIND, [{"player": player} for player in sorted(players)])


def _news(events):
    groups, news = wanted(), {}
    events = list(events) if groups else []
    for topic in _topics.values() if events else ():
        for player, target, opens, event in topic.concerned(events) if topic.group in groups else ():
            key = (player, topic.name, target)
            opened = news[key]["opens"] if key in news else False
            news[key] = {
                "player_id": player,
                "topic": topic.name,
                "target": target,
                "opens": opens or opened,
                "corrects": event.corrects is not None,
            }
    return news


def look(player, notices):
    """The Parts of a mail to this player. Notices whose topic is gone or switched off are passed over."""
    by_topic, groups, parts = defaultdict(list), wanted(), []
    for notice in notices:
        notice.now = notice.said
        by_topic[notice.topic].append(notice)
    for topic in sorted(_topics.values(), key=lambda each: each.position):
        if topic.name in by_topic and topic.group in groups:
            parts += topic.look(player, by_topic[topic.name])
    return parts
