"""What a moderator can open and do, below /manage/."""

from django.urls import path

from moderation import actions, views

app_name = "moderation"
urlpatterns = [
    path("comments/", views.CommentsPage.as_view(), name="comments"),
    path("comments/<int:pk>/", views.CommentPage.as_view(), name="comment"),
    path("comments/<int:pk>/approve/", views.CommentVerb.as_view(verb=actions.approve), name="approve"),
    path("comments/<int:pk>/reject/", views.CommentVerb.as_view(verb=actions.reject), name="reject"),
]
