"""The job that takes in what came from one source, in the order in which it came; who does it says the type's first
word ("comment.updated": whoever registered "comment").

What is taken in and that it was is one transaction: a worker that is killed has done both or neither.
"""

import logging
from itertools import groupby

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from console import jobs
from console.models import Job, Received, Source

KIND = "console.take_in"
BATCH = 500
ALONE = 3  # from this attempt on one at a time, so that one that breaks us holds nobody else up
UNKNOWN = "There is no event of this type here."
BROKE = "Something unexpected happened ({}). Tell an operator; it can be replayed."
OVERTAKEN = "overtaken"  # replayed after newer events about the same thing had been taken in
_takers = {}
log = logging.getLogger("attendant.received")


def register():
    jobs.register(jobs.Kind(KIND, drain, label="Take in what the portal sent"))


def taken_by(noun, take):
    """Registers who takes in events about these: `take([Received])` answers with `[(status, error)]`, the error ""
    when all is well.
    """
    _takers[noun] = take


def ask(sources):
    """In the transaction in which something came: sees to it that there is a job for each of these sources (keys)."""
    # whoever is about to end such a job waits for this, and looks again
    list(Source.objects.select_for_update().filter(pk__in=sources).order_by("pk").values_list("pk"))
    there = Job.objects.filter(kind=KIND, state__in=Job.OPEN).values_list("args__source", flat=True)
    jobs.enqueue(KIND, [{"source": pk} for pk in sorted(set(sources) - set(there))])


def drain(claim):
    pk, done = claim.job.args["source"], 0
    waiting = Received.objects.filter(source=pk, state=Received.WAITING).order_by("pk")
    size = BATCH if claim.job.attempt < ALONE else 1
    while True:
        with claim.fenced():
            several = list(waiting.select_for_update()[:size])
            _take_in(several, alone=size == 1)
        done += len(several)
        claim.check()
        if len(several) < size:
            break
    with claim.fenced(state=Job.DONE, progress=100, result={"taken_in": done}):
        Source.objects.select_for_update().filter(pk=pk).values_list("pk").first()
        if waiting.exists():
            jobs.enqueue(KIND, [claim.job.args])


def _take_in(several, alone=False):
    overtaken = _overtaken([each for each in several if each.replayed_at])
    for noun, group in groupby(several, key=lambda each: "" if each.pk in overtaken else each.type.partition(".")[0]):
        group = list(group)
        answers = _answers(_takers.get(noun), group, overtaken, alone)
        for each, (status, error) in zip(group, answers, strict=True):
            each.status, each.error = status, error
            each.state = Received.FAILED if error else Received.PROCESSED
            each.processed_at = timezone.now()
    _leave_out_erased(several)
    Received.objects.bulk_update(several, ["status", "error", "state", "processed_at"])


def _leave_out_erased(several):
    """Who was erased by one of them: what was wrong with the others about the same is not written down again."""
    kept = set(
        Received.objects.filter(pk__in=[each.pk for each in several]).exclude(about="").values_list("pk", flat=True)
    )
    for each in several:
        if each.about and each.pk not in kept:
            each.error = ""


def _answers(take, group, overtaken, alone):
    if take is None:
        return [(OVERTAKEN, "") if each.pk in overtaken else ("", UNKNOWN) for each in group]
    try:
        with transaction.atomic():
            return take(group)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if not alone:
            raise
        log.exception("an event could not be taken in")
        return [("", BROKE.format(type(error).__name__))]


def _overtaken(replayed):
    """Keys of those that are older than what was taken in since about the same."""
    found = set()
    for each in replayed:
        newer = Received.objects.filter(source=each.source_id, about=each.about, state=Received.PROCESSED)
        noun = each.type.partition(".")[0]
        if each.about and newer.filter(pk__gt=each.pk, type__startswith=f"{noun}.").exists():
            found.add(each.pk)
    return found
