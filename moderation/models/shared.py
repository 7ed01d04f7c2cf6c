"""What several models of this app use."""

from functools import cache

from django.db.models import Count, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse


@cache
def stem(name):
    """What the addresses of all rows of a kind begin with: to resolve each takes longer than to draw its card."""
    return reverse(name, args=[0]).removesuffix("0/")


def sum_of(grouped, name):
    return Coalesce(Subquery(grouped.annotate(number=Sum(name)).values("number")), 0)


def number_of(grouped):
    return Coalesce(Subquery(grouped.annotate(number=Count("pk")).values("number")), 0)
