"""Request id: kept for the length of a request, so that log lines, SQL and ledger entries can carry it."""

import json
import logging
from contextvars import ContextVar

request_id = ContextVar("request_id", default="-")


class RequestFilter(logging.Filter):
    """Puts the request id on each record; line breaks in messages cannot forge a second line."""

    def filter(self, record):
        record.request_id = request_id.get()
        record.msg = str(record.getMessage()).replace("\r", "\\r").replace("\n", "\\n")
        record.args = None
        return True


class JsonFormatter(logging.Formatter):
    def format(self, record):
        line = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "request_id": record.request_id,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
