"""A secret that we and somebody else sign with: kept locked, shown once, and replaced with a day in which both hold."""

from contextlib import suppress
from datetime import timedelta

from django.db import models
from django.utils import timezone

from console import atrest

OVERLAP = timedelta(hours=24)  # so long the one that was replaced holds as well
_SHOWN = "secret_shown"


class SharedSecret(models.Model):
    """What has such a secret. `PURPOSE` keeps one kind's apart from another's (console.atrest).

    `secret` and `previous_secret` are locked, and change without being on record; `rotated_at` is changed by a verb.
    """

    PURPOSE = ""

    rotated_at = models.DateTimeField(null=True, blank=True)
    secret = models.TextField(blank=True)
    previous_secret = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def overlaps_until(self):
        """Until when two secrets hold, or None."""
        end = self.rotated_at and self.rotated_at + OVERLAP
        return end if self.previous_secret and end and end > timezone.now() else None

    @property
    def first_secret(self):
        """Raises atrest.Unreadable."""
        return atrest.unlock(self.PURPOSE, self.secret)

    @property
    def secrets(self):
        """Those that hold now, the newest first. Raises atrest.Unreadable."""
        both = [self.first_secret]
        if self.overlaps_until:
            with suppress(atrest.Unreadable):  # it was replaced because of that
                both.append(atrest.unlock(self.PURPOSE, self.previous_secret))
        return both

    def take(self, secret):
        """Makes it the secret, and the present one, if any, the one before; saving is the caller's."""
        self.previous_secret, self.secret = self.secret, atrest.lock(self.PURPOSE, secret)


def show_once(request, row):
    """The next page about this row shows its secret."""
    request.session[_SHOWN] = [row._meta.label, row.pk]


def shown_once(request, row):
    """The secret, if this page is to show it; "" for any other."""
    if request.session.get(_SHOWN) != [row._meta.label, row.pk] or request.method == "HEAD":
        return ""
    del request.session[_SHOWN]
    try:
        return row.first_secret
    except atrest.Unreadable:
        return ""
