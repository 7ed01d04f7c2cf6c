"""The shell's addresses, below /manage/."""

from django.urls import path

from console import views
from console.preferences import PreferencesPage

app_name = "console"
urlpatterns = [
    path("", views.DashboardPage.as_view(), name="dashboard"),
    path("preferences/", PreferencesPage.as_view(), name="preferences"),
    path("live/", views.LivePoll.as_view(), name="live"),
    path("ledger/<int:pk>/undo/", views.UndoView.as_view(), name="undo"),
]
