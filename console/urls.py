"""The shell's addresses, below /manage/."""

from django.urls import path

from console import ledgerexport, ledgerpages, staffpages, views
from console.preferences import PreferencesPage

app_name = "console"
urlpatterns = [
    path("", views.DashboardPage.as_view(), name="dashboard"),
    path("preferences/", PreferencesPage.as_view(), name="preferences"),
    path("live/", views.LivePoll.as_view(), name="live"),
    path("ledger/", ledgerpages.LedgerPage.as_view(), name="ledger"),
    path("ledger/panel/", ledgerpages.LedgerPanel.as_view(), name="ledger_panel"),
    path("ledger/export/", ledgerexport.LedgerExport.as_view(), name="export"),
    path("ledger/<int:pk>/", ledgerpages.EntryPage.as_view(), name="entry"),
    path("ledger/<int:pk>/undo/", views.UndoView.as_view(), name="undo"),
    path("staff/", staffpages.StaffPage.as_view(), name="staff"),
    path("staff/<int:pk>/", staffpages.StaffMemberPage.as_view(), name="staff_member"),
]
