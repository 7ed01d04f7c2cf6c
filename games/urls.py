"""What publishers and reviewers can open and do, below /manage/games/."""

from django.urls import path

from games import actions, play, upload, views

app_name = "games"
urlpatterns = [
    path("", views.GamesPage.as_view(), name="games"),
    path("panel/", views.GamesPanel.as_view(), name="panel"),
    path("upload/", upload.UploadPage.as_view(), name="upload"),
    path("authors/", upload.AuthorsView.as_view(), name="authors"),
    path("options/", upload.GameOptions.as_view(), name="options"),
    path("<int:pk>/", views.GamePage.as_view(), name="game"),
    path("<int:pk>/publish/", views.GameVerb.as_view(verb=actions.publish), name="publish"),
    path("<int:pk>/unpublish/", views.GameVerb.as_view(verb=actions.unpublish), name="unpublish"),
    path("<int:pk>/archive/", views.GameVerb.as_view(verb=actions.archive), name="archive"),
    path("<int:pk>/restore/", views.GameVerb.as_view(verb=actions.restore), name="restore"),
    path("builds/<int:pk>/", views.BuildPage.as_view(), name="build"),
    path("builds/<int:pk>/play/", play.PlayPage.as_view(), name="play"),
    path("builds/<int:pk>/picture/", views.PicturePage.as_view(), name="picture"),
    path("builds/<int:pk>/retry/", views.BuildVerb.as_view(verb=actions.retry), name="retry"),
    path("builds/<int:pk>/cancel/", views.BuildVerb.as_view(verb=actions.cancel), name="cancel"),
    path("builds/<int:pk>/reject/", views.BuildVerb.as_view(verb=actions.reject), name="reject"),
    path(
        "builds/<int:pk>/request_changes/",
        views.BuildVerb.as_view(verb=actions.request_changes),
        name="request_changes",
    ),
]
