"""How bans are shown, and what answers do to lists and pages that show them (console.respond.Card)."""

from django.db.models import Min
from django.urls import reverse

from console import verbs
from console.base import COUNTED
from console.filters import query_of
from console.respond import Card
from console.templatetags.console import capped
from moderation import bandrawing as drawing
from moderation.actions import BAN
from moderation.banfilters import ALL, ENDING, BanFilter
from moderation.models import Ban


def bans_url():
    return reverse("moderation:bans")


def waiting():
    """How many bans wait for a second person; stops counting behind 1,000."""
    return Ban.objects.filter(held=True).waiting()[: COUNTED + 1].count()


def oldest():
    """Since when the first of them waits, or None."""
    return Ban.objects.filter(held=True).waiting().aggregate(Min("starts_at"))["starts_at__min"]


def belongs(ban, url, user):
    """Whether the list at this address shows the ban."""
    return BanFilter(query_of(url), Ban.objects.filter(pk=ban.pk), by=user).matches.exists()


def found_at(url, user):
    filterset = BanFilter(query_of(url), Ban.objects.all(), by=user)
    if not filterset.is_valid():
        return 0, ""
    total = filterset.matches.count(COUNTED)
    return total, found(total, filterset.shown_status)


def found(total, status):
    """How much there is, as a sentence without its order: "12 bans lifted"."""
    number = f"{capped(total)} ban{'' if total == 1 else 's'}"
    said = {Ban.ACTIVE: "in force", ENDING: "that end within a day", Ban.WAITING: "waiting", ALL: "in all"}
    return f"{number} {said.get(status, status)}"


def page(request, url):
    """The list at this address, for the rows on it."""
    return drawing.BansPage(request, url, verbs.offered(BAN, request.user))


BAN_CARD = Card(
    model=BAN,
    summary="moderation/_ban_summary.html",
    queryset=lambda: Ban.objects.for_rows(),
    list_url=bans_url,
    load=drawing.load,
    draw=drawing.ban,
    page=page,
    belongs=belongs,
    found=found_at,
)
