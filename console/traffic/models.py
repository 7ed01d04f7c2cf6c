"""What traffic is read from: numbers by the hour and the day, kept by console.traffic.counting and by nobody else."""

from django.db import models
from django.db.models.functions import Now


class TrafficNote(models.Model):
    """That something came, went or moved in this hour of this table: triggers write it with the rows themselves
    (console.traffic.watching), and it is there until the hour was counted again.
    """

    source = models.CharField(max_length=64, help_text="The table.")
    hour = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.source}, {self.hour:%Y-%m-%d %H}"


class Rollup(models.Model):
    """How many there were in an hour or on a day in UTC; `part` is what a measure divides them by."""

    HOUR, DAY = "hour", "day"
    SPANS = [(HOUR, "Hour"), (DAY, "Day")]

    measure = models.CharField(max_length=32)
    part = models.CharField(max_length=128, blank=True)
    span = models.CharField(max_length=4, choices=SPANS)
    at = models.DateTimeField(help_text="When it begins.")
    number = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        permissions = [("view_traffic", "Can see traffic: numbers, addresses and networks")]
        constraints = [models.UniqueConstraint(fields=["span", "at", "measure", "part"], name="rollup_once")]

    def __str__(self):
        return f"{self.measure} {self.part} {self.at}"


class AddressRollup(models.Model):
    """How many came from an address on a day in UTC. `address` is whole, or what is kept of an old one; `network` is
    the /24 (/48 of IPv6) it lies in. Let go of after TRAFFIC_ADDRESS_DAYS, and the sums of it as well.
    """

    measure = models.CharField(max_length=32)
    day = models.DateField()
    address = models.GenericIPAddressField()
    network = models.GenericIPAddressField()
    number = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["day", "measure", "address"], name="address_rollup_once")]
        indexes = [models.Index(fields=["address", "day"], name="address_rollup_of", include=["number"])]

    def __str__(self):
        return f"{self.measure} {self.day}"


class NetworkRollup(models.Model):
    """AddressRollup summed for each network; triggers keep it (console.traffic.summing), as the next."""

    measure = models.CharField(max_length=32)
    day = models.DateField()
    network = models.GenericIPAddressField()
    number = models.BigIntegerField()  # what is added to it may be negative

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["network", "day", "measure"], name="network_rollup_once")]

    def __str__(self):
        return f"{self.measure} {self.day}"


class AddressTotal(models.Model):
    """AddressRollup summed for each whole address, over all days that are kept: no few of them hold more of it."""

    address = models.GenericIPAddressField(primary_key=True)
    number = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["-number", "address"], name="address_total_most")]

    def __str__(self):
        return f"{self.number}"


class FirstSeen(models.Model):
    """The first day of a network: nothing of one person."""

    measure = models.CharField(max_length=32)
    network = models.GenericIPAddressField()
    first_day = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["network", "measure"], name="first_seen_once")]
        indexes = [models.Index(fields=["first_day", "network"], name="first_seen_day")]

    def __str__(self):
        return f"{self.measure} {self.first_day}"
