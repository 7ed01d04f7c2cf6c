"""The Celery application. Messages carry ids only; the database is the truth. Statements may take 60 seconds."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "60000")

app = Celery("attendant")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
