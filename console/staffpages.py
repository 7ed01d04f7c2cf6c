"""Staff: who there is, and what each did in the last 30 days. In the order of their logins; nobody is ranked."""

from datetime import UTC
from itertools import groupby

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import OuterRef, Q, Subquery
from django.http import Http404
from django.urls import reverse

from console import records, rows, telling
from console.base import DetailPage, ListPage, safe_next
from console.filters import ListFilter, choice, narrowed, text
from console.keyset import BadCursor, Matches, Order
from console.ledgerdrawing import staff_rows
from console.models import Gesture, User
from console.templatetags.console import capped

ON_A_PAGE = 50  # gestures of a timeline
NEWEST = Order("newest", "Newest", "newest first", ("at", "id"), descending=True)


class StaffFilter(ListFilter):
    defaults = {"order": "login", "per": "25"}
    in_panel = ()
    statuses = ()

    q = text("Search", method="by_words")
    order = choice("Order", [("login", "Login")], method="keep", empty_label=None)
    per = choice("On a page", [(n, n) for n in ("25", "50", "100")], method="keep", empty_label=None)

    class Meta:
        model = User
        fields = []

    def by_words(self, queryset, name, value):
        for word in value.split():
            holds = Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
            queryset = queryset.filter(holds)
        return queryset

    def keep(self, queryset, name, value):
        return queryset


def with_role(queryset):
    """People with what `User.role` needs, and when they last did something."""
    last = Gesture.objects.filter(actor=OuterRef("pk")).order_by("-at").values("at")[:1]
    names = ArrayAgg("groups__name", filter=~Q(groups=None), order_by="groups__pk", default=[])
    people = list(queryset.annotate(names=names, last_at=Subquery(last)))
    for person in people:
        person.group_names = dict(enumerate(person.names))
    return people


class StaffPage(ListPage):
    permission_required = "console.view_staff"
    template_name = "console/staff.html"
    filterset_class = StaffFilter
    orders = (Order("login", "Login", "by login", ("username",)),)

    def get_queryset(self):
        return telling.staff_for(self.request.user)

    def load(self, keys):
        """People in this order, each with their `record` of the last 30 days."""
        people = {person.pk: person for person in with_role(User.objects.filter(pk__in=keys))}
        counted = records.of_several(keys)
        for pk, person in people.items():
            person.record = counted[pk]
        return [people[key] for key in keys if key in people]

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        total, query = context["total"], context["query"]
        return context | {
            "cards": staff_rows(context["rows"], rows.Page(self.request, context["here"])),
            "found": f"{capped(total)} {'person' if total == 1 else 'people'}",
            "narrowed": narrowed(context["filter"], query),
            "empty": {
                "icon": "search",
                "heading": "Nobody is called that" if query.get("q") else "Nobody here",
                "words": "Logins and names are searched.",
                "href": "?",
                "action": "Show all staff",
            },
        }


class StaffMemberPage(DetailPage):
    permission_required = "console.view_staff"
    template_name = "console/staff_member.html"

    def get_queryset(self):
        return telling.staff_for(self.request.user)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        (person,) = with_role(User.objects.filter(pk=self.object.pk))
        keys, following = self.keys(person)
        record = records.of_one(person)
        return context | {
            "person": person,
            "days": by_day(telling.tell(keys)),
            "following": following,
            "later": "after" in self.request.GET,
            "record": record,
            "chart": record.chart,
            "back": safe_next(self.request, reverse("console:staff")),
        }

    def keys(self, person):
        """The gestures of this page of the timeline, and the cursor of the next."""
        gestures = Gesture.objects.filter(actor=person, at__gte=records.since())
        try:
            return Matches([gestures]).page(NEWEST, self.request.GET.get("after", ""), ON_A_PAGE)
        except BadCursor:
            raise Http404("That cursor is none of ours.") from None


def by_day(told):
    """`[(day in UTC, what was done on it)]`."""
    return [(day, list(several)) for day, several in groupby(told, lambda each: each.gesture.at.astimezone(UTC).date())]
