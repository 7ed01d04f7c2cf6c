"""Lists with many rows: a job writes the file, only its owner may fetch it, for a day, and all that is on record."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.files.storage import InMemoryStorage, default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console import jobs, tasks
from console.exporting import sources, work
from console.exporting.models import CANCELLED, EXPIRED, FAILED, QUEUED, READY
from console.models import Entry, Export, Job, Personal, User
from console.testing import form, just_signed_in, make_export, undo_form
from moderation.models import Player
from moderation.testing import make_player

PLAYERS, LEDGER = "/manage/players/export/", "/manage/ledger/export/"


@pytest.fixture(autouse=True)
def _few(settings, tmp_path, monkeypatch):
    """More than two rows are many; files lie in memory."""
    settings.EXPORT_STREAM_ROWS = 2
    settings.WORK_DIR = tmp_path / "work"
    monkeypatch.setattr(jobs, "send", lambda pk, queue: True)
    monkeypatch.setattr(default_storage, "_wrapped", InMemoryStorage())


@pytest.fixture
def crowd(db):
    return [make_player(username=f"kit{n}", email=f"kit{n}@mail.example", last_ip="203.0.113.7") for n in range(5)]


def asked(person, url=PLAYERS, **data):
    """The export that a form brings into being."""
    response = person.post(url, form(Player(version=0), **{"format": "csv"} | data))
    assert response.status_code == 303
    export = Export.objects.latest("pk")
    assert response["Location"] == export.get_absolute_url()
    return export


def done(export):
    """The export after a worker had its turn."""
    jobs.work(export.job_id)
    return Export.objects.get(pk=export.pk)


def fetched(person, export):
    response = person.post(f"{export.get_absolute_url()}file/", undo_form())
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def streamed(settings, person, url, **data):
    settings.EXPORT_STREAM_ROWS = 10_000
    return b"".join(person.post(url, form(Player(version=0), **{"format": "csv"} | data)).streaming_content)


def files():
    return default_storage.listdir(work.PREFIX)[1] if default_storage.exists(work.PREFIX) else []


def left():
    return list(work.Path(work.settings.WORK_DIR).glob("export-*"))


def test_what_takes_minutes_keeps_nobody_from_looking_after_jobs():
    assert jobs.queue_of("console.export") != jobs.Kind.queue, "reaper, seals and sign-in mails go by that one"


def test_few_rows_leave_at_once_and_many_are_asked_for(lea, crowd):
    assert lea.post(f"{PLAYERS}?q=kit1", form(Player(version=0), format="csv")).status_code == 200
    assert not Job.objects.exists()
    export = asked(lea)
    entry = Entry.objects.get(verb="export.ask")
    assert (export.owner, export.state, export.job.kind) == (lea.user, QUEUED, "console.export")
    assert (entry.actor, entry.after["what"], entry.after["format"]) == (lea.user, "players", "csv")
    assert not Entry.objects.filter(verb="export.hand_out", target_id=export.pk).exists(), "nothing has left yet"


def test_htmx_is_led_to_the_same_page(lea, crowd):
    response = lea.post(PLAYERS, form(Player(version=0), format="csv"), htmx=True)
    assert response["HX-Redirect"] == Export.objects.get().get_absolute_url()


@pytest.mark.parametrize("url", [PLAYERS, f"{PLAYERS}?order=oldest&q=mail.example", LEDGER, f"{LEDGER}?order=oldest"])
def test_the_file_is_what_would_have_been_streamed(lea, crowd, settings, url):
    asked_for = [asked(lea, f"{PLAYERS}?strikes={n}") for n in range(2)]  # entries of the ledger, beside
    Job.objects.filter(pk__in=[each.job_id for each in asked_for]).update(state=Job.CANCELLED)
    settings.EXPORT_STREAM_ROWS = 1
    export = done(asked(lea, url))
    own = Entry.objects.get(target_id=export.pk, verb="export.ask")
    in_file = default_storage.open(export.file).read()
    stream = streamed(settings, lea, url)
    if url.startswith(LEDGER):  # which has the entry about the file, as the file has not
        assert str(own.pk) in {row["Entry"] for row in rows_of(stream)}
        assert [row for row in rows_of(stream) if row["Entry"] != str(own.pk)] == rows_of(in_file)
    else:
        assert in_file == stream
    assert len(in_file) == export.size
    assert export.job.result["written"] == len(rows_of(in_file)) > 0


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_excel_and_sealed_lines_are_written_too(lea, crowd, settings):
    settings.EXPORT_STREAM_ROWS = 0
    asked(lea)
    book = done(asked(lea, format="xlsx"))
    lines = done(asked(lea, LEDGER, format="jsonl"))
    assert default_storage.open(book.file).read()[:2] == b"PK"
    said = [json.loads(line) for line in default_storage.open(lines.file).read().splitlines()]
    entries = {line["entry"] for line in said if "entry" in line}
    assert entries == set(Entry.objects.values_list("pk", flat=True))
    assert lines.job.result["written"] == len(entries)


def test_each_time_the_file_is_fetched_is_on_record(lea, crowd):
    export = done(asked(lea, f"{PLAYERS}?q=mail.example"))
    page = lea.get(export.get_absolute_url()).text
    assert "5 rows" in page
    assert "mail.example" in page
    response = lea.post(f"{export.get_absolute_url()}file/", undo_form())
    entry = Entry.objects.get(verb="export.hand_out", target_id=export.pk)  # nobody has read a byte of it
    assert (entry.actor, entry.after["number"]) == (lea.user, 5)
    assert Personal.objects.get(ref=entry.note).value == "q=mail.example"
    assert response["Content-Disposition"].startswith('attachment; filename="players-20')
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]
    assert len(rows_of(b"".join(response.streaming_content))) == 5
    fetched(lea, export)
    assert Entry.objects.filter(verb="export.hand_out", target_id=export.pk).count() == 2


def test_looking_at_the_files_address_hands_out_nothing(lea, crowd):
    export = done(asked(lea))
    assert lea.get(f"{export.get_absolute_url()}file/")["Location"] == export.get_absolute_url()
    assert not Entry.objects.filter(verb="export.hand_out").exists()


@pytest.mark.parametrize("who", ["ann", "olga"])
def test_nobody_sees_anothers(request, lea, crowd, who):
    export, other = done(asked(lea)), request.getfixturevalue(who)
    for part in ("", "file/", "cancel/"):
        assert other.get(f"{export.get_absolute_url()}{part}").status_code == 404
        if part:
            assert other.post(f"{export.get_absolute_url()}{part}", undo_form()).status_code == 404
    assert export.get_absolute_url() not in other.get("/manage/exports/").text
    assert export.get_absolute_url() in lea.get("/manage/exports/").text


def test_who_has_not_said_lately_who_they_are_is_asked_first(lea, crowd):
    export = done(asked(lea))
    lea.session_says(just_signed_in(lea.user, at=0))
    response = lea.post(f"{export.get_absolute_url()}file/", undo_form())
    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert not Entry.objects.filter(verb="export.hand_out").exists()


def as_role(person, *names):
    from django.contrib.auth.models import Group

    person.user.groups.set(Group.objects.filter(name__in=names))


def test_whoever_lost_the_permission_fetches_nothing(lea, crowd):
    export = done(asked(lea))
    as_role(lea, "Moderator")
    response = lea.post(f"{export.get_absolute_url()}file/", undo_form())
    assert response.status_code == 303
    assert "Your role sees less" in lea.get(response["Location"]).text


def test_a_file_with_whole_addresses_is_not_for_a_role_that_sees_them_masked(lea, crowd):
    export = done(asked(lea))
    as_role(lea, "Auditor")  # who may export players
    assert "Your role sees less" in lea.get(export.get_absolute_url()).text
    assert lea.post(f"{export.get_absolute_url()}file/", undo_form()).status_code == 303
    assert not Entry.objects.filter(verb="export.hand_out").exists()


def test_the_worker_masks_as_the_page_would(ann, crowd):
    text = fetched(ann, done(asked(ann))).decode()
    assert "203.0.113.•••" in text
    assert "203.0.113.7" not in text
    assert "k•••@mail.example" in text


def test_the_worker_writes_nothing_for_those_who_may_no_longer(lea, crowd):
    export = asked(lea)
    User.objects.filter(pk=lea.user.pk).update(is_active=False)
    export = done(export)
    assert (export.state, export.job.error, files()) == (FAILED, work.NOT_YOURS, [])


def test_a_filter_that_was_erased_is_not_guessed(lea, crowd):
    export = asked(lea, f"{PLAYERS}?q=mail.example")
    Personal.objects.filter(ref=work.asking(export).note).delete()
    export = done(export)
    assert (export.state, files()) == (FAILED, [])
    page = lea.get(export.get_absolute_url()).text
    assert "has been erased since" in page
    assert "Ask for it again" not in page


def test_a_failed_export_says_why_and_can_be_asked_for_again(lea, crowd):
    export = asked(lea, f"{PLAYERS}?order=oldest")
    Job.objects.filter(pk=export.job_id).update(state=Job.FAILED, error=work.TOO_LONG)
    page = lea.get(export.get_absolute_url()).text
    assert work.TOO_LONG in page
    assert f'href="{PLAYERS}?order=oldest"' in page


def test_a_file_is_gone_a_day_later_and_its_row_says_so(lea, crowd):
    export = done(asked(lea))
    assert files()
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Export.objects.get().state == EXPIRED, "at once, swept or not"
    assert lea.post(f"{export.get_absolute_url()}file/", undo_form()).status_code == 303
    tasks.sweep_exports()
    assert (files(), Export.objects.get().state) == ([], EXPIRED)
    assert "The file was removed" in lea.get(export.get_absolute_url()).text
    tasks.sweep_exports()


def test_a_file_that_cannot_be_read_is_said_to_be_away_and_nothing_is_on_record(lea, crowd):
    export = done(asked(lea))
    default_storage.delete(export.file)
    response = lea.post(f"{export.get_absolute_url()}file/", undo_form(), follow=True)
    assert "The file cannot be read just now." in response.text
    assert not Entry.objects.filter(verb="export.hand_out").exists()


def test_a_sweep_leaves_what_can_be_fetched_or_is_being_written(lea, crowd):
    made, open_ = done(asked(lea)), asked(lea)
    Export.objects.filter(pk=open_.pk).update(file="exports/half.csv")
    assert work.sweep() == 0
    assert fetched(lea, made)


def test_cancelled_before_a_worker_came_nothing_is_written(lea, crowd):
    export = asked(lea)
    response = lea.post(f"{export.get_absolute_url()}cancel/", form(export))
    assert response.status_code == 303
    export = done(export)
    assert (export.state, files(), left()) == (CANCELLED, [], [])
    assert Entry.objects.filter(verb="export.cancel").count() == 1


@pytest.mark.parametrize("moment", ["while rows are read", "while it is stored"])
def test_cancelled_in_the_middle_nothing_is_left(lea, crowd, monkeypatch, moment):
    export = asked(lea)

    def cancel(*args):
        if Export.objects.get(pk=export.pk).is_open:
            lea.post(f"{export.get_absolute_url()}cancel/", form(Export.objects.get(pk=export.pk)))

    if moment == "while rows are read":
        monkeypatch.setattr(work.Progress, "__call__", lambda self, written: cancel() or self.say(written))
    else:
        put = work.put
        monkeypatch.setattr(work, "put", lambda name, path: (put(name, path), cancel()))
    export = done(export)
    assert (export.state, files(), left()) == (CANCELLED, [], [])


def test_a_worker_that_was_killed_while_it_stored_leaves_half_a_file_for_the_next_to_remove(lea, crowd, monkeypatch):
    export = asked(lea)

    def killed(name, path):
        default_storage.save(name, work.File(io.BytesIO(b"half")))
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(work, "put", killed)
        patch.setattr(work, "remove", lambda name: True)  # the dead remove nothing
        with pytest.raises(SystemExit):
            jobs.work(export.job_id)
    assert len(files()) == 1
    assert lea.post(f"{export.get_absolute_url()}file/", undo_form()).status_code == 303, "nobody gets the half"
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    export = done(export)
    assert (export.state, len(files())) == (READY, 1)
    assert len(rows_of(fetched(lea, export))) == 5


def test_a_worker_that_was_given_up_on_clears_away_nothing_of_the_next(lea, crowd, monkeypatch):
    """A job that somebody cancels and retries counts its attempts anew, while the first worker may be at it yet."""
    export, folders = asked(lea), set()

    def fails(source, folder):
        folders.add(folder)
        raise jobs.Failed("It broke.")

    monkeypatch.setattr(work, "_make", fails)
    for _ in range(2):
        done(export)
        Job.objects.update(state=Job.QUEUED, attempt=0)
    assert len(folders) == 2


def test_a_storage_that_is_away_puts_the_work_off(lea, crowd, monkeypatch):
    export = asked(lea)
    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", lambda *args: 1 / 0)
        export = done(export)
    assert (export.state, export.job.error, left()) == (QUEUED, work.AWAY, [])
    Job.objects.update(due_at=timezone.now())
    assert done(export).state == READY


def test_the_same_form_twice_is_one_export_and_four_at_once_are_too_many(lea, crowd):
    data = form(Player(version=0), format="csv")
    places = {lea.post(PLAYERS, data)["Location"] for _ in range(2)}
    assert len(places) == Export.objects.count() == Entry.objects.filter(verb="export.ask").count() == 1
    assert lea.post(PLAYERS, data | {"format": "xlsx"}).status_code == 422
    asked(lea)
    asked(lea)
    refused = lea.post(PLAYERS, form(Player(version=0), format="csv"))
    assert refused.status_code == 422
    assert "Three of your exports" in refused.text
    assert Export.objects.count() == Job.objects.count() == 3


def test_polls_tell_how_far_it_is_and_when_it_is_ready(lea, crowd):
    export = asked(lea)

    def poll(seen, here):
        sent = {"HTTP_HX_CURRENT_URL": f"http://testserver{here}"}
        return lea.get("/manage/live/", {"watch": f"export-{export.pk}:{seen}"}, htmx=True, **sent).text

    here = export.get_absolute_url()
    assert 'data-item="export' not in poll("queuedaaa", here)
    Job.objects.filter(pk=export.job_id).update(progress=42, state=Job.RUNNING, result={"written": 2, "about": 5})
    assert "2 of about 5 rows are written" in poll("queuedaaa", here)
    assert "runningaec" in poll("runningaaa", "/manage/exports/")
    Job.objects.filter(pk=export.job_id).update(state=Job.QUEUED)
    done(export)
    told = poll("runningaec", here)
    assert "The list of players as CSV is ready." in told
    assert "Fetch the file" in told


def test_rows_are_read_in_pieces_by_as_many_statements_each(lea, crowd, monkeypatch):
    monkeypatch.setattr(sources, "CHUNK", 2)
    source = sources.get("players")(lea.user)
    numbers = []
    source.step = lambda written: numbers.append((written, len(captured)))
    with CaptureQueriesContext(connection) as captured:
        b"".join(source.pieces())
    assert [written for written, _ in numbers] == [0, 2, 4]
    assert numbers[2][1] - numbers[1][1] == numbers[1][1] - numbers[0][1]


def test_the_list_of_exports_takes_as_many_statements_for_ten_as_for_two(lea, crowd):
    counts = []
    lea.get("/manage/exports/")
    for number in (2, 8):
        for _ in range(number):
            make_export(lea.user, source="players")
        with CaptureQueriesContext(connection) as captured:
            lea.get("/manage/exports/")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_whoever_has_none_is_told_what_would_be_here(moses):
    assert "No exports yet" in moses.get("/manage/exports/").text
