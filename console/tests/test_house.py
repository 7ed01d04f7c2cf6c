"""The rules of the house that a machine can keep."""

import re
import subprocess
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from console import flags

ROOT = Path(__file__).resolve().parents[2]
# their file names are chosen by the libraries that look for them
LIBRARIES = ("account/", "allauth/", "attendant/", "mfa/")
MAILS = "mail/"  # they have no page, no script, and no stylesheet but what stands on the element
ALONE = (
    "base",
    "shell",
    "bare",
    "error",
    "session_ended",
    "400",
    "403",
    "404",
    "429",
    "500",
    "503",
)  # skeletons and errors have no fragment


TEMPLATES = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("partials/**/*.html"), *ROOT.glob("partials/**/*.jinja")]


def names(folder):
    found = (path.relative_to(ROOT / folder).as_posix() for path in TEMPLATES if path.is_relative_to(ROOT / folder))
    return sorted(name for name in found if not name.startswith((*LIBRARIES, MAILS)))


def tracked(pattern=""):
    listed = subprocess.run(["git", "ls-files", pattern or "."], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", names("templates"))
def test_a_page_includes_its_partial_and_stays_a_page(name):
    text = (ROOT / "templates" / name).read_text()
    assert not Path(name).name.startswith("_")
    assert lines(ROOT / "templates" / name) <= 100
    assert "{% for" not in text
    assert "<table" not in text
    if Path(name).stem not in ALONE:
        partial = f"{Path(name).parent}/_{Path(name).name}"
        assert f'{{% include "{partial}"' in text


@pytest.mark.parametrize("name", names("partials"))
def test_a_partial_is_named_short_and_says_what_it_needs(name):
    text = (ROOT / "partials" / name).read_text()
    assert Path(name).name.startswith("_")
    assert lines(ROOT / "partials" / name) <= 60
    assert text.startswith("{# needs:")
    assert "{% extends" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_templates_keep_to_the_policy_and_the_portable_subset(path):
    text = path.read_text()
    if path.parent == ROOT / "templates" / MAILS.rstrip("/"):
        text = re.sub(r' style="[^"{]*"', "", text)
        assert not re.search(r"<(img|link|script|form|iframe)|url\(|src=|//", text), "a mail fetches nothing"
    scripts = r"""<script(?![^>]*(\bsrc=|type="application/json"))"""  # data for a script runs nothing
    assert not re.search(rf"<[^>]+\sstyle=|<style|{scripts}|\son[a-z]+=|javascript:", text)
    assert not re.search(r"hx-(boost|vars|disabled-elt|on|headers|preserve)", text)
    for trigger in re.findall(r'hx-trigger="([^"]*)"', text):
        assert "every" not in trigger
        assert "[" not in trigger
    for swap in re.findall(r'hx-swap="([^"{]*)"', text):
        assert swap in ("innerHTML", "outerHTML", "afterbegin", "beforeend", "delete", "none")
    assert not re.search(r"\|safe\b", text) or path.parent.name in LIBRARIES[2]
    assert "perms." not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_what_somebody_wrote_is_nothing_for_htmx(path):
    """Words that may run either way are somebody's: should their escaping ever fail, htmx still passes them over."""
    for tag in re.findall(r"""<\w(?:"[^"]*"|[^>"])*>""", path.read_text()):
        if 'dir="auto"' in tag and f"/{MAILS}" not in path.as_posix():
            assert " hx-disable" in tag
    for lines in re.findall(r"<p[^>]*>[^<]*\|lay_open(?::\d+)? \}\}", path.read_text()):
        assert "hx-disable" in lines or "<bdi>" in lines


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_every_changing_form_carries_token_version_and_key(path):
    seen = "seen(" if path.suffix == ".jinja" else "console/_seen.html"
    if path.name == "no_more_mail.html":
        return  # whoever has its signed address may send it, mail programs too; it changes one thing, once
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(), flags=re.DOTALL):
        assert "{% csrf_token %}" in form or "{% slot body %}" in form or path.suffix == ".jinja"
        if not re.search("account_|mfa_", form) and "allauth" not in str(path):
            assert seen in form or "{{ form|crispy }}" in form or "in form.hidden_fields" in form
    if path.name == "_rows.jinja" and "macro seen(" in path.read_text():
        fields = path.read_text().split("macro seen(")[1]
        for name in ("csrfmiddlewaretoken", "version", "idempotency_key", "next"):
            assert f'name="{name}"' in fields


