"""A double of Google Cloud Storage's XML interface: the calls that the object-store plugin makes.

There is no server for it that is truthful (fake-gcs-server refuses XML uploads), so this one is as
strict as the documentation: https://docs.cloud.google.com/storage/docs/xml-api/reference-methods.
It refuses what is not signed in, bodies that are not what their MD5 says, parts that are too small, wrong ETags on completion, writes to a
generation that is not the one named, and writes to one name that follow each other too fast. The
true limit of the last is one a second; here it is a quarter, so that the specs stay quick.

  gcs.py PORT BUCKET EMAIL PUBLIC_KEY.pem

Tokens: those it gave as the metadata service of a machine, and JWTs that the service account's key
signed (checked with openssl). Everything is kept in memory.
"""

import base64
import email.utils
import hashlib
import html
import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, BUCKET, ACCOUNT, PUBLIC = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
WRITE_GAP = 0.25
PART_MIN = 5 << 20
PAGE = 1000
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
lock = threading.Lock()
objects, uploads, written, tokens, believed = {}, {}, {}, {}, {}
counter = [1_700_000_000_000_000]


class Refused(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwt_is_good(token):
    """RFC 7523 with the claims that Google wants: https://google.aip.dev/auth/4111."""
    try:
        head, claims, signature = token.split(".")
        told, says = json.loads(unpadded(claims)), json.loads(unpadded(head))
    except ValueError:
        return False
    now = time.time()
    if says.get("alg") != "RS256" or told.get("iss") != ACCOUNT or told.get("sub") != ACCOUNT:
        return False
    lawful = told.get("iat", 0) - 60 <= now < told.get("exp", 0) <= told.get("iat", 0) + 3600
    if not lawful or told.get("scope") != SCOPE:
        return False
    with tempfile.NamedTemporaryFile() as sig:
        sig.write(unpadded(signature))
        sig.flush()
        line = ["openssl", "dgst", "-sha256", "-verify", PUBLIC, "-signature", sig.name]
        return subprocess.run(line, input=f"{head}.{claims}".encode(), capture_output=True).returncode == 0


def allowed(header):
    kind, _, token = (header or "").partition(" ")
    if kind != "Bearer" or not token:
        return False
    if token in tokens:
        return time.time() < tokens[token]
    if token not in believed:
        believed[token] = jwt_is_good(token)
    return believed[token]


def hashes(data):
    return f"md5={base64.b64encode(hashlib.md5(data).digest()).decode()}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer goes in one piece, or each waits for the client's acknowledgement.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=None, length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def serve(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        try:
            if len(body) < size:
                raise Refused(400, "IncompleteBody")
            self.dispatch(body)
        except Refused as refused:
            text = f"<?xml version='1.0'?><Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error>"
            self.answer(refused.status, b"" if self.command == "HEAD" else text.encode(), {"Content-Type": "application/xml"})

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

    def dispatch(self, body):
        url = urllib.parse.urlsplit(self.path)
        if url.path.startswith("/computeMetadata/"):
            return self.metadata(url.path)
        if not allowed(self.headers.get("Authorization")):
            raise Refused(401, "AuthenticationRequired", "Authentication required.")
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        bucket, _, key = url.path.lstrip("/").partition("/")
        key = urllib.parse.unquote(key)
        if urllib.parse.unquote(bucket) != BUCKET:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist.")
        if not key:
            return self.of_bucket(query)
        if self.command in ("PUT", "POST") and self.headers.get("Content-Length") is None:
            raise Refused(411, "MissingContentLength")
        with lock:
            getattr(self, f"on_{self.command}")(key, query, body)

    def metadata(self, path):
        """https://docs.cloud.google.com/compute/docs/access/authenticate-workloads"""
        if self.headers.get("Metadata-Flavor") != "Google":
            return self.answer(403)
        if path != "/computeMetadata/v1/instance/service-accounts/default/token":
            return self.answer(404)
        token = "ya29." + secrets.token_hex(16)
        tokens[token] = time.time() + 3599
        told = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        self.answer(200, json.dumps(told).encode(), {"Content-Type": "application/json", "Metadata-Flavor": "Google"})

    def of_bucket(self, query):
        if self.command == "HEAD":
            return self.answer(200)
        if self.command != "GET":
            raise Refused(405, "MethodNotAllowed")
        if "uploads" in query:
            return self.list_uploads(query)
        if "versioning" in query:
            return self.answer(200, b"<VersioningConfiguration/>")
        if "lifecycle" in query:
            return self.answer(200, b"<LifecycleConfiguration/>")
        if query.get("list-type") != "2":
            raise Refused(400, "InvalidArgument", "version 1 of the list is not part of this double")
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = max(query.get("start-after", ""), query.get("continuation-token", ""))
        most = min(int(query.get("max-keys", PAGE)), PAGE)
        with lock:
            keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
            found, folders, last, more = [], [], "", False
            for key in keys:
                rest = key[len(prefix):]
                folder = prefix + rest.split(delimiter)[0] + delimiter if delimiter and delimiter in rest else None
                if folder and folder in folders:
                    last = key
                    continue
                if len(found) + len(folders) == most:
                    more = True
                    break
                last = key
                folders.append(folder) if folder else found.append(key)
            text = "".join(
                f"<Contents><Key>{html.escape(key)}</Key><Generation>{objects[key]['generation']}</Generation>"
                f"<LastModified>{objects[key]['iso']}</LastModified><ETag>{objects[key]['etag']}</ETag>"
                f"<Size>{len(objects[key]['data'])}</Size></Contents>"
                for key in found
            )
        text += "".join(f"<CommonPrefixes><Prefix>{html.escape(folder)}</Prefix></CommonPrefixes>" for folder in folders)
        text += f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            text += f"<NextContinuationToken>{html.escape(last)}</NextContinuationToken>"
        self.answer(200, f"<ListBucketResult><Name>{BUCKET}</Name><Prefix>{html.escape(prefix)}</Prefix>{text}</ListBucketResult>".encode())

    def list_uploads(self, query):
        prefix = query.get("prefix", "")
        with lock:
            open_now = sorted((u["key"], name) for name, u in uploads.items() if u["key"].startswith(prefix))
        text = "".join(f"<Upload><Key>{html.escape(key)}</Key><UploadId>{name}</UploadId></Upload>" for key, name in open_now)
        self.answer(200, f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{text}</ListMultipartUploadsResult>".encode())

    def store(self, key, data, etag=None):
        """A write to one name more often than allowed is throttled."""
        now = time.monotonic()
        if now - written.get(key, -10) < WRITE_GAP:
            raise Refused(429, "SlowDown", "The object was changed too often.")
        written[key] = now
        counter[0] += 1
        etag = etag or f'"{hashlib.md5(data).hexdigest()}"'
        objects[key] = {
            "data": data, "etag": etag, "generation": counter[0], "date": email.utils.formatdate(usegmt=True),
            "iso": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        }
        return {"ETag": etag, "x-goog-generation": str(counter[0]), "x-goog-hash": hashes(data)}

    def on_PUT(self, key, query, body):
        told = self.headers.get("Content-MD5")
        if told is not None and told != base64.b64encode(hashlib.md5(body).digest()).decode():
            raise Refused(400, "BadDigest", "The MD5 you specified did not match what we received.")
        if "uploadId" in query:
            number = int(query.get("partNumber", 0))
            upload = uploads.get(query["uploadId"])
            if upload is None or upload["key"] != key:
                raise Refused(404, "NoSuchUpload")
            if not 1 <= number <= 10_000:
                raise Refused(400, "InvalidArgument")
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            upload["parts"][number] = (etag, body)
            return self.answer(200, headers={"ETag": etag, "x-goog-hash": hashes(body)})
        if query:
            raise Refused(400, "InvalidArgument", f"not part of this double: {sorted(query)}")
        wanted = self.headers.get("x-goog-if-generation-match")
        if wanted is not None:
            found = objects[key]["generation"] if key in objects else 0
            if int(wanted) != found:
                raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
        self.answer(200, headers=self.store(key, body))

    def on_POST(self, key, query, body):
        if "uploads" in query:
            name = secrets.token_hex(16)
            uploads[name] = {"key": key, "parts": {}}
            text = f"<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{html.escape(key)}</Key><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
            return self.answer(200, text.encode())
        upload = uploads.get(query.get("uploadId"))
        if upload is None or upload["key"] != key:
            raise Refused(404, "NoSuchUpload")
        wanted = []
        for part in body.decode().split("<Part>")[1:]:
            inside = {tag: html.unescape(part.split(f"<{tag}>")[1].split(f"</{tag}>")[0]) for tag in ("PartNumber", "ETag")}
            wanted.append((int(inside["PartNumber"]), inside["ETag"]))
        if not wanted or wanted != sorted(wanted):
            raise Refused(400, "InvalidPartOrder")
        data = []
        for number, etag in wanted:
            known, piece = upload["parts"].get(number, (None, b""))
            if known is None or known.strip('"') != etag.strip('"'):
                raise Refused(400, "InvalidPart")
            if len(piece) < PART_MIN and number != wanted[-1][0]:
                raise Refused(400, "EntityTooSmall")
            data.append(piece)
        whole = b"".join(data)
        etag = f'"{hashlib.md5(whole).hexdigest()}-{len(wanted)}"'
        headers = self.store(key, whole, etag)
        del uploads[query["uploadId"]]
        text = f"<CompleteMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{html.escape(key)}</Key><ETag>{etag}</ETag></CompleteMultipartUploadResult>"
        self.answer(200, text.encode(), headers)

    def on_DELETE(self, key, query, _):
        if "uploadId" in query:
            upload = uploads.get(query["uploadId"])
            if upload is None or upload["key"] != key:
                raise Refused(404, "NoSuchUpload")
            del uploads[query["uploadId"]]
            return self.answer(204)
        if key not in objects:
            raise Refused(404, "NoSuchKey")
        del objects[key]
        self.answer(204)

    def found(self, key):
        if key not in objects:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        found = objects[key]
        headers = {
            "ETag": found["etag"], "Last-Modified": found["date"], "x-goog-generation": str(found["generation"]),
            "x-goog-hash": hashes(found["data"]), "x-goog-stored-content-length": str(len(found["data"])),
            "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes",
        }
        return found["data"], headers

    def on_HEAD(self, key, *_):
        data, headers = self.found(key)
        self.answer(200, headers=headers, length=len(data))

    def on_GET(self, key, *_):
        data, headers = self.found(key)
        span = self.headers.get("Range")
        if not span:
            return self.answer(200, data, headers)
        first, _, last = span.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
        if start >= len(data):
            raise Refused(416, "InvalidRange")
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        self.answer(206, data[start:end + 1], headers)


ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
