#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The FSx service, as far as data repository associations go, and the services that hand out
credentials, on a port of 127.0.0.1. It speaks the JSON 1.1 protocol of the service model of
2018-03-01, verifies the signature (AWS Signature Version 4) of each request by its own means, and
keeps the service's rules: one association at a time, at most eight, no overlap, what Update cannot
change.

    fsx_server.py FOLDER

    FOLDER/port        written when it listens
    FOLDER/state.json  {"file_system": {...}, "associations": [...]}: read and written per request
    FOLDER/faults      a word a line, one taken by each request of the FSx protocol: throttle, fail,
                       stall, trickle (a byte now and then, without end), trickle-head (so do
                       the headers), flood, denied, garbage, garbled, hangup,
                       refuse:STATUS:TYPE, say:JSON; "ok" lets one pass, and "always WORD" is what
                       all that follow meet
    FOLDER/log         a line a request
"""
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

KEYS = {"AKIDEXAMPLE": ("secret/of+the=test", None), "ASIAEXAMPLE": ("temporary", "token==")}
PAGE = 2
FOLDER = sys.argv[1]


def path(name):
    return os.path.join(FOLDER, name)


def load():
    with open(path("state.json"), encoding="utf-8") as file:
        return json.load(file)


def store(state):
    with open(path("state.json.new"), "w", encoding="utf-8") as file:
        json.dump(state, file, indent=1)
    os.rename(path("state.json.new"), path("state.json"))


def next_fault():
    try:
        with open(path("faults"), encoding="utf-8") as file:
            words = file.read().split()
    except FileNotFoundError:
        return "ok"
    if not words:
        return "ok"
    if words[0] != "always":
        with open(path("faults"), "w", encoding="utf-8") as file:
            file.write("\n".join(words[1:]))
        return words[0]
    return words[1]


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Refusal(Exception):
    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind = status, kind


def verify(handler, body):
    """Signature Version 4, from the description of the signing process."""
    given = handler.headers.get("Authorization", "")
    if not given.startswith("AWS4-HMAC-SHA256 "):
        raise Refusal(400, "MissingAuthenticationTokenException", "Missing Authentication Token")
    parts = dict(p.strip().split("=", 1) for p in given.split(" ", 1)[1].split(","))
    key, day, region, service, end = parts["Credential"].split("/")
    if key not in KEYS:
        raise Refusal(400, "UnrecognizedClientException", "The security token is invalid.")
    secret, token = KEYS[key]
    signed = parts["SignedHeaders"].split(";")
    for name in ["host", "x-amz-date"] + [h.lower() for h in handler.headers if h.lower().startswith("x-amz-")]:
        if name not in signed:
            raise Refusal(403, "SignatureDoesNotMatch", f"{name} is not signed")
    if handler.headers.get("X-Amz-Security-Token") != token:
        raise Refusal(403, "InvalidClientTokenId", "The security token is not that of the key.")
    lines = "".join(f"{n}:{' '.join((handler.headers.get(n) or '').split())}\n" for n in signed)
    canonical = "\n".join([handler.command, handler.path, "", lines, parts["SignedHeaders"],
                           hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/{service}/{end}"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", handler.headers["X-Amz-Date"], scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    k = digest(digest(digest(digest(("AWS4" + secret).encode(), day), region), service), end)
    if hmac.new(k, to_sign.encode(), hashlib.sha256).hexdigest() != parts["Signature"]:
        raise Refusal(403, "SignatureDoesNotMatch", "The request signature does not match.")
    if service != "fsx" or region != "ap-northeast-2":
        raise Refusal(403, "SignatureDoesNotMatch", f"scoped to {region}/{service}")


def slashed(text):
    return text if text.endswith("/") else text + "/"


def overlaps(a, b):
    return slashed(a).startswith(slashed(b)) or slashed(b).startswith(slashed(a))


def describe_file_systems(request, state):
    if request.get("FileSystemIds") != [state["file_system"]["FileSystemId"]]:
        raise Refusal(400, "FileSystemNotFound", "File system does not exist.")
    return {"FileSystems": [state["file_system"]]}


def describe(request, state):
    wanted = [f["Values"] for f in request.get("Filters", []) if f["Name"] == "file-system-id"]
    found = [a for a in state["associations"] if not wanted or a["FileSystemId"] in wanted[0]]
    if not 1 <= request.get("MaxResults", 25) <= 25:
        raise Refusal(400, "BadRequest", "MaxResults")
    start = int(request.get("NextToken", "0"))
    answer = {"Associations": found[start:start + PAGE]}
    if start + PAGE < len(found):
        answer["NextToken"] = str(start + PAGE)
    return answer


def create(request, state):
    for name in ("FileSystemId", "DataRepositoryPath"):
        if name not in request:
            raise Refusal(400, "BadRequest", f"{name} is required")
    if not 1 <= len(request.get("ClientRequestToken", "")) <= 63:
        raise Refusal(400, "BadRequest", "ClientRequestToken")
    if len(state["associations"]) >= 8:
        raise Refusal(400, "ServiceLimitExceeded", "at most 8 associations")
    for other in state["associations"]:
        if overlaps(other["FileSystemPath"], request["FileSystemPath"]) or overlaps(
                other["DataRepositoryPath"], request["DataRepositoryPath"]):
            raise Refusal(400, "BadRequest", "overlaps with " + other["AssociationId"])
    busy = any(a["Lifecycle"] == "CREATING" for a in state["associations"])
    association = {
        "AssociationId": f"dra-{len(state['associations']) + 1:017x}",
        "FileSystemId": request["FileSystemId"],
        # what happens in the field to creates that are not made one after the other
        "Lifecycle": "FAILED" if busy else "CREATING",
        "FileSystemPath": request["FileSystemPath"],
        "DataRepositoryPath": slashed(request["DataRepositoryPath"]),
        "BatchImportMetaDataOnCreate": request.get("BatchImportMetaDataOnCreate", False),
        "ImportedFileChunkSize": request.get("ImportedFileChunkSize", 1024),
        "S3": request.get("S3", {}),
        "CreationTime": time.time(),
    }
    state["associations"].append(association)
    return {"Association": association}


def find(request, state):
    for association in state["associations"]:
        if association["AssociationId"] == request.get("AssociationId"):
            return association
    raise Refusal(400, "DataRepositoryAssociationNotFound", "no such association")


def update(request, state):
    unknown = set(request) - {"AssociationId", "ClientRequestToken", "ImportedFileChunkSize", "S3"}
    if unknown:
        raise Refusal(400, "BadRequest", f"cannot be updated: {sorted(unknown)}")
    association = find(request, state)
    for name in ("ImportedFileChunkSize", "S3"):
        if name in request:
            association[name] = request[name]
    association["Lifecycle"] = "UPDATING"
    return {"Association": association}


def delete(request, state):
    if request.get("DeleteDataInFileSystem"):
        state["data_deleted"] = True
    association = find(request, state)
    state["associations"].remove(association)
    return {"AssociationId": association["AssociationId"], "Lifecycle": "DELETING",
            "DeleteDataInFileSystem": bool(request.get("DeleteDataInFileSystem"))}


OPERATIONS = {
    "DescribeFileSystems": describe_file_systems,
    "DescribeDataRepositoryAssociations": describe,
    "CreateDataRepositoryAssociation": create,
    "UpdateDataRepositoryAssociation": update,
    "DeleteDataRepositoryAssociation": delete,
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def note(self, text):
        with open(path("log"), "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def answer(self, status, body, kind="application/x-amz-json-1.1"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def carry_out(self, operation, body):
        verify(self, body)
        if operation not in OPERATIONS:
            raise Refusal(400, "UnknownOperationException", operation)
        state = load()
        result = OPERATIONS[operation](json.loads(body), state)
        store(state)
        return result

    def pour(self, fault):
        """An answer that never ends: too slow for any deadline, or too much."""
        begun = time.monotonic()
        piece, pause = (b"x" * 65536, 0) if fault == "flood" else (b" ", 0.1)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
        if fault == "trickle-head":
            self.wfile.write(head + b"X-Long: ")
        else:
            self.wfile.write(head + b"\r\n")
        while time.monotonic() - begun < 60:
            try:
                self.wfile.write(piece)
                self.wfile.flush()
            except OSError:
                return
            time.sleep(pause)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        fault = next_fault()
        self.note(f"{operation} {fault} {body.decode()}")
        if fault == "stall":
            time.sleep(60)
        if fault in ("trickle", "trickle-head", "flood"):
            self.pour(fault)
        if fault in ("stall", "hangup", "trickle", "trickle-head", "flood"):
            self.close_connection = True
        elif fault == "throttle":
            self.answer(400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
        elif fault == "fail":
            self.answer(500, {"__type": "com.amazonaws.fsx#InternalServerError", "Message": "sorry"})
        elif fault == "garbage":
            self.answer(200, b"<html>welcome to this network</html>", "text/html")
        elif fault == "garbled":
            self.answer(400, b"<html>bad gateway</html>", "text/html")
        elif fault.startswith("refuse:"):
            _, status, kind = fault.split(":")
            self.answer(int(status), {"__type": kind, "message": "not now"})
        elif fault.startswith("say:"):
            self.answer(200, fault[len("say:"):].encode())
        elif fault == "denied":
            self.answer(400, {"__type": "AccessDeniedException",
                              "Message": "User is not authorized to perform: fsx:Describe"})
        else:
            try:
                if target != "AWSSimbaAPIService_v20180301":
                    raise Refusal(404, "UnknownOperationException", target)
                self.answer(200, self.carry_out(operation, body))
            except Refusal as refusal:
                self.answer(refusal.status, {"__type": refusal.kind, "Message": str(refusal)})

    def do_PUT(self):
        self.note(f"PUT {self.path}")
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        if self.path.startswith("/stall/"):
            time.sleep(60)
        if self.path == "/latest/api/token" and ttl:
            self.answer(200, b"session", "text/plain")
        else:
            self.answer(400, b"", "text/plain")

    def do_GET(self):
        self.note(f"GET {self.path}")
        document = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": KEYS["ASIAEXAMPLE"][0],
                    "Token": KEYS["ASIAEXAMPLE"][1], "Expiration": "2030-01-01T00:00:00Z"}
        folder = "/latest/meta-data/iam/security-credentials/"
        if self.path == "/container":
            allowed = self.headers.get("Authorization") == "Bearer pod"
            self.answer(200 if allowed else 403, document if allowed else {})
        elif self.path == "/nothing":
            self.answer(200, {"AccessKeyId": "ASIAEXAMPLE"})
        elif self.headers.get("X-aws-ec2-metadata-token") != "session":
            self.answer(401, b"", "text/plain")
        elif self.path == folder:
            self.answer(200, b"node-role\r\nanother-role\n", "text/plain")
        elif self.path == folder + "node-role":
            self.answer(200, document)
        else:
            self.answer(404, b"", "text/plain")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(path("port.new"), "w", encoding="utf-8") as out:
    out.write(str(server.server_address[1]))
os.rename(path("port.new"), path("port"))
server.serve_forever()