def test_rows_of_lists_are_drawn_in_one_way():
    """By console.rows, from the macros of a `…_rows.jinja`; what that brought is measured by bench/run."""
    for path in TEMPLATES:
        if path.suffix == ".jinja":
            assert path.name.endswith("_rows.jinja"), path
            assert "|safe" not in path.read_text(), path
        else:
            assert not re.search(r"\{% for \w+ in (rows|page_obj|object_list)", path.read_text()), path
    (engine,) = [each for each in settings.TEMPLATES if each["BACKEND"].endswith("Jinja2")]
    assert engine["OPTIONS"]["autoescape"] is True


def test_every_htmx_request_names_its_target_and_swap():
    for path in TEMPLATES:
        for tag in re.findall(r"""<\w(?:"[^"]*"|[^>"])*>""", path.read_text()):
            if "hx-get=" in tag or "hx-post=" in tag:
                assert "hx-target=" in tag, path
                assert "hx-swap=" in tag, path


@pytest.mark.parametrize("path", tracked("*.py"), ids=str)
def test_modules_fit_and_say_what_they_own(path):
    if "migrations" in path.parts or path.name in ("__init__.py", "admin.py"):
        return
    text = path.read_text(encoding="utf-8").removeprefix("#!/usr/bin/env python\n")
    assert text.startswith('"""'), "a module starts by saying what it owns"
    assert lines(path) <= 400


@pytest.mark.parametrize(("pattern", "each", "together"), [("*.js", 100, 400), ("*.css", 450, 1500)])
def test_javascript_and_css_stay_small(pattern, each, together):
    sizes = [lines(path) for path in tracked(f"static/{pattern}") if "vendor" not in path.parts]
    assert max(sizes) <= each
    assert sum(sizes) <= together


def test_css_is_layered_and_calm():
    css = (ROOT / "static/css/app.css").read_text()
    outside = re.sub(r"@layer \w+ \{.*?^\}", "", css, flags=re.DOTALL | re.MULTILINE)
    assert "{" not in outside.replace("@view-transition { navigation: auto; }", "")
    assert css.count("!important") <= 2  # both switch motion off for those who asked
    assert not re.search(r"^\s*#(?!results|alert|item|dialog-)[\w-]+[^{;]*\{", css, flags=re.MULTILINE)


def test_only_the_ledger_writes_entries_and_only_actions_change_the_world():
    for path in tracked("*.py"):
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(ROOT).as_posix()
        if "/tests/" in where or "migrations/" in where or where.startswith("bench/"):
            continue
        if where != "console/ledger.py":
            assert "INTO console_entry" not in text, where
            assert not re.search(r"\b(Entry|Gesture)(\.objects)?\.?(create|bulk_create)?\([a-z]+=", text), where
        if where.endswith(("views.py", "base.py", "respond.py")):
            assert not re.search(r"\.(save|delete|update|create|bulk_create|bulk_update)\(", text), where


def test_nothing_of_this_machine_is_in_the_repository():
    for path in tracked():
        if path.suffix in (".png", ".svg") or path == Path(__file__):
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(home|root|work|Users)/\w|--(extra-)?index-url|https?://[^ \n]*/simple/", text), path


