"""What doctor looks at of the checkout: collected static files, and names in .env that nobody reads."""

import difflib
import json
import re
import stat

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders

from console.doctor import Check, bad, ok, register, warn

ASSIGNED = re.compile(r"^(?:export\s+)?([A-Za-z_]\w*)\s*=", re.MULTILINE)
EXAMPLE = re.compile(r"^#?\s?([A-Z][A-Z_\d]*)=", re.MULTILINE)
OTHERS = ("AWS_", "ATTENDANT_", "PG")  # read by libraries, by deploy/, and by us before settings


def static_files():
    todo = "Run manage.py collectstatic --no-input, then restart the web server."
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if not manifest.exists():
        return bad(f"There are no collected static files in {settings.STATIC_ROOT}: pages cannot be drawn.", todo)
    collected = json.loads(manifest.read_text())["paths"]
    ours = {name for finder in get_finders() for name, _ in finder.list([])}
    missing = sorted(ours - collected.keys())
    if missing:
        return bad(f"{len(missing)} static files were not collected, the first: {missing[0]}.", todo)
    gone = [name for name in collected.values() if not (settings.STATIC_ROOT / name).exists()]
    if gone:
        return bad(f"{len(gone)} collected static files are gone, the first: {gone[0]}.", todo)
    return ok(f"{len(collected)} static files are collected.")


def environment():
    file = settings.BASE_DIR / ".env"
    if not file.exists():
        return ok("There is no .env; settings come from the environment.")
    known = set(EXAMPLE.findall((settings.BASE_DIR / ".env.example").read_text()))
    names = ASSIGNED.findall(file.read_text())
    unknown = [name for name in names if name not in known and not name.startswith(OTHERS)]
    if unknown:
        meant = difflib.get_close_matches(unknown[0].upper(), known, 1)
        hint = f"Did you mean {meant[0]}?" if meant else "Remove what is not needed."
        return warn(f"Nobody reads {', '.join(unknown)} in .env.", f"{hint} .env.example has all names.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return warn(f".env sets {', '.join(twice)} more than once; the first counts.", "Keep one of them.")
    if file.stat().st_mode & stat.S_IROTH:
        return bad(".env can be read by everybody on this machine, and holds secrets.", "Run chmod 640 .env.")
    return ok(f"Every one of the {len(names)} names in .env is known.")


def ready():
    """Registers them all."""
    register(Check("Static files", static_files, "Run manage.py collectstatic --no-input.", 42))
    register(Check("Environment", environment, "Let this process read .env.", 6))
