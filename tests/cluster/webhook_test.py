"""A webhook of the cluster that puts another image in the place of the one that was asked for."""

import base64
import http.server
import json
import ssl
import subprocess
import threading

import pytest

from cluster.ground import NEEDS
from cluster.place import Place

pytestmark = NEEDS
KINDS = {"deployments": ("apps", "/spec/template/spec/containers/0/image"), "pods": ("", "/spec/containers/0/image")}


class Webhook:
    """A context manager; changes the images of KIND in a namespace to `image`."""

    def __init__(self, cluster, address: str, folder, namespace: str, kind: str):
        self.cluster, self.namespace, self.kind = cluster, namespace, kind
        self.group, self.pointer = KINDS[kind]
        self.image = ""
        self.certificate, key = folder / "webhook.crt", folder / "webhook.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                        self.certificate, "-days", "1", "-subj", "/CN=webhook", "-addext",
                        f"subjectAltName=IP:{address}"], check=True, capture_output=True)
        self.server = http.server.ThreadingHTTPServer((address, 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://{address}:{self.server.server_port}/"

    def _handler(self):
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                patch = [{"op": "replace", "path": webhook.pointer, "value": webhook.image}]
                review["response"] = {"uid": review.pop("request")["uid"], "allowed": True, "patchType": "JSONPatch",
                                      "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
                body = json.dumps(review).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments):
                pass

        return Handler

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.cluster.apply({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": self.namespace}, "webhooks": [{
                "name": "images.slipway.test", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "clientConfig": {"url": self.url,
                                 "caBundle": base64.b64encode(self.certificate.read_bytes()).decode()},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}},
                "rules": [{"apiGroups": [self.group], "apiVersions": ["v1"], "operations": ["CREATE"],
                           "resources": [self.kind]}]}]})
        return self

    def __exit__(self, *_exc):
        self.cluster.kubectl("delete", "mutatingwebhookconfiguration", self.namespace)
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("kind, status", [("deployments", 2), ("pods", 4)])
def test_another_image_in_the_place_of_the_one_that_was_asked_for_is_named_and_serves_nobody(
        cluster, lab, namespace, tmp_path, kind, status):
    with Place(cluster, namespace) as place:
        for tag in ("v1", "v2", "other"):
            place.publish(tag)
        assert place.deploy("v1").status == 0
        with Webhook(cluster, lab.plan.machine, tmp_path, namespace, kind) as webhook:
            webhook.image = place.reference("other")
            refused = place.deploy("v2")
        assert refused.status == status, refused
        assert place.digests["other"] in refused.report["message"] and "webhook" in refused.report["message"], refused
        assert place.served() == "v1" and place.agrees() == ""
