"""The addresses of Labs, below /manage/labs/."""

from django.urls import path

from console.labs import actions, views

urlpatterns = [
    path("", views.LabsPage.as_view(), name="labs"),
    path("flags/<int:pk>/", views.FlagPage.as_view(), name="flag"),
    path("flags/<int:pk>/join/", views.ChoicePage.as_view(wanted=True), name="flag_join"),
    path("flags/<int:pk>/leave/", views.ChoicePage.as_view(wanted=False), name="flag_leave"),
    path("flags/<int:pk>/stage/", views.FlagVerb.as_view(verb=actions.move), name="flag_stage"),
    path("switches/<int:pk>/", views.SwitchPage.as_view(), name="switch"),
    path("switches/<int:pk>/flip/", views.SwitchVerb.as_view(verb=actions.flip), name="switch_flip"),
]
