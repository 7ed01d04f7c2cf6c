"""The shell's addresses, below /manage/."""

from django.urls import path

from console import views

app_name = "console"
urlpatterns = [
    path("", views.DashboardPage.as_view(), name="dashboard"),
    path("live/", views.LivePoll.as_view(), name="live"),
    path("ledger/<int:pk>/undo/", views.UndoView.as_view(), name="undo"),
]
