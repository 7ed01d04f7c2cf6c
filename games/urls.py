"""Addresses of games and builds."""

from django.urls import path

from games.play import PlayPage

app_name = "games"
urlpatterns = [
    path("builds/<int:pk>/", PlayPage.as_view(), name="build"),  # stands in for the build's own page
    path("builds/<int:pk>/play/", PlayPage.as_view(), name="play"),
]
