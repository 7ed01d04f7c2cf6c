"""Every address of the portal's API, below /api/v1/."""

from django.urls import path

from console.api.decisions import Decisions
from console.api.schema import SchemaView
from console.received.api import EventsIn
from games import api as games
from moderation import api as moderation
from moderation.banapi import BanCheck

app_name = "api"
urlpatterns = [
    path("bans/check/", BanCheck.as_view(), name="ban_check"),
    path("builds/", games.BuildsIn.as_view(), name="builds"),
    path("builds/<slug:game>/<int:number>/", games.BuildView.as_view(), name="build"),
    path("comments/", moderation.CommentsIn.as_view(), name="comments"),
    path("comments/<path:external_id>/", moderation.CommentGone.as_view(), name="comment"),
    path("events/", EventsIn.as_view(), name="events"),
    path("players/", moderation.PlayersIn.as_view(), name="players"),
    path("decisions/", Decisions.as_view(), name="decisions"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("reports/", moderation.ReportsIn.as_view(), name="reports"),
]
