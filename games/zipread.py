"""The records of a zip, read strictly: every byte belongs to one of them, and what is told twice is told alike.

Two readers that see different files in one archive are how something is smuggled past a reviewer, so what could be
read in two ways is refused. Nothing is inflated here, and no name is judged.
"""

import struct
from dataclasses import dataclass

from games.findings import MIB, Refused, shown

ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # by password, strongly, with the directory masked
DEFERRED, PATCHED, UTF8 = 0x0008, 0x0020, 0x0800
_MATTER = ENCRYPTED | DEFERRED | PATCHED | UTF8

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_EMPTY16, _EMPTY32 = 0xFFFF, 0xFFFFFFFF  # "look in the ZIP64 record"
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_DIRECTORY = 8 * MIB
_NEWEST = 63  # the version of the format that a reader must know, times ten; there is none above 6.3
_AGAIN = "Zip the folder again with an ordinary tool, into a new file."
_ELSEWHERE = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "a picture",
    b"MZ": "a Windows program",
    b"<": "a web page",
}


@dataclass(slots=True)
class Entry:
    """A file or folder as the directory tells it; `data` is where its packed bytes start, once `locate` has been."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int
    data: int = 0

    @property
    def shown(self):
        return shown(self.name.decode("utf-8", "backslashreplace"))


@dataclass(slots=True)
class Directory:
    """The entries in the order told, and the offset at which the directory itself starts."""

    entries: list
    start: int


def read_directory(file, length, most):
    """The Directory of `file`, whose size is `length`; refuses more than `most` entries by their number alone.

    Raises Refused.
    """
    edge, here, total, size, start = _end(file, length)
    if total > most:
        raise Refused("too_many_files", f"{total:,} files and folders; no more than {most:,} are even counted.")
    if here != total:
        raise _odd(f"The zip tells of {total:,} files once and of {here:,} in another place.")
    if start + size != edge:
        front = edge - start - size
        what = f"{front:,} bytes lie in front of the zip" if front > 0 else "the directory is not where it should be"
        raise _odd(f"It is not one plain zip: {what}.")
    if total == 0 and start == size == 0:
        raise Refused("empty", "There is no file in the zip. Zip the folder that holds index.html.")
    if size > _DIRECTORY or size < total * _CENTRAL.size:
        raise _odd(f"A directory of {size:,} bytes cannot belong to {total:,} files.")
    return Directory(_walk(_read(file, start, size), total), start)


def locate(file, directory):
    """Reads the header in front of each file, sets `data`. Raises Refused at the first that does not agree."""
    ordered = sorted(directory.entries, key=lambda entry: entry.offset)
    ends = [entry.offset for entry in ordered[1:]] + [directory.start]
    for entry, end in zip(ordered, ends, strict=True):
        if entry.offset + _LOCAL.size + len(entry.name) + entry.packed > end:
            raise Refused("overlap", f"{entry.shown} reaches into what lies behind it. {_AGAIN}", entry.shown)
    if ordered and ordered[0].offset:
        raise _odd(f"{ordered[0].offset:,} bytes lie in front of the first file.")
    for entry, end in zip(ordered, ends, strict=True):
        _locate(file, entry, end)


def _odd(sentence, path=""):
    return Refused("structure", f"{sentence} {_AGAIN}", path)


def _read(file, offset, size):
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise _odd("The zip ends in the middle of a record.")
    return data


# --- the end of the file -------------------------------------------------------------------------------------


def _end(file, length):
    """`(where the end records start, entries on this disk, entries, directory's size, its offset)`."""
    at = _find_end(file, length)
    _, disk, first, here, total, size, start, _ = _END.unpack(_read(file, at, _END.size))
    small = (disk, first, here, total, size, start)
    locator = _read(file, at - _LOCATOR.size, _LOCATOR.size) if at >= _LOCATOR.size + _END64.size else b""
    if locator.startswith(b"PK\6\7"):
        at, small = _end64(file, at - _LOCATOR.size, locator, small)
    if small[0] or small[1]:
        raise _odd("It is a part of a zip that was split.")
    return at, *small[2:]


def _end64(file, at, locator, small):
    _, disk, where, disks = _LOCATOR.unpack(locator)
    if disk or disks > 1 or where != at - _END64.size:
        raise _odd("Its ZIP64 end record is not where the zip says.")
    mark, size, _, _, *big = _END64.unpack(_read(file, where, _END64.size))
    agree = all(
        told in (value, blank) for told, value, blank in zip(small, big, (_EMPTY16,) * 4 + (_EMPTY32,) * 2, strict=True)
    )
    if mark != b"PK\6\6" or size != _END64.size - 12 or not agree:
        raise _odd("Its ZIP64 end record does not agree with the ordinary one.")
    return where, big


def _find_end(file, length):
    if length == 0:
        raise Refused("empty", "The file is empty: 0 bytes arrived. Choose it again.")
    first = max(0, length - _END.size - 0xFFFF)
    tail = _read(file, first, length - first)
    places, at = [], tail.find(b"PK\5\6")
    while at != -1:
        places.append(at)
        at = tail.find(b"PK\5\6", at + 1)
    exact = [at for at in places if _comment(tail, at) == len(tail) - at - _END.size]
    if not exact:
        raise _no_end(_read(file, 0, min(length, 16)), tail, places)
    if len(exact) > 1 or exact[0] != places[-1]:
        raise _odd("The zip could end in more than one place.")
    return first + exact[0]


def _comment(tail, at):
    """The length of the comment told by the end record at `at`; -1 if it is cut."""
    return _END.unpack_from(tail, at)[-1] if at + _END.size <= len(tail) else -1


def _no_end(head, tail, places):
    if not head.startswith(b"PK"):
        other = next((name for mark, name in _ELSEWHERE.items() if head.startswith(mark)), "")
        what = f"This is {other}, not a zip." if other else "This is not a zip."
        return Refused("not_a_zip", f"{what} Zip the folder that holds index.html, and upload that file.")
    comment = _comment(tail, places[-1]) if places else -1
    if comment < 0 or comment > len(tail) - places[-1] - _END.size:
        return Refused("truncated", "The end of the zip is missing: it was cut on the way. Upload it again.")
    return _odd("Something follows the end of the zip.")


# --- the directory -------------------------------------------------------------------------------------------


def _walk(data, total):
    entries, at = [], 0
    for number in range(total):
        if at + _CENTRAL.size > len(data) or data[at : at + 4] != b"PK\1\2":
            raise _odd(f"The directory tells of {total:,} files and lists {number:,}.")
        entry, at = _entry(data, at)
        entries.append(entry)
    if at != len(data):
        raise _odd(f"The directory tells of {total:,} files and holds more.")
    return entries


def _entry(data, at):
    fields = _CENTRAL.unpack_from(data, at)
    _, _, needs, flags, method, _, _, crc, packed, size, names, extras, comments, disk, _, attributes, offset = fields
    after_name = at + _CENTRAL.size + names
    after = after_name + extras + comments
    if after > len(data):
        raise _odd("The directory ends in the middle of an entry.")
    entry = Entry(data[after_name - names : after_name], flags, method, crc, packed, size, attributes >> 16, offset)
    if needs & 0xFF > _NEWEST:
        raise _odd(f"{entry.shown} asks for a version of zip that does not exist.", entry.shown)
    told = ((size, _EMPTY32), (packed, _EMPTY32), (offset, _EMPTY32), (disk, _EMPTY16))
    extra = _extras(data[after_name : after_name + extras], entry)
    entry.size, entry.packed, entry.offset, disk = _widen(told, extra.get(_ZIP64), entry)
    if disk:
        raise _odd(f"{entry.shown} is said to be in another part of a split zip.", entry.shown)
    return entry, after


def _extras(raw, entry):
    """The extra fields that change what is read. Up to three bytes of nothing at the end are how zips are aligned."""
    fields, at = {}, 0
    while at + 4 <= len(raw):
        number, size = struct.unpack_from("<HH", raw, at)
        at += 4
        if at + size > len(raw) or (number in fields):
            raise _odd(f"{entry.shown} has extra fields that cannot be read.", entry.shown)
        if number in (_ZIP64, _UNICODE_PATH):
            fields[number] = raw[at : at + size]
        at += size
    if raw[at:].strip(b"\0"):
        raise _odd(f"{entry.shown} has extra fields that cannot be read.", entry.shown)
    # JSZip repeats a name that is not ASCII; repeating is all it may do, since only some readers honour it
    if _UNICODE_PATH in fields and fields[_UNICODE_PATH][5:] != entry.name:
        raise _odd(f"{entry.shown} has a second name.", entry.shown)
    return fields


def _widen(told, raw, entry):
    """The values told by a header, those that did not fit taken from its ZIP64 field.

    The field holds what did not fit, or by some tools everything from the start; then it must repeat the rest.
    """
    values = [value for value, _ in told]
    if raw is None:
        return values
    widths = [8, 8, 8, 4][: len(told)]
    wanted = [place for place, (value, blank) in enumerate(told) if value == blank]
    if len(raw) != sum(widths[place] for place in wanted):
        wanted = next((list(range(n)) for n in range(len(told) + 1) if sum(widths[:n]) == len(raw)), None)
    at, agree = 0, wanted is not None
    for place in wanted or ():
        wide = int.from_bytes(raw[at : at + widths[place]], "little")
        agree = agree and told[place][0] in (wide, told[place][1])
        values[place], at = wide, at + widths[place]
    if not agree:
        raise _odd(f"The ZIP64 sizes of {entry.shown} do not agree with the ordinary ones.", entry.shown)
    return values


# --- in front of and behind each file ------------------------------------------------------------------------


def _locate(file, entry, end):
    mark, _, flags, method, _, _, crc, packed, size, names, extras = _LOCAL.unpack(
        _read(file, entry.offset, _LOCAL.size)
    )
    entry.data = entry.offset + _LOCAL.size + names + extras
    if mark != b"PK\3\4" or entry.data + entry.packed > end:
        raise _odd(f"{entry.shown} is not where the directory says.", entry.shown)
    rest = _read(file, entry.offset + _LOCAL.size, names + extras)
    if rest[:names] != entry.name:
        other = shown(rest[:names].decode("utf-8", "backslashreplace"))
        raise _odd(f"{entry.shown} in the directory is called {other} where it lies.", entry.shown)
    told = ((size, _EMPTY32), (packed, _EMPTY32))
    size, packed = _widen(told, _extras(rest[names:], entry).get(_ZIP64), entry)
    pairs = ((crc, entry.crc), (packed, entry.packed), (size, entry.size))
    # a stream learns them later: then they are nothing here, and stand behind the file
    agree = all(value == known or (flags & DEFERRED and value == 0) for value, known in pairs)
    if method != entry.method or (flags ^ entry.flags) & _MATTER or not agree:
        raise _odd(f"{entry.shown} is told in two ways that do not agree.", entry.shown)
    behind = _read(file, entry.data + entry.packed, min(end - entry.data - entry.packed, 32))
    if behind not in (_descriptors(entry) if flags & DEFERRED else (b"",)):
        raise _odd(f"Behind {entry.shown} lie bytes that belong to no file, or to one that is hidden.", entry.shown)


def _descriptors(entry):
    """What may stand behind a streamed file: with or without its mark, in 32 or 64 bits."""
    wide = struct.pack("<IQQ", entry.crc, entry.packed, entry.size)
    plain = struct.pack("<III", entry.crc, entry.packed & _EMPTY32, entry.size & _EMPTY32)
    return plain, b"PK\7\x08" + plain, wide, b"PK\7\x08" + wide
