"""Strikes: what they weigh and for how long, and that weight proposes a ban and never gives one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from console.models import Entry
from console.testing import form, undo_form
from moderation import actions, lengths, steps
from moderation.models import STRIKE_DAYS, Ban, Player, Strike
from moderation.testing import make_player


def url(player, verb, query=""):
    return f"/manage/players/{player.pk}/{verb}/{query}"


def struck(weight, **kwargs):
    player = make_player(**kwargs)
    Strike.objects.create(player=player, reason="abuse", weight=weight)
    return player


def standing(player):
    found = Player.objects.with_standing().get(pk=player.pk)
    return found.strikes, found.active_strikes


@pytest.mark.parametrize(("weight", "weighs"), [(None, 1), ("1", 1), ("3", 3)])
def test_a_strike_weighs_what_was_chosen_for_ninety_days(moses, weight, weighs):
    player = make_player()
    given = {} if weight is None else {"weight": weight}
    assert moses.post(url(player, "strike"), form(player, reason="spam", **given)).status_code == 303
    assert standing(player) == (1, weighs)
    strike = Strike.objects.get()
    assert strike.expires_at - strike.created_at == pytest.approx(timedelta(days=STRIKE_DAYS), abs=timedelta(seconds=5))
    Strike.objects.update(expires_at=timezone.now())
    assert standing(player) == (1, 0)


def test_the_sum_is_what_weighs_and_undo_takes_its_part_back(moses):
    player = make_player()
    actions.strike(player, by=moses.user, reason="spam", weight=3)
    player.refresh_from_db()
    actions.warn(player, by=moses.user, reason="spam")
    assert standing(player) == (2, 4)
    undo = Entry.objects.filter(verb="player.strike").earliest("id").get_undo_url()
    moses.post(undo, undo_form(next="/manage/players/"))
    assert standing(player) == (1, 1)


@pytest.mark.parametrize("weight", ["0", "4", "-1", "heavy"])
def test_a_weight_that_is_not_offered_is_refused_in_words(moses, weight):
    player = make_player()
    response = moses.post(url(player, "strike"), form(player, reason="spam", weight=weight, note="typed with care"))
    assert response.status_code == 422
    assert "A strike weighs 1, 2 or 3." in response.text
    assert "typed with care" in response.text
    assert not Strike.objects.exists()


@pytest.mark.parametrize(
    ("weight", "length"), [(0, ""), (2, ""), (3, "1d"), (4, "1d"), (5, "7d"), (7, "7d"), (8, "30d"), (80, "30d")]
)
def test_each_step_proposes_its_ban(weight, length):
    assert steps.proposed(weight) == length


def test_the_steps_are_a_setting_that_must_make_sense(settings):
    settings.STRIKE_STEPS = ["9:never", " 2:1h"]
    assert [steps.proposed(weight) for weight in (1, 2, 9)] == ["", "1h", "never"]
    settings.STRIKE_STEPS = ["3:soon"]
    with pytest.raises(ValueError, match="soon is none of 1h, 1d, 7d, 30d, never"):
        steps.proposed(3)


@pytest.mark.parametrize("verb", ["warn", "strike"])
def test_the_form_says_what_the_next_step_is_and_offers_the_ban_when_it_is_reached(moses, verb):
    light, heavy = struck(2), struck(5)
    page = moses.get(url(light, verb)).text
    assert "Strikes against them weigh 2. Proposed at 3 a ban of 1 day, at 5 a ban of 7 days" in page
    assert "Ban instead" not in page
    page = moses.get(url(heavy, verb)).text
    assert "Strikes against them weigh 5. Proposed: a ban of 7 days." in page
    assert f"{url(heavy, 'ban')}?expires=7d&amp;reason=abuse&amp;next=" in page


def chosen(response, name):
    return str(response.context["form"][name].value())


def test_the_form_of_a_ban_says_and_chooses_what_is_proposed(moses, lea):
    player = struck(8)
    page = lea.get(url(player, "ban"))
    assert "Strikes against them weigh 8. Proposed: 30 days." in page.text
    assert chosen(page, "expires") == "30d"
    page = moses.get(url(player, "ban"))
    assert "A senior moderator can give that; you may give up to 7 days." in page.text
    assert chosen(page, "expires") == "7d"
    assert chosen(moses.get(url(make_player(), "ban")), "expires") == "1d"


def test_a_link_may_fill_the_form_of_a_ban_in_but_not_beyond_the_role(moses, lea):
    player = struck(3)
    assert chosen(lea.get(url(player, "ban", "?expires=never&reason=spam")), "expires") == "never"
    page = moses.get(url(player, "ban", "?expires=never&reason=spam&note=x&version=7"))
    assert (chosen(page, "expires"), chosen(page, "reason")) == ("1d", "spam")
    assert chosen(page, "version") == "0"
    assert page.context["form"]["note"].value() is None


def test_no_weight_bans_anybody_by_itself(moses):
    player = struck(80)
    actions.strike(player, by=moses.user, reason="spam", weight=3)
    assert not Ban.objects.exists()


def test_who_is_banned_already_is_proposed_no_other_ban(moses):
    player = struck(5)
    actions.ban(player, by=moses.user, reason="spam")
    assert "Ban instead" not in moses.get(url(player, "warn")).text


def test_every_step_is_a_length_that_a_ban_may_have():
    assert {length for _, length in steps.steps()} <= set(lengths.LABELS)
