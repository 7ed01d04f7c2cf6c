"""A mail server that takes mails, refuses them or hangs, for tests that send some."""

import socketserver
import threading
from email import message_from_bytes, policy


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    block_on_close = False


class Postbox:
    """Use as a context manager. `mails` are those it took, parsed; `answer` is what it says to each recipient, and
    None to say nothing at all from the first moment on.
    """

    def __init__(self, answer="250 OK", port=0):
        self.mails, self.answer, self.port, self.over = [], answer, port, threading.Event()

    def __enter__(self):
        self.server = Server(("127.0.0.1", self.port), _handler(self))
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def _body(file):
    return b"".join(iter(file.readline, b".\r\n"))


def _handler(box):
    class Handler(socketserver.StreamRequestHandler):
        def say(self, line):
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self):
            if box.answer is None:
                box.over.wait()
                return
            self.say("220 postbox")
            for line in self.rfile:
                word = line[:4].upper().strip()
                if word == b"DATA":
                    self.say("354 go on")
                    box.mails.append(message_from_bytes(_body(self.rfile), policy=policy.default))
                self.say(box.answer if word == b"RCPT" else "221 bye" if word == b"QUIT" else "250 OK")
                if word == b"QUIT":
                    return

    return Handler
