"""What the console knows of webhooks once it is ready: their tab, cards, job, and the mail when one is given up."""

from celery.signals import worker_shutting_down

from console import live, mail, respond, tabs
from console.models import Webhook
from console.webhooks import drawing, guard, sending


def ready():
    """Raises ValueError for settings that make no sense."""
    guard.check_settings()
    sending.register()
    respond.register(drawing.WEBHOOK_CARD)
    respond.register(drawing.DELIVERY_CARD)
    live.watch("delivery", drawing.bring_up_to_date)
    mail.register("webhook_disabled", about)
    tabs.register_tab(tabs.Tab("portal", "Webhooks", "console:webhooks", "console.view_webhook", position=30))
    worker_shutting_down.connect(stop, weak=False, dispatch_uid="console.webhooks")


def about(user, webhook):
    """For that mail, when it is sent."""
    return {"endpoint": Webhook.objects.get(pk=webhook)}


def stop(**kwargs):
    sending.stopping.set()