def test_locks_hash_everything_and_name_no_index():
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        pins = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,]+\])?==.*$", text, flags=re.MULTILINE)
        assert pins
        assert all(pin.endswith("\\") for pin in pins), "each pin is followed by its hashes"
    lock, superset = ((ROOT / n).read_text() for n in ("requirements.lock", "requirements-test.lock"))
    pinned = re.findall(r"^([a-z0-9][\w.-]*==\S+)", lock, flags=re.MULTILINE)
    assert [pin for pin in pinned if f"{pin} " not in superset] == []


def test_the_readme_and_the_example_tell_the_truth():
    readme = (ROOT / "README.md").read_text()
    for command in set(re.findall(r"(?<![\w./])bin/\w+", readme)):
        assert (ROOT / command).is_file(), command
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", readme):
        assert (ROOT / picture).is_file(), picture
    settings = (ROOT / "project/settings.py").read_text()
    asked = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", settings)) | set(
        re.findall(r"env\.\w+\('([A-Z_]+)'", settings)
    )
    example = set(re.findall(r"^#?\s?([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert asked - example == set()


def test_every_icon_is_drawn_once():
    sources = [path for path in tracked("*.py") if not {"tests", "e2e", "bench"} & set(path.parts)]
    text = "\n".join(path.read_text() for path in [*sources, *TEMPLATES])
    asked = set(re.findall(r"""\bicon["']?(?:\(|=|: ?| )["']([a-z0-9-]+)["']""", text))
    drawn = re.findall(r'\bid="([a-z0-9-]+)"', (ROOT / "static/icons.svg").read_text())
    assert asked - set(drawn) == set()
    assert len(drawn) == len(set(drawn))


def test_events_and_data_attributes_are_those_of_the_table():
    table = (ROOT / "docs/scripts.md").read_text()
    sources = [*tracked("*.py"), *tracked("static/js/*.js"), *TEMPLATES]
    text = "\n".join(path.read_text() for path in sources if "tests" not in path.parts and "e2e" not in path.parts)
    documented = set(re.findall(r"`(attendant:[a-z-]+)`", table)), set(re.findall(r"`(data-[a-z-]+)`", table))
    assert set(re.findall(r"attendant:[a-z]+(?:-[a-z]+)*", text)) == documented[0]
    used = set(re.findall(r"[\s'\[(](data-[a-z-]+)", "\n".join(path.read_text() for path in TEMPLATES)))
    assert used == documented[1]


def asked_for(code, templates):
    """Names of flags and switches that code and templates ask about."""
    constants = {name: value for name, value in vars(flags).items() if name.isupper() and isinstance(value, str)}
    found = re.findall(
        r'(?:\bflag = |\bpaused_by = |\bis_on\([\w.]+, |\bis_flipped\()((?:flags\.)?[A-Z_]{2,}|"\w+")', code
    )
    names = {constants.get(each.removeprefix("flags."), each.strip('"')) for each in found}
    names |= {value for name, value in constants.items() if re.search(rf"\b(?:flags\.)?{name} (?:not )?in \w+", code)}
    return names | set(re.findall(r"\{% (?:flag|switch) [\"']?(\w+)", templates))


def test_every_flag_and_switch_is_declared_and_asked_for_and_says_what_it_brings():
    sources = [path for path in tracked("*.py") if not {"tests", "e2e", "bench"} & set(path.parts)]
    code = "\n".join(path.read_text() for path in sources)
    asked = asked_for(code, "\n".join(path.read_text() for path in TEMPLATES))
    declared = [*flags.PIECES, *flags.SWITCHES]
    assert asked - {each.name for each in declared} == set(), "asked for, and declared nowhere"
    assert {each.name for each in declared} - asked == set(), "declared, and asked for nowhere"
    for each in declared:
        assert each.owner
    assert all(piece.sentence.endswith(".") and piece.since < piece.removal for piece in flags.PIECES)
    assert all(switch.stops.endswith(".") and switch.notice.endswith(".") for switch in flags.SWITCHES)


def test_no_flag_is_past_its_removal_date():
    late = [piece.name for piece in flags.PIECES if piece.removal < date.today()]
    assert not late, f"give {late} to everybody or to nobody, and take the flag out"
