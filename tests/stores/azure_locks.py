"""What Azurite lacks: locks on versions of blobs, in front of it, as strict as the documentation.

https://learn.microsoft.com/azure/storage/blobs/immutable-version-level-worm-policies and
https://learn.microsoft.com/rest/api/storageservices/set-blob-immutability-policy. Everything else
is handed on as it came; its signature covers neither host nor port. What is deleted or overwritten
becomes a previous version, which the double remembers by its id while it is locked.

  azure_locks.py PORT UPSTREAM_PORT ACCOUNT KEY
"""

import base64
import email.utils
import hashlib
import hmac
import http.client
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, UPSTREAM, ACCOUNT, KEY = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
lock = threading.Lock()
# The current version of each blob: id, mode, until. And the locked versions that are no more it.
current, previous = {}, {}
count = [0]


def signature(handler, url, length):
    """SharedKey of a request: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key"""
    told = {name.lower(): value.strip() for name, value in handler.headers.items()}
    plain = [told.get(name, "") for name in (
        "content-encoding", "content-language", None, "content-md5", "content-type", None,
        "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range") if name]
    plain.insert(2, str(length) if length else "")
    plain.insert(5, "" if "x-ms-date" in told else told.get("date", ""))
    ours = "".join(f"{name}:{told[name]}\n" for name in sorted(told) if name.startswith("x-ms-"))
    query = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
    resource = f"/{ACCOUNT}{url.path}" + "".join(f"\n{name.lower()}:{value}" for name, value in sorted(query))
    text = "\n".join([handler.command, *plain]) + "\n" + ours + resource
    digest = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    return f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"


def is_locked(known):
    return known.get("until", 0) > time.time()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=(), length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "date" for name, _ in headers):
            self.send_header("Date", email.utils.formatdate(usegmt=True))
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def refuse(self, status, code):
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        self.answer(status, body if self.command != "HEAD" else b"", [("x-ms-error-code", code)])

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        name = urllib.parse.unquote(url.path)
        if query.get("comp") == "immutabilityPolicies":
            if self.headers.get("Authorization") != signature(self, url, len(body)):
                return self.refuse(403, "AuthenticationFailed")
            with lock:
                return self.policy(name)
        if self.command == "DELETE" and "versionid" in query:
            if self.headers.get("Authorization") != signature(self, url, len(body)):
                return self.refuse(403, "AuthenticationFailed")
            with lock:
                if not self.may_delete_version(name, query["versionid"]):
                    return
            self.path = url.path
        self.hand_on(name, query, body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

    def policy(self, name):
        if self.command != "PUT":
            return self.refuse(405, "UnsupportedHttpVerb")
        known = current.get(name)
        if known is None:
            return self.refuse(404, "BlobNotFound")
        mode = self.headers.get("x-ms-immutability-policy-mode", "")
        told = email.utils.parsedate_to_datetime(self.headers.get("x-ms-immutability-policy-until-date", ""))
        until = told.timestamp()
        if mode.lower() not in ("locked", "unlocked") or until <= time.time():
            return self.refuse(400, "InvalidHeaderValue")
        # Locked policies can be made longer and nothing else.
        if is_locked(known) and known["mode"] == "Locked" and (mode.lower() != "locked" or until < known["until"]):
            return self.refuse(409, "BlobImmutableDueToPolicy")
        known.update(mode=mode, until=until)
        self.answer(200, headers=[
            ("x-ms-immutability-policy-until-date", email.utils.formatdate(until, usegmt=True)),
            ("x-ms-immutability-policy-mode", mode.lower()),
        ])

    def may_delete_version(self, name, version):
        """A version that is locked stays; one of a blob's past lies here alone, not upstream."""
        known = current.get(name, {})
        past = previous.get((name, version))
        if (known.get("id") == version and is_locked(known)) or (past and is_locked(past)):
            self.refuse(409, "BlobImmutableDueToPolicy")
            return False
        if known.get("id") == version:
            return True
        previous.pop((name, version), None)
        self.answer(202 if past else 404)
        return False

    def hand_on(self, name, query, body):
        upstream = http.client.HTTPConnection("127.0.0.1", UPSTREAM, timeout=60)
        headers = {key: value for key, value in self.headers.items() if key.lower() != "connection"}
        if self.path != urllib.parse.urlsplit(self.path).path or "versionid" not in query:
            upstream.request(self.command, self.path, body=body, headers=headers)
        else:
            # Upstream knows no versions: signed anew without one.
            headers = {key: value for key, value in headers.items() if key.lower() != "authorization"}
            headers["Authorization"] = signature(self, urllib.parse.urlsplit(self.path), len(body))
            upstream.request(self.command, self.path, body=body, headers=headers)
        got = upstream.getresponse()
        data = got.read()
        told = [(key, value) for key, value in got.getheaders()
                if key.lower() not in ("content-length", "transfer-encoding", "connection", "keep-alive")]
        length = got.getheader("Content-Length") if self.command == "HEAD" else None
        with lock:
            told += self.note(name, query, got.status)
        upstream.close()
        self.answer(got.status, data, told, length)

    def note(self, name, query, status):
        """What the request did to versions, and what is told of them."""
        if query.get("restype") == "container":
            return [("x-ms-immutable-storage-with-versioning-enabled", "true")]
        done = 200 <= status < 300
        writes = self.command == "PUT" and query.get("comp") in (None, "blocklist")
        if done and (writes or self.command == "DELETE"):
            before = current.pop(name, None)
            if before and is_locked(before):
                previous[(name, before["id"])] = before
        if done and writes:
            count[0] += 1
            current[name] = {"id": f"2026-01-01T00:00:00.{count[0]:07}Z"}
        known = current.get(name)
        if known is None or not done:
            return []
        headers = [("x-ms-version-id", known["id"])]
        if "until" in known:
            headers.append(("x-ms-immutability-policy-until-date", email.utils.formatdate(known["until"], usegmt=True)))
            headers.append(("x-ms-immutability-policy-mode", known["mode"].lower()))
        return headers


ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
