"""Errors are told to Sentry when there is a SENTRY_DSN: where in our code, during which request, and no more.

What is sent is put together anew from what is known to be harmless, rather than cleaned of what is not. The words of an
error often quote what somebody wrote ("Key (email)=(...) already exists"): they stay here, in the log, which has the
same request id.
"""

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration

from console import logs

KEPT = ("event_id", "timestamp", "level", "platform", "logger", "release", "environment", "sdk", "fingerprint")
OF_FRAME = ("filename", "function", "lineno", "module", "in_app", "context_line", "pre_context", "post_context")
SEE = "What it said is in the log, by the request's id."


def begin(dsn, environment):
    """From here on errors are told; nothing else is: no traces, sessions, breadcrumbs, variables, or lines of logs."""
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        before_send=told,
        before_send_transaction=lambda event, hint: None,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        server_name="",
        auto_session_tracking=False,
        send_client_reports=False,
        trace_propagation_targets=[],  # those whom we send webhooks need not know of it
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(callback=lambda pending, timeout: None),
            CeleryIntegration(propagate_traces=False),
            DedupeIntegration(),
            DjangoIntegration(middleware_spans=False, signals_spans=False),
            ExcepthookIntegration(),
            LoggingIntegration(),
            ThreadingIntegration(propagate_scope=False),
        ],
    )


def told(event, hint):
    """What is sent in place of this event."""
    found = {key: event[key] for key in KEPT if key in event}
    found["tags"] = _tags(event)
    if errors := event.get("exception", {}).get("values"):
        found["exception"] = {"values": [_error(each) for each in errors]}
    elif record := hint.get("log_record"):
        found["message"] = f"{record.name}, {record.funcName}, line {record.lineno}. {SEE}"
    else:
        found["message"] = SEE
    return found


def _tags(event):
    """Of the request, or of the task: when one has failed, what it was at is forgotten before Sentry is told."""
    doing, task_id = logs.doing(), (event.get("tags") or {}).get("celery_task_id")
    request_id, view = doing.request_id, doing.view
    if request_id == logs.NONE and task_id:
        request_id, view = logs.mark_of(task_id), event.get("transaction") or logs.NONE
    return {"request_id": logs.harmless(request_id), "view": logs.harmless(view)}


def _error(error):
    frames = (error.get("stacktrace") or {}).get("frames", [])
    kept = [{key: frame[key] for key in OF_FRAME if key in frame} for frame in frames]
    return {"type": error.get("type"), "module": error.get("module"), "value": SEE, "stacktrace": {"frames": kept}}
