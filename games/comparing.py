"""What changed between two builds of a game: files added, removed and changed, and sizes."""

from dataclasses import dataclass

from games.models import Build

SHOWN = 50


@dataclass(frozen=True)
class Changes:
    """`added` and `removed` hold `(path, bytes)`, `changed` `(path, bytes before, bytes now)`; `grown` is in bytes."""

    before: Build
    added: list
    removed: list
    changed: list
    grown: int

    @property
    def is_nothing(self):
        return not (self.added or self.removed or self.changed)

    @property
    def more(self):
        """How many are not listed."""
        return sum(max(0, len(some) - SHOWN) for some in (self.added, self.removed, self.changed))

    @property
    def says(self):
        """ "2 files added, 1 changed" """
        counted = (len(self.added), "added"), (len(self.removed), "removed"), (len(self.changed), "changed")
        said = [f"{number} {word}" for number, word in counted if number]
        return f"{', '.join(said)}, compared with build {self.before.number}" if said else "The same files"


def changes(before, now):
    """The Changes from one build to another; None when there is nothing to compare with."""
    if before is None:
        return None
    old, new = ({path: (size, crc) for path, size, crc in build.files} for build in (before, now))
    added = [(path, new[path][0]) for path in sorted(new.keys() - old.keys())]
    removed = [(path, old[path][0]) for path in sorted(old.keys() - new.keys())]
    both = sorted(new.keys() & old.keys())
    changed = [(path, old[path][0], new[path][0]) for path in both if new[path] != old[path]]
    grown = sum(size for size, _ in new.values()) - sum(size for size, _ in old.values())
    return Changes(before, added, removed, changed, grown)


def with_changes(builds):
    """The builds, newest first, each with `changes` against the one before it that was unpacked."""
    files = Build.objects.defer(None).filter(pk__in=[build.pk for build in builds]).values_list("pk", "files")
    whole = dict(files)
    before = None
    for build in reversed(builds):
        build.files = whole[build.pk]
        build.changes = changes(before, build) if build.unpacked else None
        before = build if build.unpacked else before
    return builds
