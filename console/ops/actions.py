"""What operators do to background work."""

from django.utils import timezone
from django.utils.html import format_html, format_html_join

from console import jobcare, jobs
from console.models import Job
from console.verbs import verb

JOB = "console.Job"
MANAGE = "console.manage_jobs"


def kinds_of(several):
    """For forms: how many there are of which kind, as HTML."""
    counted = {}
    for job in several:
        counted[job.what] = counted.get(job.what, 0) + 1
    lines = sorted((-number, what) for what, number in counted.items())
    listed = format_html_join("", "<li>{} × {}</li>", ((f"{-number:,}", what) for number, what in lines))
    return format_html('<ul class="kinds">{}</ul>', listed)


@verb(
    "job.retry",
    label="Retry",
    past="retried",
    model=JOB,
    permission=MANAGE,
    legal=lambda job: job.may_be_retried,
    icon="rotate-ccw",
    tone="ok",
    asks="Retry {row}?",
    foretell=kinds_of,
    final="Work that began again is not taken back; cancel it.",
)
def retry(several, act):
    """From the first attempt on; what hangs on them follows in the same gesture (jobs.Kind.retried)."""
    act.change(several, state=Job.QUEUED)
    jobcare.restart(several)
    for kind, those in jobs.by_kind(several):
        kind.retried(those, act)


@verb(
    "job.cancel",
    label="Cancel job",
    past="cancelled",
    model=JOB,
    permission=MANAGE,
    legal=lambda job: job.state in Job.OPEN,
    icon="ban",
    tone="danger",
    asks="Cancel {row}?",
    foretell=kinds_of,
    final="What was cancelled is begun anew by Retry.",
)
def cancel(several, act):
    """A worker at one of them finds out at its next step, and leaves no effect."""
    act.change(several, state=Job.CANCELLED)
    Job.objects.filter(pk__in=[job.pk for job in several]).update(token=None, ended_at=timezone.now())
    for kind, those in jobs.by_kind(several):
        kind.cancelled(those, act)


BY_HAND = (retry, cancel)
