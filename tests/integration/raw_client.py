"""A client that sends the bytes it is given, and the bytes of plain requests."""
import os
import select
import socket
import ssl
import time

SLOW = float(os.environ.get("TEST_SLOWNESS", "1"))      # sanitizers and valgrind take longer


def eventually(holds, seconds=10, why=None):
    """For what the server shows to who asks, and does not tell by itself: asked for until it holds. There is no event to wait for. Returns what held."""
    end = time.monotonic() + seconds * SLOW
    while not (held := holds()):
        assert time.monotonic() < end, "not within %s s%s" % (seconds, ": " + why() if why else "")
        time.sleep(0.02)
    return held


class Client:
    def __init__(self, port, tls=None, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=10 * SLOW)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the server has closed meanwhile."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError, OSError):
            return False

    def more(self):
        try:
            data = self.socket.recv(65536)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError):
            data = b""
        self.buffer += data
        return bool(data)

    def await_bytes(self):
        """Until the server has begun to answer; nothing is read."""
        readable, _, _ = select.select([self.socket], [], [], 10 * SLOW)
        assert readable, "no answer has begun"

    def answer(self, method="GET"):
        """(status, headers, body) of the next answer; None when the connection ends first."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            assert name.lower() not in headers, "header twice: " + name
            headers[name.lower()] = value.strip()
        status = int(lines[0].split(" ")[1])
        length = 0 if method == "HEAD" or status < 200 else int(headers["content-length"])
        while len(self.buffer) < length:
            if not self.more():
                return None
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, headers, body

    def closed(self, within=5.0):
        """Does the server close, with nothing more to say?"""
        self.socket.settimeout(within * SLOW)
        try:
            while self.more():
                pass
        except socket.timeout:
            return False
        return self.buffer == b""


class Dripping(Client):
    """Sends each few bytes in a segment of their own."""

    def send(self, data):
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(0, len(data), 7):
            if not super().send(data[i:i + 7]):
                return False
        return True


def get(path, *headers, method="GET", version="HTTP/1.1", host="Host: x"):
    lines = ["%s %s %s" % (method, path, version), host, *headers]
    return "\r\n".join(l for l in lines if l is not None).encode("latin-1") + b"\r\n\r\n"


def post(path, body=b"{}", *headers, length=None, token="good", media="application/json", method="POST"):
    lines = [] if length is False else ["Content-Length: %s" % (len(body) if length is None else length)]
    if token:
        lines.append("Authorization: Bearer " + token)
    if media:
        lines.append("Content-Type: " + media)
    return get(path, *lines, *headers, method=method) + body
