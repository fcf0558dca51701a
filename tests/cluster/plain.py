"""A Deployment and a NodePort Service as anybody writes them: what a cluster runs without Slipway. Both have the name
of their CONTAINER, one of a pod template."""


def deployment(namespace: str, container: dict, replicas: int = 1) -> dict:
    labels = {"app": container["name"]}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": container["name"], "namespace": namespace},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}}


def service(namespace: str, container: dict) -> dict:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": container["name"], "namespace": namespace},
            "spec": {"type": "NodePort", "selector": {"app": container["name"]},
                     "ports": [{"name": port["name"], "port": port["containerPort"], "targetPort": port["name"]}
                               for port in container["ports"]]}}
