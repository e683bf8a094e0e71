"""The metadata service of an EC2 machine, version 2 alone: imds.py PORT KEY SECRET

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html
"""

import datetime
import json
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, KEY, SECRET = int(sys.argv[1]), sys.argv[2], sys.argv[3]
ROLE = "backup-role"
BASE = "/latest/meta-data/iam/security-credentials/"
tokens = set()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        seconds = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
            return self.answer(400)
        token = secrets.token_urlsafe(40)
        tokens.add(token)
        self.answer(200, token)

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") not in tokens:
            return self.answer(401)
        if self.path in (BASE, BASE[:-1]):
            return self.answer(200, ROLE)
        if self.path != BASE + ROLE:
            return self.answer(404)
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=6)
        self.answer(200, json.dumps({
            "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": KEY, "SecretAccessKey": SECRET,
            "Token": "", "LastUpdated": "2026-01-01T00:00:00Z", "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }))


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
