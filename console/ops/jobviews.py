"""The pages about background work: the list, one job, and the verbs on them."""

import re

from django.db.models import Q
from django.db.models.functions import Upper

from console import jobs, verbs
from console.base import DetailPage, ListPage, VerbView, safe_next, with_params
from console.bulk import BulkView
from console.filters import ListFilter, choice, narrowed, text
from console.keyset import Matches, Order
from console.models import Job
from console.ops import actions, drawing
from console.ops.actions import MANAGE
from console.ops.drawing import JOB_CARD
from console.staffpages import done_to
from console.tabs import TabsMixin
from console.templatetags.console import capped

VIEW = "console.view_ops"
NOW, ALL = "now", "all"
GROUPS = {NOW: (Job.QUEUED, Job.RUNNING, Job.FAILED, Job.DEAD), ALL: ()}
EVERY_STATE = [state for state, _ in Job.STATES]


def kind_choices():
    return sorted(((kind.name, kind.label or kind.name) for kind in jobs.every_kind()), key=lambda each: each[1])


class JobFilter(ListFilter):
    defaults = {"status": NOW, "order": "newest", "per": "25"}
    in_panel = ("kind",)
    statuses = ((NOW, "Failing or waiting"), (ALL, "All"), *Job.STATES)

    status = choice("State", statuses, method="keep", empty_label=None)
    kind = choice("Kind", kind_choices)
    q = text("Search", method="by_words")
    order = choice("Order", [("newest", "Newest")], method="keep", empty_label=None)
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = Job
        fields = []

    @property
    def shown_status(self):
        return self.data.get("status") or NOW

    @property
    def matches(self):
        """One part for each state, so that each is read in the order of an index; all states of all kinds by key."""
        if not self.is_valid():
            return super().matches
        states = GROUPS.get(self.shown_status, (self.shown_status,))
        if self.shown_status == ALL and self.data.get("kind"):
            states = EVERY_STATE
        return Matches([self.qs.filter(state=state) for state in states] or [self.qs])

    def by_words(self, queryset, name, value):
        """A job's number, or words of why it came to nothing."""
        number = re.fullmatch(r"(?:job[ -]?)?(\d{1,18})", value.strip(), flags=re.ASCII | re.IGNORECASE)
        words = Q(words__contains=value.upper()) & ~Q(error="")
        found = queryset.alias(words=Upper("error"))
        return found.filter(pk=int(number[1])) if number else found.filter(words)

    def keep(self, queryset, name, value):
        return queryset


class JobsPage(TabsMixin, ListPage):
    section = "ops"
    permission_required = VIEW
    template_name = "console/jobs.html"
    filterset_class = JobFilter
    orders = (Order("newest", "Newest", "newest first", ("id",), descending=True),)

    def get_queryset(self):
        return Job.objects.all()

    def load(self, keys):
        return drawing.load(keys)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query, filterset, total = context["query"], context["filter"], context["total"]
        page = drawing.JobsPage(self.request, context["here"])
        status = filterset.shown_status
        return context | {
            "cards": drawing.several(context["rows"], page),
            "statuses": [
                (value, label, with_params(query, status="" if value == NOW else value).urlencode())
                for value, label in JobFilter.statuses
            ],
            "kinds": kind_choices(),
            "narrowed": narrowed(filterset, query),
            "found": f"{capped(total)} job{'' if total == 1 else 's'} {SAID.get(status, status)}".strip(),
            "empty": None if context["rows"] else nothing(query),
            "bulk": list(actions.BY_HAND) if page.ticks else [],
        }


SAID = {NOW: "failing or waiting", ALL: ""}


def nothing(query):
    """What an empty list says, and the one way on."""
    if query:
        return {
            "icon": "search",
            "heading": "No such jobs",
            "words": "Search by a job's number, or by words of why it failed, from three characters.",
            "href": "?",
            "action": "Show what fails or waits",
        }
    return {
        "icon": "coffee",
        "heading": "Nothing fails, and nothing waits",
        "words": "Background work that waits, is being done, or failed is listed here.",
        "href": "?status=all",
        "action": "Show all jobs",
    }


class JobPage(TabsMixin, DetailPage):
    section = "ops"
    permission_required = VIEW
    template_name = "console/job.html"

    def get_queryset(self):
        return drawing.queryset()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        (job,), user = drawing.with_subjects([self.object]), self.request.user
        return context | {
            "job": job,
            "args": [(name, value) for name, value in job.args.items() if type(value) is int],
            "since": drawing.when(job),
            "why_not": job.why_not if user.has_perm(MANAGE) else "",
            "offered": verbs.offered(actions.JOB, user),
            "done_to": done_to(job, user),
            "back": safe_next(self.request, drawing.jobs_url()),
        }


class JobVerb(VerbView):
    card = JOB_CARD
    queryset = staticmethod(JOB_CARD.queryset)


class JobsBulk(BulkView):
    permission_required = VIEW
    offered = tuple(verb.name for verb in actions.BY_HAND)
    card = JOB_CARD
    confirms = True
