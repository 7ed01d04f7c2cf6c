"""The shell's addresses, below /manage/."""

from django.urls import include, path

from console import ledgerexport, ledgerpages, staffactions, staffpages, staffviews, tokenactions, tokenpages, views
from console.doctorpage import ChecksPage
from console.exporting import actions as exportactions
from console.exporting import pages as exportpages
from console.ops import urls as opsurls
from console.preferences import PreferencesPage
from console.received import actions as receivedactions
from console.received import views as receivedviews
from console.traffic.views import TrafficPage
from console.webhooks import actions as webhookactions
from console.webhooks import views as webhookviews

app_name = "console"
urlpatterns = [
    path("", views.DashboardPage.as_view(), name="dashboard"),
    path("preferences/", PreferencesPage.as_view(), name="preferences"),
    path("live/", views.LivePoll.as_view(), name="live"),
    path("ledger/", ledgerpages.LedgerPage.as_view(), name="ledger"),
    path("ledger/panel/", ledgerpages.LedgerPanel.as_view(), name="ledger_panel"),
    path("ledger/export/", ledgerexport.LedgerExport.as_view(), name="export"),
    path("exports/", exportpages.ExportsPage.as_view(), name="exports"),
    path("exports/<int:pk>/", exportpages.ExportPage.as_view(), name="exported"),
    path("exports/<int:pk>/file/", exportpages.ExportFile.as_view(), name="exported_file"),
    path("exports/<int:pk>/cancel/", exportpages.ExportVerb.as_view(verb=exportactions.cancel), name="exported_cancel"),
    path("ledger/<int:pk>/", ledgerpages.EntryPage.as_view(), name="entry"),
    path("ledger/<int:pk>/undo/", views.UndoView.as_view(), name="undo"),
    path("tokens/", tokenpages.TokensPage.as_view(), name="tokens"),
    path("tokens/new/", tokenpages.NewTokenPage.as_view(), name="new_token"),
    path("tokens/<int:pk>/", tokenpages.TokenPage.as_view(), name="token"),
    path("tokens/<int:pk>/revoke/", tokenpages.TokenVerb.as_view(verb=tokenactions.revoke), name="revoke_token"),
    path("traffic/", TrafficPage.as_view(), name="traffic"),
    path("staff/", staffpages.StaffPage.as_view(), name="staff"),
    path("staff/invite/", staffviews.InvitePage.as_view(), name="staff_invite"),
    path("staff/<int:pk>/", staffpages.StaffMemberPage.as_view(), name="staff_member"),
    *(
        path(f"staff/<int:pk>/{verb.name[6:]}/", staffviews.StaffVerb.as_view(verb=verb), name=f"staff_{verb.name[6:]}")
        for verb in staffactions.BY_HAND
    ),
    path("received/", receivedviews.ReceivedPage.as_view(), name="received"),
    path("received/sources/new/", receivedviews.NewSourcePage.as_view(), name="source_new"),
    path("received/sources/<int:pk>/", receivedviews.SourcePage.as_view(), name="source"),
    path(
        "received/sources/<int:pk>/rotate/",
        receivedviews.SourceVerb.as_view(verb=receivedactions.rotate),
        name="source_rotate",
    ),
    path(
        "received/sources/<int:pk>/retire/",
        receivedviews.SourceVerb.as_view(verb=receivedactions.retire),
        name="source_retire",
    ),
    path("received/<int:pk>/", receivedviews.ReceivedEventPage.as_view(), name="received_event"),
    path(
        "received/<int:pk>/replay/",
        receivedviews.ReceivedVerb.as_view(verb=receivedactions.replay),
        name="received_replay",
    ),
    path("webhooks/", webhookviews.WebhooksPage.as_view(), name="webhooks"),
    path("webhooks/new/", webhookviews.NewWebhookPage.as_view(), name="webhook_new"),
    path("webhooks/deliveries/", webhookviews.DeliveriesPage.as_view(), name="deliveries"),
    path("webhooks/deliveries/bulk/", webhookviews.DeliveriesBulk.as_view(), name="deliveries_bulk"),
    path("webhooks/deliveries/<int:pk>/", webhookviews.DeliveryPage.as_view(), name="delivery"),
    path(
        "webhooks/deliveries/<int:pk>/replay/",
        webhookviews.DeliveryVerb.as_view(verb=webhookactions.replay),
        name="delivery_replay",
    ),
    path("webhooks/<int:pk>/", webhookviews.WebhookPage.as_view(), name="webhook"),
    *(
        path(
            f"webhooks/<int:pk>/{verb.name[8:]}/",
            webhookviews.WebhookVerb.as_view(verb=verb),
            name=f"webhook_{verb.name[8:]}",
        )
        for verb in webhookactions.BY_HAND
    ),
    *opsurls.urlpatterns,
    path("labs/", include("console.labs.urls")),
    path("ops/checks/", ChecksPage.as_view(), name="checks"),
    path("ops/events/<uuid:pk>/replay/", webhookviews.EventReplayPage.as_view(), name="event_replay"),
]
