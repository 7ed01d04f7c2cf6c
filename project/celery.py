"""The Celery application. Messages carry ids only; the database is the truth. Statements may take 60 seconds."""

import logging
import os
import warnings

import celery
from django.conf import settings
from kombu.transport import redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
if not settings.configured:  # it is a worker or beat that begins here; others have said what they are
    os.environ["ATTENDANT_PROCESS"] = "worker"

# the demo may run as root in a container; it reaches nothing but its own services
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")


class QoS(redis.QoS):
    """kombu 5.7 ends a worker that loses Redis while it is at work, when that hands back or acknowledges the message:
    both reach for the connection that is gone. Nobody needs either: the job comes again without its message.
    """

    def restore_unacked_once(self, stderr=None):
        try:
            super().restore_unacked_once(stderr)
        except Exception as error:  # noqa: BLE001
            logging.getLogger("attendant.jobs").warning("no message was handed back: %r", error)

    def ack(self, delivery_tag):
        if not self.channel.closed:
            super().ack(delivery_tag)

    def reject(self, delivery_tag, requeue=False):
        if not self.channel.closed:
            super().reject(delivery_tag, requeue)


redis.Channel.QoS = QoS


class Task(celery.Task):
    """What a worker logs and asks of the database carries the task's name and id."""

    def __call__(self, *args, **kwargs):
        from console import logs  # it asks for settings, which need to know what process this is

        if not self.request.id:  # called like a function
            return super().__call__(*args, **kwargs)
        with logs.of_task(self.name, self.request.id):
            return super().__call__(*args, **kwargs)


app = celery.Celery("attendant", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
