"""Flags, what staff chose for themselves, and switches: waffle's, with what verbs and the ledger need."""

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from waffle.models import AbstractBaseSwitch, AbstractUserFlag

from console import flags
from console.labs import state


class SeenAtOnce:
    """Whatever changes such a row, the next request sees it. In the ledger it goes by its title."""

    @property
    def personal_label(self):
        return f"“{self.title}”"

    @classmethod
    def after_change(cls, rows):
        transaction.on_commit(state.forget)

    def flush(self):
        state.forget()


class Flag(SeenAtOnce, AbstractUserFlag):
    """Whom a piece is on for. Of waffle's own fields only `everyone` counts: its command on the server sets that."""

    STAGES = [(stage, stage) for stage in (flags.OFF, flags.OPT_IN, flags.GROUPS, flags.SHARE, flags.EVERYONE)]

    owner = models.CharField(max_length=80, blank=True)
    removal_date = models.DateField(null=True, blank=True)
    stage = models.CharField(max_length=8, choices=STAGES, default=flags.OFF)
    given_to = models.JSONField("groups", default=list, blank=True, help_text="Names of groups.")
    share = models.PositiveSmallIntegerField(default=0, help_text="Percent of staff.")
    version = models.PositiveIntegerField(default=0)

    class Meta(AbstractUserFlag.Meta):
        abstract = False
        verbose_name, verbose_name_plural = "flag", "flags"
        permissions = [
            ("manage_flags", "Can move flags and flip switches"),
            ("join_flag", "Can switch new pieces of the console on for oneself"),
        ]

    def __str__(self):
        return f"the flag “{self.title}”"

    @property
    def title(self):
        return flags.titled(self.name)

    @property
    def piece(self):
        """Its declaration, or None."""
        return flags.piece(self.name)

    @property
    def facts(self):
        return state.current().flags.get(self.name)

    def is_active(self, request, read_only=False):
        """For waffle's own tags and functions: the one decision there is."""
        return flags.is_on(request, self.name)

    def get_absolute_url(self):
        return reverse("console:flag", args=[self.pk])


class Choices(models.Manager):
    def for_verbs(self):
        return self.select_related("flag")


class Choice(SeenAtOnce, models.Model):
    """What somebody chose about a piece for themselves. Stored without effect, put in force by a recorded change."""

    flag = models.ForeignKey(Flag, models.CASCADE, related_name="choices")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="choices")
    wanted = models.BooleanField(null=True)
    version = models.PositiveIntegerField(default=0)

    objects = Choices()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flag", "user"], name="choice_once")]

    def __str__(self):
        return f"the piece “{self.title}”"

    @property
    def title(self):
        return self.flag.title


class Switch(SeenAtOnce, AbstractBaseSwitch):
    """Whether something is paused, and since when."""

    since = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta(AbstractBaseSwitch.Meta):
        abstract = False
        verbose_name, verbose_name_plural = "switch", "switches"

    def __str__(self):
        return f"the switch “{self.title}”"

    @property
    def title(self):
        return self.declared.sentence if self.declared else flags.titled(self.name)

    @property
    def declared(self):
        return flags.switch(self.name)

    def get_absolute_url(self):
        return reverse("console:switch", args=[self.pk])
