"""The connector as a container of a plain Deployment."""

import json

TOKENS = {"alice": "tok-alice", "bob": "tok-bob"}
ACCOUNT = {"relation": "child", "asset": {"code": "USD", "scale": 9}}
CONFIG = {"address": "test.slipway", "btp": {"port": 4000}, "http": {"port": 8080}, "ledger": {"store": "none"},
          "accounts": [{"id": name, "token": token, **ACCOUNT} for name, token in TOKENS.items()],
          "routes": [{"prefix": "test.slipway.bob", "account": "bob"}]}
PORTS = {"btp": 4000, "http": 8080}


def container(image: str) -> dict:
    return {"name": "connector", "image": image,
            "env": [{"name": "CONNECTOR_CONFIG_JSON", "value": json.dumps(CONFIG)}],
            "ports": [{"name": name, "containerPort": port} for name, port in PORTS.items()],
            "readinessProbe": {"httpGet": {"path": "/health/ready", "port": "http"}, "periodSeconds": 1}}
