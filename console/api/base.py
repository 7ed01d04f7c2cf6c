"""The views of the API. Read top to bottom: ApiView, RowsView.

Every view names a scope that its token must have. Nothing here knows sessions, cookies or people.
"""

import json
from functools import cache
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpResponse
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from console import flags
from console.api import auth, idempotency, problems, reading, scopes
from console.api.problems import Problem


class ApiView(APIView):
    """Needs a token with `scope`, and counts what it asks by `limit` (console.limits). `request.auth` is the Token.

    A view without a scope cannot be put into urls.py; `public` ones need no token.
    """

    scope = ""
    public = False
    paused_by = ""  # the switch that has it answer 503 (console.flags)
    limit = "api"
    authentication_classes = [auth.Bearer]
    permission_classes = throttle_classes = []
    parser_classes, renderer_classes = [JSONParser], [JSONRenderer]
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @classmethod
    def as_view(cls, **initkwargs):
        if not cls.public and not scopes.get(cls.scope):
            raise ImproperlyConfigured(f"{cls.__name__} names no scope that somebody registered.")
        return super().as_view(**initkwargs)

    def initial(self, request, *args, **kwargs):
        if self.public:
            return
        token = request.auth
        if self.scope not in token.scopes:
            told = f'{auth.REALM}, error="insufficient_scope", scope="{self.scope}"'
            raise Problem(403, f"This takes a token with the scope {self.scope}.", {"WWW-Authenticate": told})
        if self.paused_by and flags.is_flipped(self.paused_by):
            raise Problem(503, flags.LATER[self.paused_by], {"Retry-After": str(flags.RETRY_S)})

    def beside(self):
        """`(SQL, parameters)` of one row that is asked for in the statement that finds the token: it is in `self.row`
        as soon as there is `request.auth`. Nothing, unless a view is asked so often that this is worth it.
        """
        return ()

    def http_method_not_allowed(self, request, *args, **kwargs):
        allowed = ", ".join(self.allowed_methods)
        raise Problem(405, f"This address takes {allowed}.", {"Allow": allowed})

    def handle_exception(self, exc):
        return problems.answer(self.request, exc)

    def finalize_response(self, request, response, *args, **kwargs):
        return response

    def say(self, value, status=200, headers=None):
        """The answer: a value that is ready for JSON."""
        return HttpResponse(json.dumps(value), status=status, content_type="application/json", headers=headers)

    def asked(self, serializer_class):
        """The parameters of the query, read by a serializer. Raises Problem 422; also for those that nobody knows."""
        given, reader = self.request.GET, _reader(serializer_class)
        if strange := [name for name in given if name not in reader.fields]:
            raise problems.unprocessable({name: ["There is no such parameter."] for name in strange[:20]})
        return reader.run_validation(given.dict())


@cache
def _reader(serializer_class):
    """Made once: a serializer copies all its fields."""
    return serializer_class()


class Answer(NamedTuple):
    """What came of one row. `status` is created, updated, unchanged, deleted, banned or invalid; of the last one
    `error` says why.
    """

    external_id: str | None
    status: str
    error: str | None = None


class RowsView(ApiView):
    """Takes rows by POST: one object, an array of up to 500, or up to 10,000 lines of NDJSON, and answers each.

    500 at a time they are given to `take`, each time in a transaction of its own: what follows on commit, follows
    then. With an Idempotency-Key the same request is answered as the first time (console.api.idempotency).
    """

    limit = "api-write"
    paused_by = flags.PAUSE_INTAKE
    row_serializer = None
    parser_classes = [JSONParser, reading.NdjsonParser]

    def take(self, rows):
        """Takes these rows in. They are validated values of `row_serializer`, at most 500; the same external_id may
        come more than once, and the last one counts. Returns one Answer for each, in their order.
        """
        raise NotImplementedError

    def post(self, request, *args, **kwargs):
        body = reading.body(request)
        batches = reading.batches(request, body) or [[]]
        once = idempotency.begin(request, body)
        if once.response:
            return once.response
        with once:
            answers = []
            for number, batch in enumerate(batches, start=1):
                with transaction.atomic():
                    answers += self.work(batch)
                    auth.note_first(request.auth, any(answer.status != "invalid" for answer in answers))
                    if number == len(batches):
                        response = self.say([answer._asdict() for answer in answers])
                        once.keep(response)
        return response

    def work(self, batch):
        """The Answers to one batch of reading.Row, in its order."""
        serializer = self.row_serializer(context={"request": self.request, "view": self})
        answers = [self.check(serializer, row) for row in batch]
        good = [place for place, answer in enumerate(answers) if not isinstance(answer, Answer)]
        taken = self.take([answers[place] for place in good]) if good else []
        for place, answer in zip(good, taken, strict=True):
            answers[place] = answer
        return answers

    def check(self, serializer, row):
        """The validated value of a row, or the Answer that says what is wrong with it."""
        if row.error:
            return Answer(None, "invalid", row.error)
        own_id = reading.external_id(row.value)
        if error := reading.strange(row.value, serializer.fields):
            return Answer(own_id, "invalid", f"{row.where}{error}")
        try:
            return serializer.run_validation(row.value)
        except ValidationError as error:
            return Answer(own_id, "invalid", f"{row.where}{problems.sentence(error.detail)}")
