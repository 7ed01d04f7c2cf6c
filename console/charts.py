"""Pictures of numbers: SVG drawn on the server, always with the numbers as a table beside it."""

from dataclasses import dataclass

WIDTH, HEIGHT, GAP = 720, 160, 4  # units of the picture; the page scales it
OTHERS = 6  # tones for what is neither good nor bad: "other-0" and on


@dataclass(frozen=True)
class Series:
    """One kind of thing counted: its name in the legend, its tone ("ok", "danger", "neutral"), a number per column."""

    label: str
    tone: str
    numbers: list[int]


def stacked(title, columns, series):
    """What partials/console/_bars.html draws: columns (their labels, oldest first) with the series stacked on each."""
    totals = [sum(each.numbers[at] for each in series) for at in range(len(columns))]
    peak = max(totals, default=0)
    width = WIDTH / max(len(columns), 1)
    bars = []
    for at in range(len(columns)):
        bottom = HEIGHT
        for each in series:
            height = round(each.numbers[at] / peak * HEIGHT, 1) if peak else 0
            if height:
                bottom = round(bottom - height, 1)
                x = round(at * width + GAP / 2, 1)
                bars.append({"x": x, "y": bottom, "width": round(width - GAP, 1), "height": height, "tone": each.tone})
    return {
        "title": title,
        "width": WIDTH,
        "height": HEIGHT,
        "bars": bars,
        "series": series,
        "rows": [
            {"label": label, "numbers": [each.numbers[at] for each in series], "total": totals[at]}
            for at, label in enumerate(columns)
        ],
        "first": columns[0] if columns else "",
        "last": columns[-1] if columns else "",
        "says": f"{title}: {sum(totals):,} in all, at most {peak:,} on one day.",
    }
