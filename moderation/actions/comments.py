"""What staff do to comments."""

from console.verbs import verb
from moderation.forms import ReasonForm
from moderation.models import Comment


@verb(
    "comment.approve",
    label="Approve",
    past="approved",
    model="moderation.Comment",
    permission="moderation.moderate_comment",
    legal=lambda comment: comment.status in (Comment.PENDING, Comment.REJECTED),
    icon="check",
    tone="ok",
    key="a",
)
def approve(comments, act):
    act.change(comments, status=Comment.APPROVED)


@verb(
    "comment.reject",
    label="Reject",
    past="rejected",
    model="moderation.Comment",
    permission="moderation.moderate_comment",
    legal=lambda comment: comment.status in (Comment.PENDING, Comment.APPROVED),
    icon="x",
    key="r",
    form=ReasonForm,
)
def reject(comments, act):
    act.change(comments, status=Comment.REJECTED)
