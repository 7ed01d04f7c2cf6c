"""What a moderator can open and do, below /manage/."""

from django.urls import path

from moderation import actions, bans, connect, persondata, players, reasonviews, views
from moderation.mails import views as mailviews

app_name = "moderation"
urlpatterns = [
    path("comments/", views.CommentsPage.as_view(), name="comments"),
    path("comments/panel/", views.PanelPage.as_view(), name="panel"),
    path("comments/suggest/", views.SuggestView.as_view(), name="suggest"),
    path("comments/options/", views.OptionsView.as_view(), name="options"),
    path("comments/bulk/", views.CommentsBulk.as_view(), name="bulk"),
    path("comments/<int:pk>/", views.CommentPage.as_view(), name="comment"),
    path("comments/<int:pk>/approve/", views.CommentVerb.as_view(verb=actions.approve), name="approve"),
    path("comments/<int:pk>/reject/", views.CommentVerb.as_view(verb=actions.reject), name="reject"),
    path("players/", players.PlayersPage.as_view(), name="players"),
    path("players/export/", players.PlayersExport.as_view(), name="players_export"),
    path("players/panel/", players.PlayersPanel.as_view(), name="players_panel"),
    path("players/<int:pk>/", players.PlayerPage.as_view(), name="player"),
    path("players/<int:pk>/ban/", players.PlayerVerb.as_view(verb=actions.ban), name="ban"),
    path("players/<int:pk>/unban/", players.PlayerVerb.as_view(verb=actions.unban), name="unban"),
    path("players/<int:pk>/warn/", players.PlayerVerb.as_view(verb=actions.warn), name="warn"),
    path("players/<int:pk>/strike/", players.PlayerVerb.as_view(verb=actions.strike), name="strike"),
    path("players/<int:pk>/edit/", players.PlayerVerb.as_view(verb=actions.edit), name="edit"),
    path("players/<int:pk>/note/", players.PlayerVerb.as_view(verb=actions.note), name="note"),
    path("players/<int:pk>/export/", persondata.PlayerData.as_view(), name="player_export"),
    path("players/<int:pk>/reveal/", players.PlayerVerb.as_view(verb=actions.reveal, limit="unmask"), name="reveal"),
    path("connect/", connect.ConnectPage.as_view(), name="connect"),
    path("reasons/", reasonviews.ReasonsPage.as_view(), name="reasons"),
    path("reasons/new/", reasonviews.NewReasonPage.as_view(), name="new_reason"),
    path("reasons/<int:pk>/", reasonviews.ReasonPage.as_view(), name="reason"),
    path("reasons/<int:pk>/edit/", reasonviews.ReasonVerb.as_view(verb=actions.edit_reason), name="edit_reason"),
    path("reasons/<int:pk>/retire/", reasonviews.ReasonVerb.as_view(verb=actions.retire), name="retire_reason"),
    path(
        "reasons/<int:pk>/restore/", reasonviews.ReasonVerb.as_view(verb=actions.restore_reason), name="restore_reason"
    ),
    path("mails/", mailviews.MailsPage.as_view(), name="mails"),
    path("mails/example/", mailviews.MailExample.as_view(), name="mail_example"),
    path("bans/", bans.BansPage.as_view(), name="bans"),
    path("bans/panel/", bans.BansPanel.as_view(), name="bans_panel"),
    path("bans/new/", bans.NewBanPage.as_view(), name="ban_new"),
    path("bans/reach/", bans.ReachView.as_view(), name="ban_reach"),
    path("bans/<int:pk>/", bans.BanPage.as_view(), name="ban_detail"),
    path("bans/<int:pk>/approve/", bans.BanVerb.as_view(verb=actions.approve_ban), name="ban_approve"),
    path("bans/<int:pk>/change/", bans.BanVerb.as_view(verb=actions.change_ban), name="ban_change"),
    path("bans/<int:pk>/lift/", bans.BanVerb.as_view(verb=actions.lift), name="ban_lift"),
]
