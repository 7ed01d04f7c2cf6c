"""Small words for templates; a builtin, so no template loads it."""

import uuid
from datetime import UTC, datetime
from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from console import flags
from console.text import lay_open, lay_open_name, lay_open_plain, spelled

register = template.Library()
for each in (lay_open, lay_open_name, lay_open_plain, spelled):
    register.filter(each)


@register.filter
def get(mapping, key):
    return mapping.get(key) if mapping else None


@register.filter
def begins(path, prefix):
    return path.startswith(prefix)


@register.filter
def holds(section, path):
    return section.holds(path)


@register.filter
def dom_id(row):
    """The element id of a row's card: "comment-17"."""
    return f"{row._meta.model_name}-{row.pk}"


@register.simple_tag
def new_key():
    """A fresh idempotency key: each rendered form has one of its own."""
    return str(uuid.uuid4())


@register.simple_tag(takes_context=True)
def flag(context, name):
    """Whether a piece is on for whoever looks: `{% flag "key_line" as on %}` (console.flags)."""
    return flags.is_on(context["request"], name)


def ago_words(moment):
    """How long ago, in the words people use: "just now", "5 minutes ago"."""
    now = datetime.now(UTC)
    fresh = (now - moment).total_seconds() < 60
    return "just now" if fresh else f"{timesince(moment, now, depth=1)} ago"


@register.filter
def ago(moment):
    """A `<time>` that says how long ago, with the exact moment for machines and on hover."""
    if moment is None:
        return ""
    iso = (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()  # none of it needs escaping
    return SafeString(f'<time datetime="{iso}" title="{iso[:10]} {iso[11:16]} UTC">{ago_words(moment)}</time>')


@register.filter
def moment(value):
    """A moment in the future or the past, exactly: "2026-11-21 14:05 UTC"."""
    iso = value.astimezone(UTC).isoformat()
    return SafeString(f'<time datetime="{iso}">{iso[:10]} {iso[11:16]} UTC</time>')


@register.filter
def number(value):
    """A count in full: "12,345"."""
    return f"{value or 0:,}"


@register.filter
def get_field(form, name):
    """A form's field whose name Django's templates cannot say, as `from`."""
    return form[name]


@register.filter
def capped(number, limit=1000):
    """A count as people read it: "312", "1,000+", or "–" when it could not be had."""
    if number is None:
        return "–"
    return f"{limit:,}+" if number > limit else f"{number:,}"


@register.filter
def undo_entry(message):
    """The id of the entry a message offers to undo, or "" (see respond.remember)."""
    return next((tag[5:] for tag in (message.extra_tags or "").split() if tag.startswith("undo-")), "")


@register.simple_tag
@cache
def icon(name):
    """One of the icons in icons.svg; decoration, so hidden from screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("icons.svg"),
        name,
    )
