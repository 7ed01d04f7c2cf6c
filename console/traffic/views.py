"""The page of traffic: what came when, and from where. It only reads what was counted before."""

from dataclasses import replace
from ipaddress import ip_network

from django.conf import settings

from console import masking
from console.base import ConsoleView
from console.charts import Series, stacked
from console.htmx import wants_partial
from console.traffic import measures, reading
from console.traffic.forms import PERIODS, PeriodForm

MANY = 100  # of fewer a percentage says nothing


class TrafficPage(ConsoleView):
    permission_required = "console.view_traffic"
    template_name = "console/traffic.html"
    root = "#traffic"

    def get_context_data(self, **kwargs):
        self.form = PeriodForm(self.request.GET)
        span = self.form.span
        counted = reading.numbers(span)
        return super().get_context_data(
            form=self.form,
            periods=PERIODS.items(),
            span=span,
            as_of=reading.as_of(),
            pictures=[picture(each, span, counted[each.name], self.request.user) for each in measures.every()],
            tables=tables(reading.addresses(span), self.request.user),
            kept_days=settings.TRAFFIC_ADDRESS_DAYS,
            is_masked=not masking.sees_whole(self.request.user),
            **kwargs,
        )

    def render_to_response(self, context, **kwargs):
        response = super().render_to_response(context, **kwargs)
        if wants_partial(self.request):
            response["HX-Push-Url"] = self.request.get_full_path()
        if not self.form.is_valid():
            response.status_code = 422
            response["HX-Retarget"], response["HX-Reswap"] = self.root, "outerHTML"  # else it is taken for a proxy's
        return response


def picture(measure, span, parts, user):
    """A measure as a chart, with its total in words; its columns lead to the list, for those who may open it."""
    kinds, places = measure.kinds_of(parts), range(len(span.columns))
    series = [Series(kind.label, kind.tone, [kind.numbers.get(place, 0) for place in places]) for kind in kinds]
    total = sum(sum(each.numbers) for each in series)
    earlier = sum(kind.numbers.get(reading.BEFORE, 0) for kind in kinds)
    listing = measure.listing if measure.listing and user.has_perm(measure.listing.permission) else None
    links = listing.each(span.columns, span.is_hourly) if listing else ()
    chart = stacked(measure.label, span.labels, series, unit=span.unit, links=links)
    return chart | {"total": total, "said": said(measure, total, earlier, span.length)}


def said(measure, total, earlier, length):
    """The total, and how it compares with the time of the same `length` before it, in words."""
    before = f"in the {length} before"
    noun = measure.one if total == 1 else measure.many
    words = f"{total:,} {noun}" if total else f"No {noun}"
    if not earlier:
        return f"{words}; none {before}." if total else f"{words}, as {before}."
    if total == earlier:
        return f"{words}, as many as {before}."
    more = total - earlier
    share = f" ({more / earlier:+.0%})" if earlier >= MANY else ""
    return f"{words}, {abs(more):,} {'more' if more > 0 else 'fewer'} than {before}{share}."


def tables(found, user):
    """The lines with addresses as this person sees them, and where each can be looked up."""
    whole, lookups = masking.sees_whole(user), measures.lookups_of(user)

    def shown(lines):
        return [
            {
                "line": replace(line, address=masking.address(line.address, whole)),
                "links": [(each.label, each.of(sought(line.address, whole))) for each in lookups],
            }
            for line in lines
        ]

    return {
        "found": found,
        "addresses": shown(found.addresses),
        "networks": shown(found.networks),
        "new": shown(found.new),
        "heads": [each.label for each in found.measures],
        "is_kept": found.first <= found.last,
    }


def sought(address, whole):
    """What is looked for: no narrower than this person may."""
    network = masking.widened(ip_network(address), whole)
    return str(network.network_address) if network.num_addresses == 1 else str(network)
