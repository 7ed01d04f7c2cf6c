"""A mail to a player, drawn: as text and as HTML, from the same words. Nothing in it is fetched from anywhere, and no
link is one that a player chose.
"""

import re

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template import Context, loader
from django.urls import reverse

from console.text import spelled, unlinked

LONGEST = 600  # characters of a quote
SALT = "moderation.mails.stop"


def message(player, parts):
    """An EmailMultiAlternatives to the player's address."""
    subject, text, html = draw(player.username, parts, stop_url(player))
    headers = {}
    if link := stop_url(player):  # RFC 8058: mail programs have a button for it
        headers = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    mail = EmailMultiAlternatives(subject, text, to=[player.email], headers=headers)
    mail.attach_alternative(html, "text/html")
    return mail


def draw(username, parts, stop=""):
    """`(subject, text, HTML)` of a mail that says these parts."""
    drawn = [_part(part) for part in parts]
    context = {
        "name": harmless(username),
        "portal": portal(),
        "parts": drawn,
        "appeal": settings.APPEAL_URL if any(part["decides"] for part in drawn) else "",
        "stop": stop,
    }
    subject = spelled(drawn[0]["subject"])[:200]
    text = loader.get_template("mail/player.txt").template.render(Context(context, autoescape=False))
    html = loader.get_template("mail/player.html").template.render(Context({"subject": subject, **context}))
    return subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", html


def _part(part):
    """Its words in paragraphs, what is quoted, and whether it is a decision somebody may object to."""
    context = Context({"portal": portal(), "number": 1, **part.context}, autoescape=False)
    words = loader.get_template(f"mail/player/{part.kind}.txt").template.render(context)
    subject, _, rest = words.partition("\n")
    paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", rest) if each.strip()]
    first, *others = paragraphs
    return {
        "subject": subject.strip(),
        "first": first,
        "others": others,
        "quotes": [[*_lines(quote)] for quote in part.quotes],
        "more": part.more,
        "decides": part.kind in ("banned", "ban_changed", "comment_rejected", "game_unpublished"),
    }


def _lines(quote):
    short = quote if len(quote) <= LONGEST else f"{quote[:LONGEST]} …"
    return (line for line in unlinked(short).split("\n") if line.strip())


def harmless(name):
    """A name on one line, without a link in it."""
    return spelled(unlinked(name))[:200]


def portal():
    """What the portal calls itself."""
    return settings.PORTAL_NAME or "the games portal"


def stop_url(player):
    """The link by which they ask not to be written to; "" while it is not known where the console is reached."""
    if not settings.CONSOLE_URL:
        return ""
    return settings.CONSOLE_URL.rstrip("/") + reverse("mail_stop", args=[signing.dumps(player.pk, salt=SALT)])


def who(signed):
    """The primary key of the player who got this link, or None."""
    try:
        return signing.loads(signed, salt=SALT)
    except signing.BadSignature:
        return None
