"""Signed requests that no client of ours can make: a bucket of S3, a container of Azure."""

import base64
import datetime
import hashlib
import hmac
import html
import urllib.error
import urllib.parse
import urllib.request


# Whom to believe when it is https.
context = None


def _send(method, url, headers, body=b""):
    request = urllib.request.Request(url, method=method, headers=headers, data=body if method == "PUT" else None)
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def status(url, wanted):
    """Asks; the wanted answer counts as a good one."""
    found, body = _send("GET", url, {})
    return (200 if found == wanted else found), body


def s3(method, url, key, secret, region="us-east-1", headers=None, body=""):
    """One request, signed as AWS Signature Version 4."""
    parts = urllib.parse.urlsplit(url)
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    body = body.encode()
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp} | (headers or {})
    if body:
        headers["content-md5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    query = "&".join(sorted(p if "=" in p else p + "=" for p in parts.query.split("&") if p))
    canonical = "\n".join([method, parts.path or "/", query, lines, names, digest])
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    step = ("AWS4" + secret).encode()
    for part in (day, region, "s3", "aws4_request"):
        step = hmac.new(step, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(step, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return _send(method, url, headers, body)


def container(base, account, key, name):
    """Makes a container, signed with the account's key."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    version = "2023-11-03"
    # With an emulator the account stands in the path, so it stands in the signed text twice.
    path = urllib.parse.urlsplit(base).path
    resource = f"/{account}{path}/{name}\nrestype:container"
    headers = f"x-ms-date:{now}\nx-ms-version:{version}\n"
    text = "PUT\n\n\n\n\n\n\n\n\n\n\n\n" + headers + resource
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return _send(
        "PUT",
        f"{base}/{name}?restype=container",
        {
            "x-ms-date": now,
            "x-ms-version": version,
            "Content-Length": "0",
            "Content-Type": "",
            "Authorization": f"SharedKey {account}:{signature}",
        },
    )


def encode(text):
    """Text for a query."""
    return urllib.parse.quote(text, safe="-._~")


def values(body, tag):
    """The texts of an XML element, wherever it stands."""
    parts = body.decode().split(f"<{tag}>")[1:]
    return [html.unescape(part.split(f"</{tag}>")[0]) for part in parts]
