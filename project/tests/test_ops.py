"""What operators and auditors see of what goes on inside, and do about it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from console import jobcare, jobs, workers
from console.models import Entry, Gesture, Job, Worker
from console.ops import picture
from console.testing import form, undo_form
from console.webhooks.testing import make_delivery, make_webhook
from games.models import Build, Game
from games.testing import make_build
from project.tests.opsroutes import make_job

OPS, JOBS = "/manage/ops/", "/manage/ops/jobs/"
pytestmark = pytest.mark.django_db


def items(page):
    return re.findall(r'data-item="job-(\d+)"', page)


def failed_build(state=Job.FAILED):
    """A build whose job was given up, and so it failed."""
    build = make_build(Build.RECEIVED)
    claim = jobs.Claim.take(build.job_id)
    claim.give_up(state, "The zip holds no index.html.")
    build.refresh_from_db()
    return build


def worker(name="uploads@here", seen=0, **fields):
    """One that was heard of so many seconds ago."""
    values = {"kind": Worker.WORKER, "queues": ["uploads"], "seen_at": timezone.now() - timedelta(seconds=seen)}
    return Worker.objects.create(name=name, **values | fields)


# --- the list ------------------------------------------------------------------------------------------------


def test_the_list_shows_what_fails_or_waits_first(ann):
    mine = {state: make_job(state) for state, _ in Job.STATES}
    shown = [str(mine[state].pk) for state in ("dead", "failed", "running", "queued")]
    assert sorted(items(ann.get(JOBS).text)) == sorted(shown)
    assert len(items(ann.get(f"{JOBS}?status=all").text)) == len(mine)
    for state, job in mine.items():
        assert items(ann.get(f"{JOBS}?status={state}").text) == [str(job.pk)]


def test_jobs_are_found_by_number_by_kind_and_by_words_of_their_error(ann):
    one, other = make_job(error="Disk of the storage is FULL: 50%"), make_job(kind="mail")
    for query in (f"q={one.pk}", f"q=job-{one.pk}", "q=is full: 50%25", "kind=console.sweep_events"):
        assert items(ann.get(f"{JOBS}?{query}").text) == [str(one.pk)], query
    assert items(ann.get(f"{JOBS}?status=all&kind=mail").text) == [str(other.pk)]
    assert items(ann.get(f"{JOBS}?q=nothing of that").text) == []
    assert "not on offer" in ann.get(f"{JOBS}?kind=nonsense").text


def test_a_list_is_paged_over_all_its_states_in_one_order(ann):
    made = [str(make_job([Job.FAILED, Job.DEAD, Job.QUEUED][number % 3]).pk) for number in range(30)]
    first = ann.get(f"{JOBS}?per=25").text
    after = re.search(r'rel="next" href="\?([^"]+)"', first)[1].replace("&amp;", "&")
    assert items(first) + items(ann.get(f"{JOBS}?{after}").text) == made[::-1]


@pytest.mark.parametrize("number", [3, 12])
def test_pages_cost_the_same_however_much_is_on_them(ann, django_assert_max_num_queries, number):
    for place in range(number):
        make_job(Job.DEAD if place % 2 else Job.FAILED)
        failed_build()
        make_delivery(make_webhook())
        worker(f"w{place}@here", seen=60)
    for page in (f"{JOBS}?per=50", OPS, Job.objects.first().get_absolute_url()):
        ann.get(page)
        with django_assert_max_num_queries(10):
            assert ann.get(page).status_code == 200


# --- retry and cancel ----------------------------------------------------------------------------------------


def test_a_retried_job_begins_anew_and_is_done(olga):
    job = make_job(Job.DEAD, attempt=5, tries=[{"attempt": 5, "worker": "w", "began": None, "error": "It was full."}])
    assert "The storage was full." in olga.get(job.get_absolute_url()).text
    assert olga.post(f"{job.get_absolute_url()}retry/", form(job)).status_code == 303
    job.refresh_from_db()
    assert (job.state, job.attempt, job.error) == (Job.QUEUED, 0, "")
    jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.DONE, 1)
    assert "It was full." in olga.get(job.get_absolute_url()).text, "earlier tries stay known"


def test_the_same_click_twice_is_one_retry(olga):
    job = make_job()
    sent = form(job)
    assert [olga.post(f"{job.get_absolute_url()}retry/", sent).status_code for _ in range(2)] == [303, 303]
    assert Entry.objects.filter(verb="job.retry").count() == 1


def test_a_job_that_moved_on_is_told_of_and_left_alone(olga):
    job = make_job(Job.RUNNING)
    sent = form(job)
    Job.objects.update(state=Job.DONE, version=1)
    response = olga.post(f"{job.get_absolute_url()}cancel/", sent)
    assert response.status_code == 409
    assert Gesture.objects.count() == 0


def test_a_worker_finds_out_that_its_job_was_cancelled(olga):
    job = make_job(Job.QUEUED)
    claim = jobs.Claim.take(job.pk)
    olga.post(f"{job.get_absolute_url()}cancel/", form(claim.job))
    with pytest.raises(jobs.Lost):
        claim.finish()
    job.refresh_from_db()
    assert (job.state, job.token) == (Job.CANCELLED, None)


def test_a_build_follows_its_job_in_the_same_gesture(olga):
    build = failed_build()
    olga.post(f"{JOBS}{build.job_id}/retry/", form(build.job))
    build = Build.objects.select_related("game", "job").get()
    assert (build.state, build.error, build.game.status, build.job.state) == (
        Build.RECEIVED,
        "",
        Game.PROCESSING,
        Job.QUEUED,
    )
    assert Job.objects.count() == 1, "it is the same job, not another beside it"
    olga.post(f"{JOBS}{build.job_id}/cancel/", form(build.job))
    build = Build.objects.select_related("game", "job").get()
    assert (build.state, build.game.status, build.job.state) == (Build.CANCELLED, Game.FAILED, Job.CANCELLED)
    told = Gesture.objects.filter(verb__startswith="job.").values_list("entries__target_type", flat=True)
    assert sorted(told) == sorted(["console.job", "games.build", "games.game"] * 2)


def test_a_build_that_went_on_by_itself_leaves_nothing_that_fails(rita, ann):
    build = failed_build()
    old = build.job_id
    rita.post(f"{build.get_absolute_url()}retry/", form(build))
    assert Job.objects.get(pk=old).state == Job.CANCELLED
    assert items(ann.get(JOBS).text) == [str(Build.objects.get().job_id)]


def test_a_job_whose_build_has_moved_on_says_why_it_is_not_retried(olga):
    build = failed_build()
    job = build.job
    Build.objects.update(state=Build.SUPERSEDED)
    page = olga.get(job.get_absolute_url()).text
    assert "It cannot be retried from here. Its build has moved on" in page
    assert olga.post(f"{job.get_absolute_url()}retry/", form(job)).status_code == 409


def test_those_who_only_read_are_offered_nothing(ann):
    job = make_job()
    for page in (OPS, JOBS, job.get_absolute_url()):
        assert "Retry" not in ann.get(page).text
    assert ann.post(f"{job.get_absolute_url()}retry/", form(job)).status_code == 403


def test_a_selection_is_asked_for_with_how_many_of_which_kind(olga):
    several = [make_job(), make_job(), make_job(kind="mail")]
    selected = [f"{job.pk}:{job.version}" for job in several]
    asked = olga.post(f"{JOBS}bulk/", undo_form(ask=1, verb="job.retry", selected=selected))
    assert "Retry: 3 jobs" in asked.text
    assert "2 × Remove old events and jobs" in asked.text
    assert "1 × Mail to staff" in asked.text
    assert Gesture.objects.count() == 0
    assert olga.post(f"{JOBS}bulk/", undo_form(verb="job.retry", selected=selected)).status_code == 303
    assert set(Job.objects.values_list("state", flat=True)) == {Job.QUEUED}
    assert Entry.objects.filter(verb="job.retry").values("batch").distinct().count() == 1


def test_a_thousand_jobs_are_retried_by_a_handful_of_statements(olga, django_assert_max_num_queries):
    made = Job.objects.bulk_create([Job(kind="mail", state=Job.FAILED) for _ in range(1000)])
    selected = [f"{job.pk}:0" for job in made]
    with django_assert_max_num_queries(30):
        olga.post(f"{JOBS}bulk/", undo_form(verb="job.retry", selected=selected))
    assert Job.objects.filter(state=Job.QUEUED).count() == 1000


# --- the overview --------------------------------------------------------------------------------------------


def test_the_overview_says_what_failed_and_where_it_is_mended(olga):
    job = make_job(error="The storage <b>was</b> full.")
    page = olga.get(OPS).text
    assert "The storage &lt;b&gt;was&lt;/b&gt; full." in page
    assert f"{JOBS}{job.pk}/retry/" in page


def test_the_overview_offers_no_retry_of_what_cannot_be_retried(olga):
    job = make_job(kind="work.that.is.no.more")
    page = olga.get(OPS).text
    assert f'data-item="job-{job.pk}"' in page
    assert f"{JOBS}{job.pk}/retry/" not in page


def test_a_job_nobody_can_do_any_more_is_left_with_the_reason(olga):
    selected = [f"{job.pk}:{job.version}" for job in (make_job(kind="work.that.is.no.more"), make_job())]
    page = olga.post(f"{JOBS}bulk/", undo_form(verb="job.retry", selected=selected), follow=True).text
    assert "1 left as it was." in page
    assert "stays as it is. Nobody does work of this kind any more." in page


def test_a_form_that_cancels_is_left_by_another_word(olga):
    job = make_job(state=Job.QUEUED)
    page = olga.get(f"{job.get_absolute_url()}cancel/").text
    assert "data-close>Back</a>" in page
    assert "data-close>Cancel</a>" not in page


def test_a_worker_that_is_missing_is_told_of_with_what_to_do(ann):
    worker(seen=workers.MISSING_S + 5)
    worker("default@here", queues=["default", "webhooks"])
    worker("gone@here", seen=500, ended_at=timezone.now())
    page = ann.get(OPS).text
    assert "<bdi>uploads@here</bdi> is missing:" in page
    assert "Nobody serves the queue uploads" in page
    assert "Nobody serves the queue default" not in page
    assert "gone@here</bdi> is missing" not in page
    assert "Beat is not running" in page
    worker("beat@here", kind=Worker.BEAT, queues=[])
    assert "Beat is not running" not in ann.get(OPS).text


def test_the_badge_counts_what_was_given_up_lately_and_who_is_missing(ann):
    make_job(Job.FAILED, ended_at=timezone.now())
    make_job(Job.DEAD, ended_at=timezone.now())
    make_job(Job.DEAD, ended_at=timezone.now() - timedelta(days=8))
    worker(seen=60)
    assert picture.trouble() == 3
    assert re.search(r'data-badge="ops">3<', ann.get(OPS).text)


def test_the_dashboard_never_says_that_nothing_waits_beside_a_number(ann):
    make_job(Job.FAILED, ended_at=timezone.now())
    tile = re.search(r'<a class="tile" href="/manage/ops/">.*?</a>', ann.get("/manage/").text, re.S)[0]
    assert "to look at" in tile
    assert "nothing waits" not in tile


def test_the_digest_follows_what_is_shown_and_not_the_clock():
    job, here = make_job(Job.QUEUED), worker()
    before = picture.look().digest
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert picture.look().digest == before
    here.seen_at -= timedelta(seconds=60)
    here.save()
    missing = picture.look().digest
    assert missing != before
    Job.objects.filter(pk=job.pk).update(state=Job.FAILED)
    assert picture.look().digest != missing
    assert re.fullmatch("[a-z]{16}", missing)


def test_a_poll_brings_the_overview_and_the_rows_of_jobs_up_to_date(ann):
    job = make_job(Job.RUNNING)
    seen = re.search(r'value="(ops-1:[a-z]+)"', ann.get(OPS).text)[1]
    poll = {"watch": [seen, f"job-{job.pk}:running"], "v": "old"}
    at = {"HTTP_HX_CURRENT_URL": f"http://testserver{OPS}"}
    assert 'id="ops"' not in ann.get("/manage/live/", poll, htmx=True, **at).text
    Job.objects.update(state=Job.FAILED, error="It broke.")
    told = ann.get("/manage/live/", poll, htmx=True, **at).text
    assert re.search(r'id="ops"[^>]* hx-swap-oob="outerHTML"', told)
    assert "It broke." in told
    at = {"HTTP_HX_CURRENT_URL": f"http://testserver{JOBS}"}
    told = ann.get("/manage/live/", poll, htmx=True, **at).text
    assert re.search(rf'id="job-{job.pk}"[^>]*data-state="failed"[^>]*hx-swap-oob', told)
    assert f"Job {job.pk} is failed." in told


@pytest.mark.parametrize("here", ["/nowhere/", "/healthz", "/accounts/login/", "//[x", "/manage/ledger/export/"])
def test_a_poll_from_no_page_of_operations_brings_nothing_of_them(ann, here):
    poll = {"watch": ["ops-1:x", f"job-{make_job().pk}:queued"]}
    said = ann.get("/manage/live/", poll, htmx=True, headers={"HX-Current-URL": f"http://testserver{here}"})
    assert (said.status_code, 'id="ops"' in said.text) == (200, False)


def test_without_redis_the_overview_says_so_and_shows_the_rest(ann, settings, monkeypatch):
    make_job()
    monkeypatch.setattr("console.hot.HotCache.asleep_until", float("inf"))
    page = ann.get(OPS).text
    assert "Redis does not answer" in page
    assert "The storage was full." in page


# --- what grows old ------------------------------------------------------------------------------------------


def test_old_jobs_go_but_what_failed_stays(settings):
    settings.JOB_DAYS = 90
    old, young = timezone.now() - timedelta(days=91), timezone.now() - timedelta(days=89)
    for state in (Job.DONE, Job.CANCELLED, Job.FAILED, Job.DEAD):
        make_job(state, ended_at=old)
    make_job(Job.DONE, ended_at=young)
    make_job(Job.QUEUED)
    assert jobcare.sweep() == 2
    assert sorted(Job.objects.values_list("state", flat=True)) == ["dead", "done", "failed", "queued"]


def test_workers_that_were_last_heard_of_long_ago_are_forgotten():
    worker("old@here", seen=2 * 86_400)
    worker("new@here", seen=3600)
    assert workers.sweep() == 1
    assert [each.name for each in workers.seen()] == ["new@here"]
