"""The Celery application. Messages carry ids only; the database is the truth. Statements may take 60 seconds."""

import os
import warnings

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
if not settings.configured:  # it is a worker or beat that begins here; others have said what they are
    os.environ["ATTENDANT_PROCESS"] = "worker"

# the demo may run as root in a container; it reaches nothing but its own services
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

app = Celery("attendant")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
