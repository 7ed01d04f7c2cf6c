"""Tables and verdicts from samples."""

from bench import cases

NOISE = 1.25  # what a shared machine adds to a ratio: --check lets that pass
HEAD = ("case", "target", "n", "SQL", "p50 ms", "p95 ms", "CPU ms", "DB ms", "bytes", "gzip", "times the console")


def percentile(samples, share, name="ms"):
    values = sorted(each[name] for each in samples)
    return values[min(int(share * len(values)), len(values) - 1)]


def median(samples, name="ms"):
    return percentile(samples, 0.5, name)


def lined_up(rows):
    """Rows of text as a table in Markdown that is readable as it stands."""
    widths = [max(len(str(row[place])) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def table(runs):
    rows = [HEAD]
    for case, targets in runs.items():
        if case == "memory":
            continue
        for name, samples in targets.items():
            if samples:
                ours = median(targets["console"])
                rows.append((case, name, *_figures(samples), f"{median(samples) / ours:.1f}"))
    memory = [f"Worker memory, MiB: {', '.join(f'{n} {mb:.0f}' for n, mb in runs.get('memory', {}).items())}"]
    return "\n".join([lined_up(rows), "", *memory, ""])


def _figures(samples):
    return (
        len(samples),
        f"{median(samples, 'sql'):.0f}",
        f"{median(samples):.1f}",
        f"{percentile(samples, 0.95):.1f}",
        f"{median(samples, 'cpu'):.1f}",
        f"{median(samples, 'db'):.1f}",
        median(samples, "bytes"),
        median(samples, "zipped"),
    )


def growth(runs):
    sizes = list(next(iter(runs.values())))
    rows = [("case", *(f"{int(size):,}" for size in sizes), "largest / smallest", "SQL")]
    for case, targets in runs.items():
        if targets.get(sizes[0]):
            times = [median(targets[size]) for size in sizes]
            sql = f"{median(targets[sizes[-1]], 'sql'):.0f}"
            rows.append((case, *(f"{time:.1f}" for time in times), f"{times[-1] / times[0]:.2f}", sql))
    return lined_up(rows) + "\n"


def missed(runs, is_growth, slack=1.0):
    """Sentences about goals that were not met, each goal relaxed by `slack`."""
    return _grown(runs, slack) if is_growth else [*_ratios(runs, slack), *_limits(runs, slack)]


def judged(runs, is_growth):
    """How much of what was promised this run can tell."""
    if is_growth:
        number, of = sum(1 for case in cases.GROWTH if runs.get(case)), len(cases.GROWTH)
    else:
        number, of = sum(1 for goal in cases.GOALS if all(_both(runs, goal))), len(cases.GOALS)
    return f"{number} of {of} goals were measured."


def _both(runs, goal):
    ours = runs.get(goal.case, {}).get("console")
    return ours, runs.get(goal.than, {}).get("console") or runs.get(goal.case, {}).get(goal.than)


def _ratios(runs, slack):
    for goal in cases.GOALS:
        ours, other = _both(runs, goal)
        if not ours or not other:
            continue
        times = median(other) / median(ours)
        if goal.at_least and times * slack < goal.at_least:
            yield f"Missed: {goal.case} is {times:.1f} times as fast as {goal.than}, not {goal.at_least}."
        share = 0.99 if goal.measure == "p99" else 0.5
        times = percentile(ours, share) / median(other)
        if goal.at_most and times > goal.at_most * slack:
            what = f"{goal.case} ({goal.measure})"
            yield f"Missed: {what} takes {times:.2f} times what {goal.than} takes, not {goal.at_most}."


def _limits(runs, slack):
    for case in [case for case in cases.LISTS if case in runs]:
        if (count := median(runs[case]["console"], "sql")) > cases.MOST_SQL:
            yield f"Missed: {case} takes {count} statements, not {cases.MOST_SQL}."
    if runs.get("poll unchanged") and median(runs["poll unchanged"]["console"], "sql"):
        yield "Missed: an unchanged poll asks the database."
    mb = runs.get("memory", {}).get("console", 0)
    if mb > cases.MOST_MIB * slack:
        yield f"Missed: a worker takes {mb:.0f} MiB, not {cases.MOST_MIB}."


def _grown(runs, slack):
    result = []
    for case, most in cases.GROWTH.items():
        targets = [samples for samples in runs.get(case, {}).values() if samples]
        if len(targets) > 1:
            times = median(targets[-1]) / median(targets[0])
            if times > most * slack:
                result.append(f"Missed: {case} grew {times:.2f} times, not {most}.")
    return result
