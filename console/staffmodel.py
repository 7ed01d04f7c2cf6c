"""What operators change about a staff account: groups, standing, invite, second factor (console.staffactions).

`roles` holds the names of its groups, so that the ledger can record and undo them; Django's own table of groups, from
which permissions are read, follows it, and the other way round when code of others writes there.
"""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import connections, models
from django.urls import reverse
from django.utils import timezone

from console import sessions

MANAGE = "console.manage_staff"
RESET_LASTS = timedelta(days=1)

_LEAVE = """
    DELETE FROM console_user_groups mine USING console_user u, auth_group g
    WHERE u.id = mine.user_id AND g.id = mine.group_id AND u.id = ANY(%s) AND NOT g.name = ANY(u.roles)
"""
_JOIN = """
    INSERT INTO console_user_groups (user_id, group_id)
    SELECT u.id, g.id FROM console_user u JOIN auth_group g ON g.name = ANY(u.roles) WHERE u.id = ANY(%s)
    ON CONFLICT DO NOTHING
"""
_FOLLOW = """
    UPDATE console_user SET roles = now.names
    FROM (
        SELECT u.id, ARRAY(
            SELECT g.name FROM console_user_groups mine JOIN auth_group g ON g.id = mine.group_id
            WHERE mine.user_id = u.id ORDER BY g.name COLLATE "C"
        ) AS names FROM console_user u
    ) now
    WHERE now.id = console_user.id AND now.names::text[] <> console_user.roles::text[]
"""


class Account(models.Model):
    """The part of a User that verbs change. A row is stored without any right and gets them by recorded changes."""

    ACTIVE, INVITED, DEACTIVATED = "active", "invited", "deactivated"
    LOCKED_LIGHTLY = True  # every gesture refers to its actor: a full lock on two who act on each other never ends

    roles = ArrayField(models.CharField(max_length=150), verbose_name="groups", default=list, blank=True)
    invited_until = models.DateTimeField("invite open until", null=True, blank=True)
    sessions_ended_at = models.DateTimeField("sessions ended", null=True, blank=True)
    reset_asked_by = models.ForeignKey(
        "console.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="reset asked for by"
    )
    reset_asked_at = models.DateTimeField("reset asked for", null=True, blank=True)
    factor_reset_at = models.DateTimeField("second factor reset", null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def get_absolute_url(self):
        return reverse("console:staff_member", args=[self.pk])

    @property
    def personal_label(self):
        return self.username

    @property
    def status(self):
        if self.is_active:
            return self.ACTIVE
        return self.INVITED if self.invited_until else self.DEACTIVATED

    standing = status

    @property
    def has_joined(self):
        return self.has_usable_password()

    @property
    def may_join(self):
        """Whether the link that was sent still opens."""
        return self.status == self.INVITED and self.invited_until > timezone.now()

    @property
    def waits_for_reset(self):
        """Whether somebody asked lately to reset the second factor, and nobody approved yet."""
        asked = self.reset_asked_at
        return self.is_active and asked is not None and asked > timezone.now() - RESET_LASTS

    def hinders(self, values, by):
        """Why an undo by this person may not give it these values (as encoded), in words; "" if it may."""
        if by is None or not by.has_perm(MANAGE):
            return "only an operator may change that"
        if values.get("is_staff") is False and self.status != self.INVITED:
            return "the invite was accepted or taken back since"
        if values.get("reset_asked_by") not in (None, by.pk):
            return "who asked to reset it took that back, so ask anew"
        losing = values.get("is_active") is False or values.get("is_superuser") is False
        gaining = "is_superuser" in values or (self.is_superuser and "is_active" in values)
        return against_losing([self], by) if losing else against_operators(by) if gaining else ""

    @classmethod
    def after_change(cls, rows):
        """Groups are as `roles` says; whoever may not sign in any more is signed out."""
        pks = [row.pk for row in rows]
        with connections["default"].cursor() as cursor:
            cursor.execute(_LEAVE, [pks])
            cursor.execute(_JOIN, [pks])
        if gone := [row.pk for row in rows if not row.is_active]:
            sessions.end_all_of(gone)


def against_operators(by):
    """Why this person (None: nobody, by a command) may not say who is an operator, in words; "" if they may."""
    return "" if by is None or by.is_superuser else "only an operator says who is one"


def against_losing(people, by):
    """Why this person may not take the operator role or the account from these people, in words; "" if they may.

    Until this transaction ends nobody else takes either from anybody: two operators cannot remove each other at once.
    """
    if by is not None and by.pk in {person.pk for person in people}:
        return "nobody takes that from themselves; another operator can"
    if not any(person.is_superuser for person in people):
        return ""
    if why := against_operators(by):
        return why
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('console.who is an operator'))")
    others = type(people[0]).objects.filter(is_superuser=True, is_active=True)
    left = others.exclude(pk__in=[person.pk for person in people]).exists()
    return "" if left else "nobody would be left to operate the console"


def follow_groups(sender, action, using, **kwargs):
    """Somebody else's code changed who is in which group (a command, a test): `roles` follows."""
    if action.startswith("post_"):
        with connections[using].cursor() as cursor:
            cursor.execute(_FOLLOW)
