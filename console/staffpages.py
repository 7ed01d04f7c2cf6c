"""Staff: who there is, and what each did in the last 30 days. In the order of their logins; nobody is ranked."""

from datetime import UTC
from itertools import groupby

from allauth.mfa.models import Authenticator
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, Max, OuterRef, Q, Subquery
from django.http import Http404
from django.urls import reverse

from console import invites, ledger, records, rows, staffactions, telling, verbs
from console.base import DetailPage, ListPage, safe_next
from console.filters import ListFilter, choice, narrowed, text
from console.keyset import BadCursor, Matches, Order
from console.ledgerdrawing import staff_rows
from console.models import Gesture, User
from console.staffforms import group_names
from console.staffmodel import MANAGE
from console.templatetags.console import capped
from console.undo import may_undo

ON_A_PAGE = 50  # gestures of a timeline
OF_ACCOUNT = 10  # of what was done to an account
OPERATOR, NO_GROUP = "operator", "none"
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


class AccountFilter(StaffFilter):
    """What operators can narrow the list by, too."""

    defaults = {**StaffFilter.defaults, "status": "all"}
    in_panel = ("group", "factor")
    statuses = (("all", "All"), *((s, s.capitalize()) for s in (User.ACTIVE, User.INVITED, User.DEACTIVATED)))

    status = choice("State", statuses, method="by_status", empty_label=None)
    group = choice("Group", lambda: group_choices(), method="by_group")
    factor = choice("Second factor", [("yes", "Set up"), ("no", "None yet")], method="by_factor")

    @property
    def shown_status(self):
        return self.data.get("status") or "all"

    def by_status(self, queryset, name, value):
        invited = Q(is_active=False, invited_until__isnull=False)
        wanted = {
            User.ACTIVE: Q(is_active=True),
            User.INVITED: invited,
            User.DEACTIVATED: ~invited & Q(is_active=False),
        }
        return queryset.filter(wanted.get(value, Q()))

    def by_group(self, queryset, name, value):
        if value in (OPERATOR, NO_GROUP):
            return queryset.filter(is_superuser=True) if value == OPERATOR else queryset.filter(roles=[])
        return queryset.filter(roles__contains=[value])

    def by_factor(self, queryset, name, value):
        return queryset.filter(has_factor() if value == "yes" else ~has_factor())


def group_choices():
    return [*((name, name) for name in group_names()), (OPERATOR, "Operator"), (NO_GROUP, "In no group")]


def has_factor():
    """Whether they are asked for more than a password; recovery codes alone are none."""
    types = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=types))


def with_role(queryset):
    """People with what `User.role` needs, and when they last did something."""
    last = Gesture.objects.filter(actor=OuterRef("pk")).order_by("-at").values("at")[:1]
    names = ArrayAgg("groups__name", filter=~Q(groups=None), order_by="groups__pk", default=[])
    people = list(queryset.annotate(names=names, last_at=Subquery(last), has_factor=has_factor()))
    for person in people:
        person.group_names = dict(enumerate(person.names))
    return people


class StaffPage(ListPage):
    permission_required = "console.view_staff"
    template_name = "console/staff.html"
    orders = (Order("login", "Login", "by login", ("username",)),)

    @property
    def manages(self):
        return self.request.user.has_perm(MANAGE)

    @property
    def filterset_class(self):
        return AccountFilter if self.manages else StaffFilter

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
        heading, words = "Nobody here", "No account is like what you filter by."
        if query.get("q"):
            heading, words = "Nobody is called that", "Logins and names are searched."
        return context | {
            "cards": staff_rows(context["rows"], rows.Page(self.request, context["here"]), self.manages),
            "found": f"{capped(total)} {'person' if total == 1 else 'people'}",
            "narrowed": narrowed(context["filter"], query),
            "empty": {
                "icon": "search",
                "heading": heading,
                "words": words,
                "href": "?",
                "action": "Show all staff",
            },
            **(self.for_operators(context["filter"], query) if self.manages else {}),
        }

    def for_operators(self, filterset, query):
        whole = AccountFilter(self.request.GET, request=self.request, whole=True)
        return {
            "manages": True,
            "statuses": AccountFilter.statuses,
            "asking": [(whole.form[name], [*whole.form[name].field.choices]) for name in AccountFilter.in_panel],
            "kept": [("per", value) for value in query.getlist("per")],
            "resets": [person for person in User.objects.exclude(reset_asked_at=None) if person.waits_for_reset],
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
            "days": by_day(telling.tell(keys, self.request.user)),
            "following": following,
            "later": "after" in self.request.GET,
            "record": record,
            "chart": record.chart,
            "back": safe_next(self.request, reverse("console:staff")),
            **(self.for_operators(person) if self.request.user.has_perm(MANAGE) else {}),
        }

    def for_operators(self, person):
        user = self.request.user
        against = staffactions.against_approving(person, user)
        hidden = {"staff.deactivate", "staff.demote"} if person == user else set()
        hidden |= set() if person.has_factor else {"staff.ask_reset"}
        hidden |= {"staff.approve_reset"} if against else set()
        return {
            "manages": True,
            "offered": [verb for verb in verbs.offered(staffactions.ACCOUNT, user) if verb.name not in hidden],
            "against": against,
            "link": invites.shown_once(self.request, person),
            "signed_in_at": person.sign_ins.aggregate(last=Max("at"))["last"],
            "done_to": done_to(person, user),
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


def done_to(person, user):
    """What was done to the account lately: `[(console.telling.Told, whether this person may undo it)]`."""
    keys = list(dict.fromkeys(entry.batch_id for entry in ledger.entries_on(person)[:OF_ACCOUNT]))
    return [(told, not told.undone_by and may_undo(user, told.gesture)) for told in telling.tell(keys, user)]
