"""Pictures of numbers: SVG drawn on the server, always with the numbers as a table beside it."""

from dataclasses import dataclass

from console.rows import drawn

PARTS = "console/_chart_rows.jinja"
WIDTH, HEIGHT, GAP = 720, 160, 4  # units of the picture; the page scales it
OTHERS = 6  # tones for what is neither good nor bad: "other-0" and on


@dataclass(frozen=True)
class Series:
    """One kind of thing counted: its name in the legend, its tone ("ok", "danger", "neutral"), a number per column."""

    label: str
    tone: str
    numbers: list[int]


def stacked(title, columns, series, unit="day", links=()):
    """What partials/console/_bars.html draws: columns (their labels, oldest first) with the series stacked on each.

    A column is a `unit` of time; with `links`, an address or "" for each, it leads somewhere.
    """
    totals = [sum(each.numbers[at] for each in series) for at in range(len(columns))]
    peak = max(totals, default=0)
    rows = [
        {
            "label": label,
            "numbers": [each.numbers[at] for each in series],
            "total": totals[at],
            "href": links[at] if links and totals[at] else "",
        }
        for at, label in enumerate(columns)
    ]
    areas = [_area(at, len(rows), row) for at, row in enumerate(rows) if row["href"]]
    return {
        "title": title,
        "width": WIDTH,
        "height": HEIGHT,
        "bars": _bars(series, len(columns), peak) if columns else [],
        "series": series,
        "unit": unit.capitalize(),
        "rows": rows,
        "lines": drawn(PARTS, "lines", rows),
        "areas": drawn(PARTS, "areas", areas, HEIGHT) if areas else "",
        "first": columns[0] if columns else "",
        "last": columns[-1] if columns else "",
        "says": f"{title}: {sum(totals):,} in all, at most {peak:,} {'on' if unit == 'day' else 'in'} one {unit}.",
    }


def _bars(series, columns, peak):
    """`[(tone, path)]`, one for each series: its bars, each on those of the series before it."""
    width, ground = WIDTH / columns, [HEIGHT] * columns
    gap = min(GAP, width / 3)
    wide = round(width - gap, 1)
    bars = []
    for each in series:
        path = []
        for at, number in enumerate(each.numbers):
            if height := round(number / peak * HEIGHT, 1) if peak else 0:
                ground[at] = round(ground[at] - height, 1)
                path.append(f"M{round(at * width + gap / 2, 1)} {ground[at]}h{wide}v{height}h-{wide}z")
        bars.append((each.tone, "".join(path)))
    return bars


def _area(at, columns, row):
    """What of the picture leads to a column's list: all of its height, so that low bars can be hit, too."""
    width = WIDTH / columns
    words = f"{row['label']}: {row['total']:,}"
    return row["href"], words, round(at * width, 1), round(width, 1)
