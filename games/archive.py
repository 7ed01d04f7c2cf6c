"""The zip inspector: reports on an untrusted zip, and unpacks what was found to be in order. No Django in here.

Run it in a child with limits (games.confined): `python -m games.archive inspect ZIP [LIMITS]` prints a report,
`unpack ZIP REPORT TARGET` prints `{"finding": …}`; both are JSON.
"""

import errno
import json
import os
import sys
import zlib
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from games import filetypes, zipnames, zipread
from games.findings import ERROR, NOTE, WARNING, Finding, Findings, Limits, Refused, megabytes, shown

__all__ = ["Broken", "Finding", "Limits", "Member", "Report", "inspect", "unpack"]

CHUNK = 64 << 10
NO_ROOM = 28  # exit code when the disk is full
STORED, DEFLATED = 0, 8
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
_WASTE = 64 << 10  # packed bytes that may pass without making anything; a mere flush takes five
_ANEW = "The zip is damaged: zip the folder again."
_BROKEN = 20  # damaged files, after which the rest is not looked into
# behind these, what is packed is not looked at either
_HEAVY = {"size", "ratio", "too_many_files", "encrypted", "method", "structure", "overlap"}
_MISNAMED = {"name", "backslash", "path_traversal", "path_length", "depth", "duplicate"}


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the game: its path in the game, and where its packed bytes start in the zip."""

    path: str
    size: int
    packed: int
    method: int
    offset: int
    crc: int


@dataclass(frozen=True, slots=True)
class Report:
    """`members` is empty unless the zip is `ok`; `wrapped` is the folder that was taken off every path."""

    members: tuple[Member, ...]
    findings: tuple[Finding, ...]
    unpacked: int
    wrapped: str

    @property
    def ok(self):
        return all(finding.level != ERROR for finding in self.findings)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text) -> "Report":
        told = json.loads(text)
        members = tuple(Member(**each) for each in told["members"])
        findings = tuple(Finding(**each) for each in told["findings"])
        return cls(members, findings, told["unpacked"], told["wrapped"])


class Broken(Exception):
    """The zip is not, or no longer, what the report says."""

    def __init__(self, finding):
        super().__init__(finding.sentence)
        self.finding = finding


def inspect(path, limits: Limits | None = None) -> Report:
    """Judges a zip: first from its headers, and only if those are in order by inflating every file once.

    Whatever the bytes are, the answer is a Report. OSError passes: then it was the disk, not the zip.
    """
    limits, findings = limits or Limits(), Findings()
    members, wrapped = (), ""
    try:
        with Path(path).open("rb") as file:
            members, wrapped = _inspect(file, limits, findings)
    except Refused as refused:
        findings.take(refused.finding)
    members = () if findings.errors() else tuple(members)
    return Report(members, findings.kept(), sum(member.size for member in members), wrapped)


def unpack(path, members, target):
    """Writes exactly `members` into `target`, an empty folder of ours.

    Raises Broken when the bytes are not those of the report, and lets OSError pass (a full disk); what was written
    by then is left for the caller, who throws the folder away.
    """
    root = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with Path(path).open("rb") as file:
            folders = set()
            for member in members:
                zipnames.check(member.path)
                _make_folders(root, member.path, folders)
                _write(root, member, _contents(file, member))
    except Refused as refused:
        raise Broken(refused.finding) from refused
    finally:
        os.close(root)


# --- from the headers ----------------------------------------------------------------------------------------


def _inspect(file, limits, findings):
    length = os.fstat(file.fileno()).st_size
    if length > limits.zip:
        most = megabytes(limits.zip)
        raise Refused(
            "size", f"The zip is {megabytes(length)}; at most {most} are allowed. Leave out what is not played."
        )
    directory = zipread.read_directory(file, length, limits.entries)
    named = _names(directory.entries, findings)
    _check_totals(directory.entries, limits, findings)
    for entry in directory.entries:
        for code, sentence in _header_troubles(entry, limits):
            findings.add(code, sentence, entry.shown)
    wrapped = zipnames.wrapper([name for name, _ in named if not name.endswith("/")])
    kept = _check_paths(named, wrapped, limits, findings)
    zipread.locate(file, directory)
    members = [
        Member(path, entry.size, entry.packed, entry.method, entry.data, entry.crc)
        for path, entry in kept
        if not path.endswith("/") or entry.packed
    ]
    if not findings.errors() & _HEAVY:
        _check_contents(file, members, findings)
    return [member for member in members if not member.path.endswith("/")], wrapped.removesuffix("/")


def _is_junk(entry):
    return zipnames.is_junk(entry.name.decode("utf-8", "replace"))


def _names(entries, findings):
    """`(name, entry)` of those whose names are in order and wanted; what many share is said once."""
    named, alike = [], defaultdict(list)
    for entry in entries:
        try:
            name, guessed = zipnames.decode(entry.name, entry.flags & zipread.UTF8)
            zipnames.check(name)
        except Refused as refused:
            if refused.finding.code == "backslash":
                alike["backslash"].append(refused.finding.path)
            else:
                findings.take(refused.finding)
            continue
        if zipnames.is_junk(name):
            alike["dropped"].append(name)
            continue
        if guessed:
            alike["guessed"].append(name)
        named.append((name, entry))
    if found := alike["backslash"]:
        tell = f"Windows' old zip tool wrote backslashes{_others(found)}. Zip the folder again with 7-Zip or Explorer."
        findings.add("backslash", tell, found[0])
    if found := alike["dropped"]:
        findings.add("dropped", f"Left out: what macOS or Windows put there{_others(found)}.", found[0], NOTE)
    if found := alike["guessed"]:
        tell = f"The name is not UTF-8 and was read as code page 437{_others(found)}. Check that it looks right."
        findings.add("name_guessed", tell, found[0], NOTE)
    return named


def _others(names):
    more = len(names) - 1
    return f", here and in {more:,} other {'name' if more == 1 else 'names'}" if more else ""


def _check_totals(entries, limits, findings):
    files = [entry for entry in entries if not entry.name.endswith(b"/") and not _is_junk(entry)]
    unpacked, packed = sum(entry.size for entry in files), sum(entry.packed for entry in files)
    if len(files) > limits.files:
        findings.add(
            "too_many_files", f"{len(files):,} files; at most {limits.files:,} are allowed. Pack assets together."
        )
    if unpacked > limits.unpacked:
        told = f"All files together are {megabytes(unpacked)} unpacked"
        findings.add("size", f"{told}; at most {megabytes(limits.unpacked)} are allowed. Leave out what is not played.")
    if unpacked > limits.ratio_from and unpacked > limits.ratio * packed:
        times = f"{unpacked // max(packed, 1):,}"
        findings.add(
            "ratio", f"It unpacks to {times} times its size, like a zip bomb; at most {limits.ratio} are allowed."
        )
    if not files:
        findings.add("empty", "There is no file of a game in the zip. Zip the folder that holds index.html.")


def _header_troubles(entry, limits):
    """`(code, sentence)` of what the directory alone says against an entry."""
    folder, kind = entry.name.endswith(b"/"), entry.mode & 0o170000
    if entry.flags & zipread.ENCRYPTED or entry.method == 99:
        yield "encrypted", "It is encrypted. Zip again without a password."
    elif entry.method not in (STORED, DEFLATED) or entry.flags & zipread.PATCHED:
        known = _METHODS.get(entry.method, f"method {entry.method}")
        yield "method", f"It is packed with {known}, which browsers' tools do not use. Zip again with “Deflate”."
    if kind not in (0, 0o040000, 0o100000) or (not folder and entry.mode & 0o6000):
        yield "link", f"It is {_special(kind)}, not a plain file. Put the file itself in its place and zip again."
    elif kind == 0o040000 and not folder:
        yield "structure", "It is a folder by its mode and a file by its name. Zip the folder again."
    if entry.size > limits.file:
        yield (
            "size",
            f"It is {megabytes(entry.size)}; at most {megabytes(limits.file)} a file are allowed. Make it smaller.",
        )
    if folder and (entry.size or entry.packed > 16):
        yield "structure", "A folder cannot hold bytes of its own. Zip the folder again."
    elif (entry.packed != entry.size) if entry.method == STORED else (entry.packed > entry.size * 9 // 8 + 1024):
        yield "structure", f"{entry.size:,} bytes cannot take {entry.packed:,} when packed. Zip the folder again."


def _special(kind):
    return {0o120000: "a link", 0o010000: "a pipe", 0o140000: "a socket", 0o100000: "a program with rights"}.get(
        kind, "a device"
    )


def _check_paths(named, wrapped, limits, findings):
    """`(path in the game, entry)` of everything whose place is its own; folders keep their slash."""
    kept, taken, hidden = [], zipnames.Taken(), set()
    for name, entry in named:
        path = name.removeprefix(wrapped)
        if not path:
            continue
        if long := zipnames.too_long(path, limits):
            findings.add(*long, path)
            continue
        if other := taken.add(path):
            findings.add(
                "duplicate", f"It has the same place as {shown(other)}. Rename or remove one of the two.", path
            )
            continue
        kept.append((path, entry))
        if not path.endswith("/"):
            _check_type(path, hidden, findings)
    files = [path for path, _ in kept if not path.endswith("/")]
    if files and not findings.errors() & _MISNAMED and (trouble := zipnames.no_index(files)):
        findings.add("no_index", trouble)
    return kept


def _check_type(path, hidden, findings):
    if part := filetypes.hidden(path):
        if part not in hidden:  # .git alone is hundreds of files
            hidden.add(part)
            tell = f"{shown(part, 60)} is hidden, which nothing that a player's browser needs is. Leave it out."
            findings.add("file_type", tell, path)
    elif trouble := filetypes.unwelcome(path):
        findings.add("file_type", trouble, path)
    if filetypes.is_archive(path):
        findings.add(*filetypes.nested()[:2], path, WARNING)


# --- from the bytes ------------------------------------------------------------------------------------------


def _check_contents(file, members, findings):
    broken = 0
    for member in members:
        try:
            head = b""
            for piece in _contents(file, member):
                head = head or piece[: filetypes.HEAD]
        except Refused as refused:
            findings.take(refused.finding)
            broken += 1
            if broken == _BROKEN:
                findings.add(
                    "corrupt", f"After {broken} damaged files, the rest was not looked into. Zip the folder again."
                )
                return
            continue
        if not member.path.endswith("/") and (found := filetypes.mismatch(member.path, head)):
            code, sentence, level = found
            findings.add(code, sentence, member.path, level)


def _contents(file, member):
    """Its bytes in pieces, never more than its size. Raises Refused when they are not those the headers promise."""
    made = crc = 0
    file.seek(member.offset)
    for piece in (_inflated if member.method == DEFLATED else _stored)(file, member):
        made += len(piece)
        if made > member.size:
            raise Refused("corrupt", f"It holds more than the {member.size:,} bytes it promises. {_ANEW}", member.path)
        crc = zlib.crc32(piece, crc)
        yield piece
    if made != member.size or crc != member.crc:
        raise Refused("corrupt", f"What is packed is not the file that was packed. {_ANEW}", member.path)


def _stored(file, member):
    left = member.packed
    while left:
        piece = file.read(min(CHUNK, left))
        if not piece:
            raise Refused("corrupt", f"The zip ends in the middle of it. {_ANEW}", member.path)
        left -= len(piece)
        yield piece


def _inflated(file, member):
    inflater, read, made = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
    try:
        for packed in _stored(file, member):
            if inflater.eof:
                break
            read += len(packed)
            while True:
                piece = inflater.decompress(packed, CHUNK)
                packed = inflater.unconsumed_tail
                made += len(piece)
                yield piece
                if inflater.eof or not (packed or len(piece) == CHUNK):
                    break
            if read > made * 9 // 8 + _WASTE:
                raise Refused("corrupt", f"It is packed without holding anything. {_ANEW}", member.path)
    except zlib.error as error:
        raise Refused("corrupt", f"It cannot be unpacked. {_ANEW}", member.path) from error
    if not inflater.eof:
        raise Refused("corrupt", f"It ends too early. {_ANEW}", member.path)
    if inflater.unused_data or read != member.packed:
        raise Refused("structure", "More is packed than belongs to the file. Zip the folder again.", member.path)


# --- onto the disk -------------------------------------------------------------------------------------------


def _make_folders(root, path, made):
    for end in (at for at, char in enumerate(path) if char == "/"):
        folder = path[:end]
        if folder not in made:
            os.mkdir(folder, 0o755, dir_fd=root)
            os.chmod(folder, 0o755, dir_fd=root)  # noqa: S103 - whatever the umask
            made.add(folder)


def _write(root, member, pieces):
    fresh = os.open(member.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=root)
    with os.fdopen(fresh, "wb") as out:
        os.fchmod(fresh, 0o644)
        for piece in pieces:
            out.write(piece)


def main(command, *arguments):
    """What the child answers, and its exit code."""
    if command == "inspect":
        path, *limits = arguments
        return inspect(path, Limits(**json.loads(limits[0])) if limits else None).to_json(), 0
    path, report, target = arguments
    report, finding = Report.from_json(Path(report).read_text(encoding="utf-8")), None
    try:
        if not report.ok:
            raise Broken(report.findings[0])
        unpack(path, report.members, target)
    except Broken as broken:
        finding = asdict(broken.finding)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return "", NO_ROOM
    return json.dumps({"finding": finding}), 0


if __name__ == "__main__":
    answer, code = main(*sys.argv[1:])
    sys.stdout.write(answer)
    raise SystemExit(code)
