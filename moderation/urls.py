"""What a moderator can open and do, below /manage/."""

from django.urls import path

from moderation import actions, players, views

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
]
