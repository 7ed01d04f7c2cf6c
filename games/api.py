"""Builds that portals upload, and how far each is. By hand and by the API they come in one way (games.intake)."""

import uuid

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser

from console import flags
from console.api import idempotency
from console.api.base import ApiView
from console.api.problems import Problem, unprocessable
from console.ledger import Origin
from games import actions, intake
from games.models import Build
from games.upload import UploadForm

SHOWN = {"game_text": "game"}  # fields of the form, as they are called here
NO_ROOM = (intake.NO_ROOM, intake.NO_DISK)


class BuildUpload(serializers.Serializer):
    """A zip with a game: of one that is there, or of a new one."""

    zip = serializers.FileField(help_text="With an index.html at the top, or in the one folder everything is in.")
    game = serializers.CharField(required=False, help_text="The slug of the game it is a new build of.")
    title = serializers.CharField(required=False, max_length=200, help_text="Of a new game.")
    description = serializers.CharField(required=False, max_length=5000, help_text="Of a new game.")
    tags = serializers.CharField(required=False, help_text="Of a new game, with commas between them.")


class FindingShape(serializers.Serializer):
    level = serializers.ChoiceField(["error", "warning", "note"])
    code = serializers.CharField()
    path = serializers.CharField(help_text="The file, if it is about one.")
    sentence = serializers.CharField(help_text="What it is and what to do.")


class BuildShape(serializers.Serializer):
    """A build, named by its game and its number."""

    game = serializers.CharField(help_text="The slug of the game.")
    number = serializers.IntegerField()
    state = serializers.ChoiceField([name for name, _ in Build.STATES])
    error = serializers.CharField(allow_null=True, help_text="Why it failed.")
    findings = FindingShape(many=True)


def described(build):
    found = build.findings.order_by("pk").values("level", "code", "path", "sentence")
    own = {"game": build.game.slug, "number": build.number, "state": build.state, "error": build.error or None}
    return {**own, "findings": list(found)}


class BuildsIn(ApiView):
    scope = "builds:write"
    limit = "api-write"
    parser_classes = [MultiPartParser]
    paused_by = flags.PAUSE_UPLOADS
    handler, kept = None, False

    @extend_schema(summary="Upload a build", request=BuildUpload, responses={202: BuildShape})
    def post(self, request):
        """It is processed in the background: ask its own address, or wait for the webhook."""
        plain = request._request
        try:
            self.handler = intake.begin(plain)
        except intake.TooBig:
            raise Problem(413, intake.TOO_BIG) from None
        try:
            return self.receive(request, self.read(plain))
        finally:
            if not self.kept:
                self.handler.throw_away()

    def read(self, plain):
        """What came, checked as the console's own form is. Raises Problem."""
        given = {name: plain.POST.get(name, "") for name in ("title", "description", "tags")}
        given |= {"game_text": plain.POST.get("game", ""), "version": 0, "idempotency_key": str(uuid.uuid4())}
        form = UploadForm(given, plain.FILES, problem=self.handler.problem)
        if not form.is_valid():
            if self.handler.problem in NO_ROOM:
                raise Problem(503, self.handler.problem, {"Retry-After": "60"})
            if self.handler.problem:
                raise Problem(413, self.handler.problem)
            raise unprocessable({SHOWN.get(name, name): list(said) for name, said in form.errors.items()})
        return form.cleaned_data

    def receive(self, request, data):
        received, fields = data["received"], {name: data[name] for name in ("title", "description", "tags", "game")}
        once = idempotency.begin(request, f"{received.sha256} {sorted(map(str, fields.values()))}".encode())
        if once.response:
            return once.response
        with once, transaction.atomic():
            try:
                outcome = actions.upload(
                    received, by=None, key=None, origin=Origin(), note=f"By the token {request.auth.name}.", **fields
                )
            except actions.SameZip as same:
                raise Problem(409, str(same), game=same.build.game.slug, number=same.build.number) from None
            response = self.say(described(outcome.done[0]), 202)
            once.keep(response)
        self.kept = True
        return response


class BuildView(ApiView):
    """How far the processing of a build is, and what was found in it."""

    scope = "builds:write"

    @extend_schema(summary="How far a build is", responses=BuildShape)
    def get(self, request, game, number):
        build = Build.objects.select_related("game").filter(game__slug=game, number=number).first()
        if build is None:
            raise Http404
        return self.say(described(build))
