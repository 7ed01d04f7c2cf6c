"""Background work as it is kept: the row is the promise (console.jobs)."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Now, Upper
from django.urls import reverse


class JobManager(models.Manager):
    def for_verbs(self):
        """With what says whether it may be retried."""
        from console import jobs

        return self.annotate(retriable=jobs.may_retry())


class Job(models.Model):
    """Background work. The row is the promise, a message only wakes a worker (console.jobs).

    `args` and `result` hold ids and plain values; `error` is words for people. A worker that claims the row puts its
    `token` on it and keeps `lease_until` in the future; without both nothing it does takes effect.
    """

    QUEUED, RUNNING, DONE, FAILED, DEAD, CANCELLED = "queued", "running", "done", "failed", "dead", "cancelled"
    STATES = [(s, s.capitalize()) for s in (QUEUED, RUNNING, DONE, FAILED, DEAD, CANCELLED)]
    OPEN, GIVEN_UP = (QUEUED, RUNNING), (FAILED, DEAD)

    kind = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=STATES, default=QUEUED)
    stage = models.CharField(max_length=32, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Per cent.")
    attempt = models.PositiveSmallIntegerField(default=0)
    token = models.UUIDField(null=True, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    due_at = models.DateTimeField(db_default=Now(), help_text="Not to be started before.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last told of it.")
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    args = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+")
    request_id = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Of the request that asked for it."
    )
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    tries = models.JSONField(default=list, help_text="Attempts that came to nothing: when, by which worker, and why.")
    version = models.PositiveIntegerField(default=0)

    objects = JobManager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_ops", "Can see how the console fares inside"),
            ("manage_jobs", "Can retry and cancel background work"),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="job_open", condition=models.Q(state__in=("queued", "running"))),
            # most are done, and found by key; the others by their state, all of a kind by both
            models.Index(fields=["state", "id"], name="job_state", condition=~models.Q(state="done")),
            models.Index(fields=["kind", "state", "id"], name="job_kind"),
            GinIndex(OpClass(Upper("error"), "gin_trgm_ops"), name="job_error_anywhere", condition=~models.Q(error="")),
        ]

    def __str__(self):
        return f"job {self.pk}"

    def get_absolute_url(self):
        return reverse("console:job", args=[self.pk])

    @classmethod
    def lock_above(cls, pks):
        """Verbs lock what changes together with jobs before these (console.jobs)."""
        from console import jobs

        jobs.lock_above(cls.objects.filter(pk__in=pks).order_by("pk"))

    @property
    def standing(self):
        return self.state

    @property
    def may_be_retried(self):
        return self.state in (self.FAILED, self.DEAD, self.CANCELLED) and self.may_run_again

    @property
    def why_not(self):
        """Why it cannot be retried though it came to nothing, in a sentence; "" if it can."""
        from console import jobs

        if self.state in (self.QUEUED, self.RUNNING, self.DONE) or self.may_run_again:
            return ""
        return jobs.stays(self)

    @property
    def what(self):
        """Its kind in words."""
        from console import jobs

        return jobs.label_of(self)

    @property
    def cause(self):
        """Who asked for it, or what."""
        return self.created_by.display_name if self.created_by else "the system"

    @property
    def may_run_again(self):
        """Whether its kind allows that; without a query when loaded with it."""
        if "retriable" not in self.__dict__:
            self.retriable = type(self).objects.for_verbs().values_list("retriable", flat=True).get(pk=self.pk)
        return self.retriable
