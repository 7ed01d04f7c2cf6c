"""How jobs are shown: their rows, and the card of their verbs."""

from typing import NamedTuple

from django.urls import reverse

from console import jobs, respond, rows
from console.models import Job
from console.ops.actions import JOB, MANAGE
from console.templatetags.console import ago

ROWS = "console/_job_rows.jinja"
SPOKEN = (Job.FAILED, Job.DEAD, Job.DONE)


def jobs_url():
    return reverse("console:jobs")


def load(keys):
    """The jobs of these keys, in their order, with what rows show."""
    found = queryset().in_bulk(keys)
    return with_subjects([found[key] for key in keys if key in found])


def queryset():
    return Job.objects.for_verbs().select_related("created_by")


def with_subjects(several):
    """Each job with what it is about, `(words, address)` or None."""
    about = {}
    for kind, those in jobs.by_kind(several):
        about |= kind.about(those)
    for job in several:
        job.about = about.get(job.pk)
    return several


class Shape(NamedTuple):
    state: str
    ticks: bool
    ticked: bool
    about: bool
    said: bool
    open: bool
    oob: bool


class JobsPage(rows.Page):
    """The list at an address, for the rows on it."""

    @property
    def ticks(self):
        return self.request.user.has_perm(MANAGE)


def job(row, page, conflict="", oob=False):
    """A job's row on its list."""
    is_open = row.state in Job.OPEN
    ticked = page.ticks and "ticked" in page.request.GET
    shape = Shape(row.state, page.ticks, ticked, bool(row.about), bool(row.error), is_open, oob)
    words, address = row.about or ("", "")
    values = {
        "pk": row.pk,
        "version": row.version,
        "url": row.get_absolute_url(),
        "what": row.what,
        "about": words,
        "about_url": address,
        "said": row.error,
        "when": when(row),
        "tries": f"attempt {row.attempt}" if row.attempt else "not begun",
        "progress": f"{row.progress} %",
        "by": row.cause,
        **page.values,
    }
    return rows.draw(ROWS, "job", shape, values)


def when(row):
    """Since when it is as it is, as HTML."""
    return ago(row.ended_at or (row.started_at if row.state == Job.RUNNING else None) or row.created_at)


def several(found, page):
    return rows.together(job(row, page) for row in found)


def bring_up_to_date(request, seen, here):
    """For polls (console.live.watch): jobs `{id: state}` that are in another state by now, and what to say."""
    if not request.user.has_perm("console.view_ops"):
        return "", ""
    found = load(sorted(seen))
    moved = [row for row in found if row.state != seen[row.pk]]
    if not moved:
        return "", ""
    words = " ".join(f"Job {row.pk} is {row.state}." for row in moved if row.state in SPOKEN)
    if here.partition("?")[0] == jobs_url():
        page = JobsPage(request, here)
        return rows.together(job(row, page, oob=True) for row in moved), words
    html = respond.partial_at(request, here, oob=True) if respond.root_of(here) == "#item" else ""
    return html, words


def belongs(row, url, user):
    """Whether the list at this address shows the job: one that was just seen to stays, as it is now."""
    return True


JOB_CARD = respond.Card(
    model=JOB,
    summary="console/_job_summary.html",
    queryset=queryset,
    list_url=jobs_url,
    load=load,
    draw=job,
    page=JobsPage,
    belongs=belongs,
)
