"""What the ledger can be narrowed by. Conditions on entries hold for a gesture when one of its entries fulfils them."""

import re
import uuid
from datetime import date, timedelta
from ipaddress import ip_address, ip_network

import django_filters as filters
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, Exists, Func, OuterRef, Q, Value
from django.db.models.functions import Length

from console import ledger, masking, telling, verbs
from console.filters import DaysForm, ListFilter, choice, day, hour, in_hour, midnight, text
from console.keyset import Matches
from console.models import Entry, Gesture, Personal, User

ALL, STANDS, UNDONE = "all", "stands", "undone"
SYSTEM = "system"
MOST_NAMED = 200  # so many rows of one name are looked for
_TARGET = re.compile(r"(?:\w+\.)?(?P<noun>[^\W\d][\w ]*?)\s*[\s:#]\s*#?(?P<pk>\d{1,18})", re.ASCII)

_ZONE = re.compile(r"%[^/\]]*")


class Within(Func):
    """Whether an address in `Personal` lies in a network; other kinds of value are never read as addresses."""

    template = "(CASE WHEN kind = 'address' THEN %(expressions)s::inet END)"
    arg_joiner = "::inet <<= "
    output_field = BooleanField()


class LedgerFilterForm(DaysForm):
    def clean_network(self):
        said = self.cleaned_data["network"]
        if said and network(said) is None:
            raise ValidationError("Write an address or a network, as 203.0.113.7 or 203.0.113.0/24.")
        return said


class LedgerFilter(ListFilter):
    defaults = {"status": ALL, "order": "newest", "per": "25"}
    in_panel = ("actor", "verb", "target", "reason", "network", "batch", "from", "to", "hour")
    statuses = ((ALL, "All"), (STANDS, "Stands"), (UNDONE, "Undone"))

    q = text("Search", method="keep")
    status = choice("Status", statuses, method="by_status", empty_label=None)
    actor = text("Who", method="by_actor", help_text="A login or a name; “system” for what the console did by itself.")
    verb = choice("What", lambda: verb_choices(), field_name="verb")
    target = text("On what", method="by_target", help_text="As “player:4592”, “comment 17”, or a player's name.")
    reason = choice("Reason", lambda: sorted(telling.reasons().items()), method="by_reason")
    network = text("Network", method="by_network", help_text="Whence: an address, or a network as 203.0.113.0/24.")
    batch = filters.UUIDFilter(
        label="Gesture", field_name="pk", error_messages={"invalid": "A gesture's id is 32 digits and letters a to f."}
    )
    locals()["from"] = day("From", "from_day")  # the parameter is called what Python calls a keyword
    to = day("To", "to_day")
    hour = hour("Hour", "by_hour")
    order = choice("Order", [(o, o.capitalize()) for o in ("newest", "oldest")], method="keep", empty_label=None)
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = Gesture
        fields = []
        form = LedgerFilterForm

    @property
    def shown_status(self):
        wanted = self.data.get("status") or ALL
        return wanted if wanted in dict(self.statuses) else ALL

    @property
    def matches(self):
        words = self.is_valid() and self.form.cleaned_data.get("q")
        return Gestures(search(self.qs, words, self.sees_whole) if words else super().matches.parts)

    def searched(self, said):
        """The network that is meant, no narrower than this person may search; None when it is none."""
        found = network(said)
        return found and masking.widened(found, self.sees_whole)

    @property
    def widened(self):
        values = self.form.cleaned_data if self.is_valid() else {}
        said = (network(values[name]) for name in ("network", "q") if values.get(name))
        return next(filter(None, (masking.said_of(net, self.sees_whole) for net in said)), "")

    def by_status(self, queryset, name, value):
        undone = Gesture.objects.exclude(undoes=None).filter(undone_by=None)
        if value == UNDONE:
            return queryset.filter(pk__in=undone.values("undoes"))
        return queryset if value == ALL else queryset.filter(~Exists(undone.filter(undoes=OuterRef("pk"))))

    def by_actor(self, queryset, name, value):
        return queryset.filter(actor=None) if value.lower() == SYSTEM else queryset.filter(actor__in=people(value))

    def by_target(self, queryset, name, value):
        return having(queryset, targets(value, self.sees_whole))

    def by_reason(self, queryset, name, value):
        return having(queryset, Q(reason=value))

    def by_network(self, queryset, name, value):
        return having(queryset, from_network(self.searched(value)))

    def from_day(self, queryset, name, value):
        return queryset.filter(at__gte=midnight(value))

    def to_day(self, queryset, name, value):
        return queryset if value == date.max else queryset.filter(at__lt=midnight(value + timedelta(days=1)))

    def by_hour(self, queryset, name, value):
        return queryset.filter(in_hour("at", value))

    def keep(self, queryset, name, value):
        return queryset


