"""How entries are sealed and how a chain of seals is checked: plain Python, so that an export is checked anywhere.

docs/ledger.md says what is hashed, and why a chain stays right when a dump is restored elsewhere.
"""

import hashlib
import json
from itertools import groupby, pairwise

FORMAT = "attendant-seal-1"
BEGINNING = "0" * 64  # what the first seal follows
FACTS = (
    "number",
    "at",
    "first_entry",
    "last_entry",
    "count",
    "entries",
    "xid_low",
    "xid_high",
    "settled",
    "previous",
)
MOST = 10_000  # findings that are kept; the rest is only counted


def digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


def seal_digest(facts, ids, digests):
    """The digest of a seal with these `FACTS`, over its entries' ids and digests in their order."""
    lines = [FORMAT, *(str(facts[name]) for name in FACTS)]
    lines += [f"{pk} {digest}" for pk, digest in zip(ids, digests, strict=True)]
    return digest_of("\n".join(lines))


def spans(ids):
    """Ascending ids in short: [1, 2, 3, 7] is "1-3,7"."""
    runs = groupby(enumerate(ids), lambda pair: pair[1] - pair[0])
    said = []
    for _, run in runs:
        members = [pk for _, pk in run]
        said.append(f"{members[0]}-{members[-1]}" if len(members) > 1 else str(members[0]))
    return ",".join(said)


def bounds(text):
    """`[(first, last)]` of spans. Raises ValueError when it is none."""
    pairs = [span.partition("-") for span in text.split(",")]
    return [(int(first), int(last or first)) for first, _, last in pairs]


def ids_of(text):
    return [pk for first, last in bounds(text) for pk in range(first, last + 1)]


class Check:
    """Follows a chain from its beginning. `wrong` is `{entry id: what is wrong with it, in words}`."""

    def __init__(self):
        self.entries = self.seals = self.count = 0
        self.previous, self.first, self.highest = BEGINNING, 0, 0
        self.wrong, self.sealed_as, self.found_as = {}, {}, {}
        self.heads = {}  # {number: (digest, first entry)}
        self.windows = []  # of each seal so far: highest entry of all until it, its own, transactions it left open

    @property
    def verdict(self):
        """About the first entry that is wrong, in words; "" when all is well."""
        if not self.wrong:
            return ""
        first = min(self.wrong)
        said = f"Entry {first} {self.wrong[first]}"
        held = {digest: pk for pk, digest in self.sealed_as.items()}.get(self.found_as.get(first))
        if held:
            said = f"Entry {first} was reordered: it holds what entry {held} held when it was sealed."
        others = self.count - 1
        return said + (f" {others:,} more {'is' if others == 1 else 'are'} wrong." if others else "")

    def blame(self, pk, words):
        self.count += 1
        if len(self.wrong) < MOST or pk < min(self.wrong):
            self.wrong.setdefault(pk, words)

    def seal(self, facts, digest, sealed, found):
        """One more seal: `sealed` maps its entries' ids to their digests as of then ("" where they are lost), `found`
        maps the ids of entries that are there now to `(transaction id, digest, …)`.
        """
        number, ids = facts["number"], list(sealed)
        if number != self.seals + 1:
            self.blame(ids[0], f"follows a gap: seal {self.seals + 1} is gone, and maybe entries with it.")
        elif facts["previous"] != self.previous:
            self.blame(self.first or ids[0], f"is in doubt: seal {number} does not follow from the one before it.")
        elif all(sealed.values()) and seal_digest(facts, ids, sealed.values()) != digest:
            self.blame(ids[0], f"is in doubt: seal {number}, which begins with it, was changed.")
        for pk, was in sealed.items():
            now = found.get(pk)
            if now is None:
                self.blame(pk, f"was removed: seal {number} holds it, the ledger does not.")
            elif now[1] != was:
                self.blame(pk, "was changed after it was sealed.")
                self.sealed_as[pk], self.found_as[pk] = was, now[1]
        if ids[0] < self.highest:
            for pk in ids:
                if pk in found and self.is_out_of_place(pk, found[pk][0]):
                    self.blame(pk, f"was added behind the console's back, before seal {number} was made.")
        self.entries += len(ids)
        self.seals, self.previous, self.first = number, digest, ids[0]
        self.heads[number] = digest, ids[0]
        self.highest = max(self.highest, ids[-1])
        self.windows.append((self.highest, ids[-1], facts["xid_low"], facts["xid_high"]))

    def is_out_of_place(self, pk, xid):
        """Whether an entry in no seal so far ought to have been in one: a later one is sealed below a higher id only
        when its transaction was still open then.
        """
        for highest, last, low, high in reversed(self.windows):
            if highest < pk:
                return False
            if last > pk and not low <= xid < high:
                return True
        return False

    def unsealed(self, pk, xid):
        """An entry in no seal at all. Returns whether it may still be sealed."""
        if self.is_out_of_place(pk, xid):
            self.blame(pk, "was added behind the console's back: no seal holds it, nor will one.")
            return False
        return True

    def agrees(self, head):
        """Whether the chain holds a seal that was written to a second place (console.anchor)."""
        return self.heads.get(head["number"], ("",))[0] == head["digest"]

    def blame_for(self, head):
        """Puts into words why a head does not agree: the first one that does not."""
        number = head["number"]
        if number in self.heads:
            first = self.heads[number][1]
            self.blame(first, f"is in doubt: seal {number}, which begins with it, is not the one in the anchor.")
            return
        cut = head["first_entry"] if number == self.seals + 1 else self.highest + 1
        said = f"is missing: the anchor knows seal {number} up to entry {head['last_entry']}, and the chain ends"
        self.blame(cut, f"{said} with seal {self.seals}. Its tail was cut.")


class Unreadable(Exception):
    """A line of an export that says nothing, or not in its place; the message says which."""


def check_lines(lines):
    """Checks an export, given as lines of text (console.sealexport). Returns `(Check, number of unsealed entries)`.

    Raises Unreadable.
    """
    check, batch, waiting, ended = Check(), [], 0, False
    for number, line in enumerate(lines, 1):
        try:
            said = json.loads(line)
            if number == 1:
                if said["ledger"] != FORMAT:
                    raise ValueError
            elif "seal" in said:
                _seal(check, said["seal"], batch)
                batch = []
            elif "end" in said:
                ended = True
                if said["end"] != check.previous:
                    check.blame(check.highest + 1, "is missing: the export was cut before its last seal.")
            elif said["sealed"]:
                batch.append(said)
            else:
                waiting += check.unsealed(said["entry"], json.loads(said["text"])["xid"])
        except (ValueError, KeyError, TypeError, IndexError):
            raise Unreadable(f"Line {number} is not one of an export with seals.") from None
    if not ended:
        check.blame(check.highest + 1, "is missing: the export ends in the middle.")
    return check, waiting


def _seal(check, facts, batch):
    ids = ids_of(facts["entries"])
    members, sealed, found = set(ids), dict.fromkeys(ids, ""), {}
    for line in batch:
        pk = line["entry"]
        if pk not in members or pk in found:
            check.blame(pk, f"was added to the export: seal {facts['number']} does not hold it.")
            continue
        sealed[pk] = line["digest"]
        found[pk] = json.loads(line["text"])["xid"], digest_of(line["text"])
    for before, after in pairwise(line["entry"] for line in batch):
        if before > after:
            check.blame(after, f"was reordered: it stands behind entry {before}.")
    check.seal(facts, facts["digest"], sealed, found)
