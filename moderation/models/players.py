"""The portal's accounts."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Upper
from django.utils import timezone

from moderation.models.shared import number_of, stem, sum_of
from moderation.networks import AddressField


class PlayerQuerySet(models.QuerySet):
    def with_standing(self):
        """With the ban in force, what their strikes weigh together, and how many comments were approved and rejected.

        Correlated subqueries: each runs for the rows that are returned, never for the table.
        """
        from moderation.models import Ban, Comment, Strike  # which point at players

        bans = Ban.objects.in_force().filter(player=OuterRef("pk"))
        bans = bans.order_by(F("expires_at").desc(nulls_first=True))
        mine = Comment.objects.filter(player=OuterRef("pk")).order_by().values("player")
        strikes = Strike.objects.weighing().filter(player=OuterRef("pk")).order_by().values("player")
        return self.annotate(
            ban_in_force=Subquery(bans.values("pk")[:1]),
            banned_until=Subquery(bans.values("expires_at")[:1]),
            active_strikes=sum_of(strikes, "weight"),
            approved=number_of(mine.filter(status=Comment.APPROVED)),
            rejected=number_of(mine.filter(status=Comment.REJECTED)),
        )

    def for_verbs(self):
        """With what decides whether a verb is legal."""
        from moderation.models import Ban

        bans = Ban.objects.in_force().filter(player=OuterRef("pk"))
        return self.annotate(ban_in_force=Subquery(bans.values("pk")[:1]))


class Player(models.Model):
    """A portal account. `strikes` is the lifetime number; `comment_count` is kept by intake."""

    PERSONAL_FIELDS = ("username", "email", "bio", "last_ip")

    external_id = models.CharField(max_length=200)
    username = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    bio = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    seen_or_joined_at = models.GeneratedField(
        expression=Coalesce("last_seen_at", "joined_at"),
        output_field=models.DateTimeField(),
        db_persist=True,
        help_text="What lists are ordered by: an order needs a place for those who were never seen.",
    )
    last_ip = AddressField(null=True, blank=True)
    recent_game = models.ForeignKey("games.Game", models.SET_NULL, null=True, blank=True, related_name="+")
    comment_count = models.PositiveIntegerField(default=0)
    strikes = models.PositiveIntegerField(default=0)
    erased_at = models.DateTimeField(null=True, blank=True, help_text="When personal data went, on request.")
    mail_stopped_at = models.DateTimeField(
        "no mail", null=True, blank=True, help_text="When they asked not to be written to."
    )
    version = models.PositiveIntegerField(default=0)

    objects = PlayerQuerySet.as_manager()

    class Meta:
        indexes = [
            # names are searched without case: from the start with two letters, anywhere with three
            models.Index(OpClass(Upper("username"), name="text_pattern_ops"), name="player_name_start"),
            GinIndex(OpClass(Upper("username"), name="gin_trgm_ops"), name="player_name_anywhere"),
            GinIndex(OpClass(Upper("email"), name="gin_trgm_ops"), name="player_email_anywhere"),
            models.Index(fields=["last_ip"], name="player_address"),
            # each order of the list; of those who were switched off, a sliver, alone
            models.Index(fields=["joined_at", "id"], name="player_joined"),
            models.Index(fields=["seen_or_joined_at", "id"], name="player_seen"),
            models.Index(fields=["comment_count", "id"], name="player_comments"),
            models.Index(fields=["strikes", "id"], name="player_strikes"),
            # whose last address is whole, as long as it is: what retention looks through begins where it is old
            models.Index(
                fields=["seen_or_joined_at"],
                name="player_whole_address",
                condition=models.Q(last_ip__masklen__in=(32, 128)),
            ),
            models.Index(fields=["joined_at", "id"], name="player_inactive", condition=models.Q(is_active=False)),
        ]
        # unique by a constraint: a unique field would bring an index for LIKE, which every decision makes anew
        constraints = [models.UniqueConstraint(fields=["external_id"], name="player_external_id")]
        permissions = [
            ("warn_player", "Can warn players"),
            ("strike_player", "Can give players strikes of any weight"),
            ("note_player", "Can leave notes on players"),
            ("export_player", "Can export lists of players"),
            ("view_address", "Can see addresses and e-mails whole"),
            ("reveal_address", "Can have a player's addresses and e-mail shown, with a reason"),
        ]

    def __str__(self):
        return self.username

    def get_absolute_url(self):
        return f"{stem('moderation:player')}{self.pk}/"

    @property
    def personal_label(self):
        return self.username

    @property
    def is_banned(self):
        """Whether a ban is in force; without a query when the row was loaded with it."""
        if "ban_in_force" in self.__dict__:
            return self.ban_in_force is not None
        return self.bans.in_force().exists()

    @property
    def state(self):
        return "banned" if self.is_banned else "active" if self.is_active else "inactive"

    standing = state
