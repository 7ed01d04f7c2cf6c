"""The ledger as pages: the list of gestures, and one entry with its gesture and its chain of undo."""

import re

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Count, Subquery
from django.urls import reverse

from console import ledger, masking, sheets, telling
from console.base import DetailPage, ListPage, safe_next
from console.filters import FilterPanel, narrowed
from console.keyset import Order
from console.ledgerdrawing import draw
from console.ledgerfilter import LedgerFilter
from console.models import Entry
from console.rows import Page
from console.templatetags.console import capped
from console.undo import may_undo
from console.undochain import chain_of
from console.values import POINTER

SHOWN = 50  # entries of a gesture on one page
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")  # as console.values writes them


def ledger_url():
    return reverse("console:ledger")


class LedgerPage(ListPage):
    permission_required = telling.OWN
    template_name = "console/ledger.html"
    filterset_class = LedgerFilter
    orders = (
        Order("newest", "Newest", "newest first", ("at", "id"), descending=True),
        Order("oldest", "Oldest", "oldest first", ("at", "id")),
    )

    def get_queryset(self):
        return telling.gestures_for(self.request.user)

    def load(self, keys):
        return telling.tell(keys, self.request.user)

    def newer_than(self, pk):
        gestures = self.get_queryset().filter(pk__in=Entry.objects.filter(pk__gt=pk).values("batch"))
        return LedgerFilter(self.request.GET, gestures, request=self.request).matches.count(1000)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query, filterset, user = context["query"], context["filter"], self.request.user
        kept = (*LedgerFilter.in_panel, "per")
        valid = filterset.is_valid()
        return context | {
            "cards": draw(context["rows"], Page(self.request, context["here"]), user),
            "statuses": LedgerFilter.statuses,
            "narrowed": narrowed(filterset, query),
            "kept": [(name, value) for name in kept for value in query.getlist(name)],
            "found": found(context["total"]) if valid else "Nothing was looked for",
            "empty": None if context["rows"] else (empty(query) if valid else UNCLEAR),
            "sees_all": user.has_perm(telling.ALL),
            "may_export": user.has_perm(telling.EXPORT),
        }


UNCLEAR = {
    "icon": "search",
    "heading": "This filter makes no sense",
    "words": "What is wrong with it is said above.",
    "href": "?",
    "action": "Show all that was done",
}


def found(total):
    return f"{capped(total)} thing{'' if total == 1 else 's'} done"


def empty(query):
    """What an empty list says, and the one way on."""
    if query.get("q"):
        words = "Search for a name or login of staff, a player's name, “comment 17”, an address, or a gesture's id."
        return {**UNCLEAR, "heading": f"No match for “{query['q']}”", "words": words}
    if query:
        return {**UNCLEAR, "heading": "Nothing matches these filters", "words": "Remove one of them, or all of them."}
    return {"icon": "scroll-text", "heading": "Nothing was done yet", "words": "Every decision is recorded here."}


class LedgerPanel(FilterPanel):
    permission_required = telling.OWN
    template_name = "console/ledger_panel.html"
    filterset_class = LedgerFilter


class EntryPage(DetailPage):
    permission_required = telling.OWN
    template_name = "console/entry.html"

    def get_queryset(self):
        return telling.entries_for(self.request.user).select_related("actor", "batch")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        entry, user = self.object, self.request.user
        several = entries_of(entry.batch_id, self.request.GET.get("after", ""))
        names = masking.reveal(set(refs_of([entry, *several])), user)
        entry.batch.actor = entry.actor
        chain = chain_of(entry.batch)
        return context | {
            "entry": entry,
            "declared": chain.current.declared,
            "did": telling.past_of(entry.verb),
            "about": telling.about(entry, names),
            "target": target_of(entry, user),
            "because": telling.reasons().get(entry.reason, entry.reason) if entry.reason else "",
            "words": names.get(entry.note, ""),
            "words_erased": entry.note and entry.note not in names,
            "address": names.get(entry.ip, ""),
            "changes": changes(entry, names),
            "several": [(each, telling.about(each, names), changes(each, names)) for each in several[:SHOWN]],
            "number": several[0].number if several else 0,
            "further": several[SHOWN - 1].pk if len(several) > SHOWN else "",
            "chain": chain.links if len(chain.links) > 1 else [],
            "sees_all": user.has_perm(telling.ALL),
            "undo": {"card": ""} if not chain.current.undone_by and may_undo(user, chain.gesture) else None,
            "undone_by": chain.current.undone_by,
            "back": safe_next(self.request, ledger_url()),
        }


def entries_of(batch, after):
    """The entries of a gesture behind this one, one more than are shown; each knows the `number` of all of them."""
    all_of_it = Entry.objects.filter(batch=batch).order_by()
    number = all_of_it.values("batch").annotate(number=Count("pk")).values("number")
    behind = all_of_it.filter(pk__gt=int(after)) if _NUMBER.fullmatch(after) else all_of_it
    return list(behind.annotate(number=Subquery(number)).order_by("pk")[: SHOWN + 1])


def refs_of(entries):
    """Every reference to a personal value in these entries."""
    for entry in entries:
        yield from (entry.target_label, entry.note, entry.ip)
        for value in [*entry.before.values(), *entry.after.values()]:
            if isinstance(value, dict) and set(value) == {POINTER}:
                yield value[POINTER]


def changes(entry, names):
    """Before and after, side by side: `[(field in words, before, after)]`."""
    return [
        (field_words(entry.target_type, name), shown(entry.before.get(name), names), shown(value, names))
        for name, value in entry.after.items()
    ]


def field_words(label, name):
    try:
        return str(apps.get_model(label)._meta.get_field(name).verbose_name)
    except (LookupError, FieldDoesNotExist):  # gone since
        return name


def shown(value, names):
    """A value of an entry for people."""
    if isinstance(value, dict) and set(value) == {POINTER}:
        return names.get(value[POINTER], "erased")
    if value in (None, "", {}, []):
        return "nothing"
    if isinstance(value, dict) and all(isinstance(each, int) for each in value.values()):
        return ", ".join(f"{what}: {number:,}" for what, number in value.items())
    said = ledger.dumped(value) if isinstance(value, dict | list) else sheets.text(value)
    return f"{said[:16].replace('T', ' ')} UTC" if isinstance(value, str) and _MOMENT.match(value) else said


def target_of(entry, user):
    """The row an entry is about, when it has a page that this person may open; else None."""
    try:
        model = apps.get_model(entry.target_type)
    except LookupError:
        return None
    if not hasattr(model, "get_absolute_url"):
        return None
    if not user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}"):
        return None
    return model._base_manager.filter(pk=entry.target_id).first()
