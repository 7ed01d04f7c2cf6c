"""Everything the console keeps about one player, as a file for them (GDPR, article 15). It is complete, so whoever sees
addresses masked has them shown first. Of others it holds nothing: not who decided, not who reported.
"""

import json
from datetime import UTC

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone

from console.exporting.sources import CHUNK, Format
from console.exports import ExportView
from console.models import Entry
from moderation import masking
from moderation.models import Ban, Comment, CommentEdit, Mailing, Note, Player, Report, Strike
from moderation.players import EXPORT, PlayersSource

ASK_FIRST = "This file holds addresses and the e-mail whole. Have them shown on the player's page first."
FIELDS = {
    Player: [
        *("id", "external_id", "username", "email", "bio", "is_active", "joined_at", "last_seen_at", "last_ip"),
        *("recent_game__title", "comment_count", "strikes", "mail_stopped_at"),
    ],
    Comment: ["id", "external_id", "body", "status", "created_at", "edited_at", "ip", "game__title", "report_count"],
    CommentEdit: ["comment_id", "body", "at"],
    Report: ["comment_id", "words", "created_at"],
    Ban: ["reason", "note", "starts_at", "expires_at", "lifted_at"],
    Strike: ["reason", "weight", "created_at", "expires_at", "withdrawn_at"],
    Note: ["text", "created_at"],
    Mailing: ["at", "refused"],
    Entry: ["at", "verb", "reason"],
}


class PersonSource(PlayersSource):
    """Of one player, whom `about` sets."""

    name = ""
    formats = {"json": Format("JSON", "application/json")}

    def about(self, player):
        self.player, self.noun = player, f"data of player {player.pk}"
        self.narrow(QueryDict(f"q=%23{player.pk}"))

    def pieces(self, folder=None):
        return (piece.encode() for piece in self.batches())

    def batches(self):
        """Pieces of one JSON object."""
        pk, comments = self.player.pk, Comment.objects.filter(player=self.player)
        about = Q(target_type="moderation.player", target_id=pk)
        about |= Q(target_type="moderation.comment", target_id__in=comments.values("pk"))
        taken = {"taken_at": timezone.now().astimezone(UTC)}
        yield _dumped(taken | Player.objects.values(*FIELDS[Player]).get(pk=pk)).removesuffix("}")
        yield from _listed("comments", comments)
        yield from _listed("earlier_texts", CommentEdit.objects.filter(comment__player=pk))
        yield from _listed("reports_made", Report.objects.filter(player=pk))
        yield from _listed("bans", Ban.objects.filter(player=pk))
        yield from _listed("strikes", Strike.objects.filter(player=pk))
        yield from _listed("notes", Note.objects.filter(player=pk, withdrawn_at=None))
        yield from _listed("mails_to_them", Mailing.objects.filter(player=pk))
        yield from _listed("decisions", Entry.objects.filter(about))
        yield "}\n"


class PlayerData(ExportView):
    permission_required = EXPORT
    source_class = PersonSource

    def prepare(self):
        self.object = get_object_or_404(Player, pk=self.kwargs["pk"])
        super().prepare()
        self.source.about(self.object)

    def get_context_data(self, **kwargs):
        lead = "Everything the console keeps about this player, for them: comments, reports they made, measures, notes."
        if not masking.sees(self.request.user, self.object):
            kwargs.setdefault("problem", ASK_FIRST)
        context = super().get_context_data(lead=lead, **kwargs)
        return context | {"here": self.object.get_absolute_url(), "action": self.request.path}

    def post(self, request, *args, **kwargs):
        if not masking.sees(request.user, self.object):
            return self.render_to_response(self.get_context_data(), status=422)
        return super().post(request, *args, **kwargs)


def _listed(name, rows):
    """`, "name": [rows]`, some rows at a time, in the order of their keys."""
    yield f', "{name}": ['
    last, comma = 0, ""
    while found := list(rows.filter(pk__gt=last).order_by("pk").values("pk", *FIELDS[rows.model])[:CHUNK]):
        last = found[-1]["pk"]
        yield comma + ",\n".join(_dumped({key: row[key] for key in FIELDS[rows.model]}) for row in found)
        comma = ",\n"
    yield "]"


def _dumped(row):
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
