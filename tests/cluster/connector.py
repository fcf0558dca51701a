"""The connector as a plain Deployment and a NodePort Service: what a cluster runs without Slipway."""

import json

TOKENS = {"alice": "tok-alice", "bob": "tok-bob"}
ACCOUNT = {"relation": "child", "asset": {"code": "USD", "scale": 9}}
CONFIG = {"address": "test.slipway", "btp": {"port": 4000}, "http": {"port": 8080}, "ledger": {"store": "none"},
          "accounts": [{"id": name, "token": token, **ACCOUNT} for name, token in TOKENS.items()],
          "routes": [{"prefix": "test.slipway.bob", "account": "bob"}]}
PORTS = {"btp": 4000, "http": 8080}


def deployment(namespace: str, image: str, replicas: int = 1) -> dict:
    labels = {"app": "connector"}
    container = {
        "name": "connector", "image": image,
        "env": [{"name": "CONNECTOR_CONFIG_JSON", "value": json.dumps(CONFIG)}],
        "ports": [{"name": name, "containerPort": port} for name, port in PORTS.items()],
        "readinessProbe": {"httpGet": {"path": "/health/ready", "port": "http"}, "periodSeconds": 1}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "connector", "namespace": namespace},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}}


def service(namespace: str) -> dict:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "connector", "namespace": namespace},
            "spec": {"type": "NodePort", "selector": {"app": "connector"},
                     "ports": [{"name": name, "port": port, "targetPort": name} for name, port in PORTS.items()]}}