class Gestures(Matches):
    """Gestures have no number of their own: what is newest is told by their entries'."""

    def newest(self):
        return Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def _newest(self):
        return "SELECT max(id) FROM console_entry"


def verb_choices():
    named = [(verb.name, f"{verb.label} ({telling.noun_of(verb.model)})") for verb in verbs.every()]
    return sorted([*named, (ledger.UNDO, "Undo")], key=lambda pair: pair[1])


def having(queryset, condition):
    """The gestures with an entry that fulfils this."""
    return queryset.filter(pk__in=Entry.objects.filter(condition).values("batch"))


def network(said):
    """The network that is meant, IPv4 inside IPv6 unwrapped, without a zone; None when it is none."""
    try:
        found = ip_network(_ZONE.sub("", said.strip()).strip("[]"), strict=False)
    except ValueError:
        return None
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    return ip_network(f"{mapped}/{found.prefixlen - 96}") if mapped and found.prefixlen >= 96 else found


def from_network(net):
    # few, and looked up first: by the values themselves the planner knows whether entries with them are rare
    refs = Personal.objects.filter(Within("value", Value(str(net))), kind="address")
    return Q(ip__in=list(refs.values_list("ref", flat=True))) & ~Q(ip="")


def people(said):
    """The staff of exactly this login; else all whose login or name holds it."""
    whole = Q()
    for word in said.split():
        whole &= Q(first_name__icontains=word) | Q(last_name__icontains=word)
    found = User.objects.filter(Q(username__icontains=said) | whole).values_list("pk", "username")
    found = list(found.order_by(Length("username"), "pk")[:MOST_NAMED])
    return [pk for pk, login in found if login.lower() == said.lower()] or [pk for pk, _ in found]


def targets(said, whole=True):
    """The condition on entries for what somebody calls a target: noun and number, a number alone, or a name. Unless
    `whole`, no address or e-mail is a name.
    """
    found = _TARGET.fullmatch(said)
    noun = (found["noun"] if found else "").lower()
    labels = [m._meta.label_lower for m in _models() if noun in (m._meta.model_name, str(m._meta.verbose_name))]
    if labels:
        return Q(target_type__in=labels, target_id=int(found["pk"]))
    if said.isascii() and said.isdigit() and len(said) < 19:
        return Q(target_type__in=[model._meta.label_lower for model in _models()], target_id=int(said))
    return _named(said) if masking.value("label", said, whole) == said else Q(pk=None)


def _models():
    """Models that entries can be about."""
    return [model for model in apps.get_models() if any(field.name == "version" for field in model._meta.fields)]


def _named(name):
    """Whatever had this name when something was done to it: names the ledger has seen, as long as they are kept."""
    subjects = Personal.objects.filter(kind="label", value__iexact=name).values_list("subject", flat=True)
    condition = Q(pk=None)
    for subject in set(subjects[:MOST_NAMED]):
        label, _, pk = subject.rpartition(":")
        condition |= Q(target_type=label, target_id=int(pk))
    return condition


def search(queryset, words, whole=True):
    """What the search field finds, as parts for Matches: a gesture's id, an address, or staff, verb or target."""
    try:
        return [queryset.filter(pk=uuid.UUID(words))]
    except ValueError:
        pass
    try:
        ip_address(words.strip("[]").partition("/")[0])
    except ValueError:
        pass
    else:
        net = network(words)
        return [having(queryset, from_network(masking.widened(net, whole))) if net else queryset.none()]
    said = words.lower()
    named = [verb.name for verb in verbs.every() if said in (verb.name, verb.label.lower(), verb.past.lower())]
    named += [ledger.UNDO] if said in ("undo", "undone") else []
    parts = [having(queryset, targets(words, whole)), queryset.filter(actor__in=people(words))]
    return [*parts, queryset.filter(verb__in=named)] if named else parts
