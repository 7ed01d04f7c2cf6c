"""What the console knows of events in once it is ready: their job, tab and cards."""

from console import respond, tabs
from console.received import views, working


def ready():
    working.register()
    respond.register(views.SOURCE_CARD)
    respond.register(views.RECEIVED_CARD)
    tabs.register_tab(tabs.Tab("portal", "Received", "console:received", "console.view_webhook", position=35))
