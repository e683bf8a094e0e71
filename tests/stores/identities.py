"""Who gives credentials to machines, containers and pods, as strict as each one's documentation.

  identities.py PORT FOLDER KEY SECRET

FOLDER/token holds what Kubernetes would have written for a pod, and is what is compared. Served are

  AWS STS       https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
  EKS           https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
  App Service   https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
  Entra         https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow

Tokens of Entra are such as Azurite believes with --oauth basic: audience, issuer and times are right,
the signature is nobody's, which that server does not look at.
"""

import base64
import datetime
import hmac
import json
import re
import sys
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROLE = "arn:aws:iam::123456789012:role/backup"
TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "66666666-7777-4888-8999-aaaaaaaaaaaa"
CLIENT_SECRET = "a-secret-of-the-application"
HEADER = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a"
RESOURCE = "https://storage.azure.com"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def ends():
    """Credentials of AWS live for an hour."""
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ")


def unpadded(data):
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def token_of_entra():
    now = int(time.time())
    claims = {
        "aud": RESOURCE, "iss": f"https://sts.windows.net/{TENANT}/", "iat": now, "nbf": now - 5,
        "exp": now + 3599, "appid": CLIENT, "tid": TENANT, "ver": "1.0",
    }
    return f"{unpadded({'alg': 'RS256', 'typ': 'JWT'})}.{unpadded(claims)}.{unpadded({})}", claims["exp"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        form = dict(urllib.parse.parse_qsl(body))
        asked = (self.command, url.path)
        if asked == ("GET", "/v1/credentials"):
            return self.pod()
        if asked == ("GET", "/msi/token"):
            return self.managed(query)
        if asked == ("POST", f"/{TENANT}/oauth2/v2.0/token"):
            return self.entra(form)
        if url.path == "/" and (query | form).get("Action") == "AssumeRoleWithWebIdentity":
            return self.web_identity(query | form)
        self.answer(404, {"error": "not part of this double"})

    do_GET = do_POST = serve

    def web_identity(self, told):
        def refuse(status, code):
            text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>"
            self.answer(status, text, "text/xml")

        seconds = told.get("DurationSeconds", "3600")
        if told.get("Version") != "2011-06-15" or not seconds.isdigit() or not 900 <= int(seconds) <= 43200:
            return refuse(400, "ValidationError")
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", told.get("RoleSessionName", "")):
            return refuse(400, "ValidationError")
        if not hmac.compare_digest(told.get("WebIdentityToken", ""), TOKEN):
            return refuse(400, "InvalidIdentityToken")
        if told.get("RoleArn") != ROLE:
            return refuse(403, "AccessDenied")
        self.answer(200, (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{KEY}</AccessKeyId>"
            f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken></SessionToken>"
            f"<Expiration>{ends()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
            "</AssumeRoleWithWebIdentityResponse>"
        ), "text/xml")

    def pod(self):
        if not hmac.compare_digest(self.headers.get("Authorization", ""), TOKEN):
            return self.answer(401, {"message": "unauthorized"})
        self.answer(200, {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": "", "AccountId": "123456789012", "Expiration": ends()})

    def managed(self, query):
        if self.headers.get("X-IDENTITY-HEADER") != HEADER:
            return self.answer(401, {"statusCode": 401, "message": "Unauthorized"})
        if query.get("api-version") != "2019-08-01" or query.get("resource", "").rstrip("/") != RESOURCE:
            return self.answer(400, {"statusCode": 400, "message": "BadRequest"})
        if query.get("client_id", CLIENT) != CLIENT:
            return self.answer(400, {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found"})
        token, end = token_of_entra()
        self.answer(200, {
            "access_token": token, "expires_on": str(end), "resource": RESOURCE, "token_type": "Bearer", "client_id": CLIENT,
        })

    def entra(self, form):
        if form.get("client_id") != CLIENT or form.get("grant_type") != "client_credentials":
            return self.answer(400, {"error": "invalid_request"})
        if form.get("scope") != f"{RESOURCE}/.default":
            return self.answer(400, {"error": "invalid_scope"})
        by_token = form.get("client_assertion_type") == BEARER and hmac.compare_digest(form.get("client_assertion", ""), TOKEN)
        if not by_token and not hmac.compare_digest(form.get("client_secret", ""), CLIENT_SECRET):
            return self.answer(401, {"error": "invalid_client"})
        token, _ = token_of_entra()
        self.answer(200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})


if __name__ == "__main__":
    PORT, FOLDER, KEY, SECRET = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    TOKEN = (FOLDER / "token").read_text()
    ThreadingHTTPServer.request_queue_size = 64
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
