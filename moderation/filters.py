"""What the lists of this app can be narrowed by."""

import django_filters as filters
from django import forms

from moderation.models import Comment, CommentText, Player
from moderation.text import fold

ALL = "all"


def search_comments(queryset, words):
    """Comments whose body holds the words (from three characters), or whose author's name does (starts, with two).

    The two searches are a union of ids, each from its own index: an OR across tables could use neither.
    """
    words = words.strip()
    if len(words) > 2:
        players = Player.objects.filter(username__icontains=words)
    else:
        players = Player.objects.filter(username__istartswith=words)
    by_author = Comment.objects.filter(player__in=players).order_by().values("pk")
    folded = fold(words)
    if len(folded) < 3:
        return queryset.filter(pk__in=by_author)
    by_body = CommentText.objects.filter(folded__contains=folded).values("pk")
    return queryset.filter(pk__in=by_body.union(by_author, all=True))


class CommentFilter(filters.FilterSet):
    """Without `status` the queue shows what is pending; `status=all` shows everything."""

    defaults = {"status": Comment.PENDING}

    q = filters.CharFilter(method="search", max_length=200, strip=True)
    status = filters.ChoiceFilter(choices=[*Comment.STATUSES, (ALL, "All")], method="by_status")
    order = filters.ChoiceFilter(choices=[(o, o) for o in ("oldest", "newest", "reported")], method="keep")
    per = filters.ChoiceFilter(choices=[(n, n) for n in ("25", "50", "100")], method="keep")

    class Meta:
        model = Comment
        fields = []

    @property
    def form(self):
        form = super().form
        form.fields["q"].widget = forms.TextInput()
        return form

    @property
    def shown_status(self):
        """The status shown; pending when none or an unknown one was asked for."""
        wanted = self.data.get("status") or Comment.PENDING
        return wanted if wanted in dict(self.filters["status"].extra["choices"]) else Comment.PENDING

    def filter_queryset(self, queryset):
        if not self.form.cleaned_data.get("status"):
            queryset = queryset.filter(status=Comment.PENDING)
        return super().filter_queryset(queryset)

    def by_status(self, queryset, name, value):
        return queryset if value == ALL else queryset.filter(status=value)

    def search(self, queryset, name, value):
        return search_comments(queryset, value) if len(value) > 1 else queryset.none()

    def keep(self, queryset, name, value):
        return queryset
