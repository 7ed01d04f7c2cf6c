"""Mail leaves as a job: a request that causes one neither waits for the mail server nor fails with it.

    mail.post("new_device", user.pk, site=mail.site_of(request), device="Firefox on Linux")

writes a job in the caller's transaction; a worker draws `templates/mail/new_device.txt` (the first line is the
subject; `user`, `name` and the arguments are there) and sends it. What must not lie in a job (a token, whatever is
personal) is found when the mail is sent, by a function registered for its kind: `mail.register("invite", fill)`.
"""

import re
import smtplib
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.template import Context, loader
from django.utils import timezone

from console import jobs
from console.models import User

KIND = "mail"
KEEP_TRYING = timedelta(hours=24)
REFUSED = "The mail server refuses this mail for good. Check the person's e-mail address."
_NAME = re.compile(r"[a-z_]+")
_fills = {}


def register(kind, fill):
    """`fill(user, **args)` gives what else the template of this kind is drawn with, at the time of sending."""
    _fills[kind] = fill


def post(kind, user_id, by=None, **args):
    """Queues a mail to somebody of staff, in the caller's transaction; returns its Job.

    `args` are ids and plain values that are nobody's personal ones. Raises TemplateDoesNotExist for a kind there is
    no text for.
    """
    _template(kind)
    (job,) = jobs.enqueue(KIND, [{"mail": kind, "user": user_id, "with": args}], by=by)
    return job


def site_of(request):
    """Where links in a mail lead: "https://host" of this request, whose host is one of ALLOWED_HOSTS."""
    return request.build_absolute_uri("/").removesuffix("/")


def draw(kind, user, **args):
    """`(subject, body)`. Mails are plain text, so nothing is escaped; names keep to one line of visible characters."""
    name = "".join(char if char.isprintable() else " " for char in user.display_name)
    more = _fills[kind](user, **args) if kind in _fills else {}
    context = Context({"user": user, "name": name, **args, **more}, autoescape=False)
    subject, _, body = _template(kind).render(context).partition("\n")
    return subject.strip(), body.strip() + "\n"


def send(claim):
    """Sends the mail of this job. A mail server that is away is tried again for KEEP_TRYING."""
    args = claim.job.args
    user = User.objects.filter(pk=args["user"]).first()
    if user is None or not user.email:
        raise jobs.Failed("Nobody could be written to: there is no e-mail address.")
    subject, body = draw(args["mail"], user, **args["with"])
    claim.check()
    deliver(EmailMessage(subject, body, to=[user.email]), claim.job)
    claim.finish()


class Refused(jobs.Failed):
    """The mail server knows the address for none, for good."""


def deliver(message, job, since=None):
    """Sends it for this job, by which mail programs know it when it comes twice. Raises Refused, jobs.Failed when it is
    refused for another reason, jobs.Later while the mail server is away; for KEEP_TRYING, counted from `since`.
    """
    message.extra_headers |= {"Message-ID": _message_id(job), "Auto-Submitted": "auto-generated"}
    since = since or job.created_at
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise (Refused(REFUSED) if min(codes) >= 500 else _away(since)) from error
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        raise (jobs.Failed(REFUSED) if error.smtp_code >= 500 else _away(since)) from error
    except OSError as error:  # what smtplib raises is one, too
        raise _away(since) from error


def setup():
    """Once, when the console is ready."""
    # at first soon, then every few minutes: a mail server that is away is not asked all day long
    jobs.register(jobs.Kind(KIND, send, later_s=(5, 300), label="Mail to staff"))


def _template(kind):
    if not _NAME.fullmatch(kind):
        raise ValueError(kind)
    return loader.get_template(f"mail/{kind}.txt").template


def _message_id(job):
    """The same for every try: a mail sent twice is shown once. Tells nothing about the machine that sends."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<job-{job.pk}-{job.created_at:%Y%m%d%H%M%S}@{domain}>"


def _away(since):
    if timezone.now() - since > KEEP_TRYING:
        return jobs.Failed("The mail server could not be reached for a day; the mail was not sent.")
    return jobs.Later("The mail server cannot be reached. It is tried again until it can, for a day.")
