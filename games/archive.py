"""stub until the inspector lands"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    zip: int = 50 * 2**20
    unpacked: int = 200 * 2**20
    file: int = 100 * 2**20
    files: int = 1000
    path: int = 240
    depth: int = 16


class Report:
    pass
