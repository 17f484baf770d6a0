# The official Python client against the cluster of the kubeconfig that is its argument. Prints a JSON object of what it saw.
import json
import sys

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.stream import portforward, stream

config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
NAMESPACE = "default"
seen = {}

utils.create_from_dict(
    client.ApiClient(),
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made", "namespace": NAMESPACE}, "data": {"a": "b"}},
)
resource = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")
seen["dynamic"] = resource.get(namespace=NAMESPACE, name="made").data.a

container = client.V1Container(name="web", image="nginx:1.27", ports=[client.V1ContainerPort(container_port=80)])
template = client.V1PodTemplateSpec(
    metadata=client.V1ObjectMeta(labels={"app": "python"}), spec=client.V1PodSpec(containers=[container])
)
spec = client.V1DeploymentSpec(replicas=2, selector={"matchLabels": {"app": "python"}}, template=template)
deployment = client.V1Deployment(metadata=client.V1ObjectMeta(name="python"), spec=spec)
apps.create_namespaced_deployment(NAMESPACE, deployment)

watcher = watch.Watch()
for event in watcher.stream(
    apps.list_namespaced_deployment, NAMESPACE, field_selector="metadata.name=python", timeout_seconds=60
):
    if event["object"].status.ready_replicas == 2:
        seen["ready"] = 2
        watcher.stop()

pod = core.list_namespaced_pod(NAMESPACE, label_selector="app=python").items[0].metadata.name
seen["exec"] = stream(
    core.connect_get_namespaced_pod_exec, pod, NAMESPACE, command=["sh", "-c", "echo out"], stdout=True, stderr=True
)
shell = stream(
    core.connect_get_namespaced_pod_exec,
    pod,
    NAMESPACE,
    command=["sh"],
    stdin=True,
    stdout=True,
    stderr=True,
    _preload_content=False,
)
shell.write_stdin("echo through stdin; exit 3\n")
shell.run_forever(timeout=60)
seen["shell"] = [shell.read_stdout(), shell.returncode]

forward = portforward(core.connect_get_namespaced_pod_portforward, pod, NAMESPACE, ports="80")
socket = forward.socket(80)
socket.setblocking(True)
socket.sendall(b"GET / HTTP/1.1\r\nHost: python\r\nConnection: close\r\n\r\n")
answer = b"".join(iter(lambda: socket.recv(65536), b""))
seen["forwarded"] = answer.split(b"\r\n")[0].decode()

seen["log"] = "GET / HTTP/1.1" in core.read_namespaced_pod_log(pod, NAMESPACE)
apps.patch_namespaced_deployment_scale("python", NAMESPACE, {"spec": {"replicas": 1}})
seen["scale"] = apps.read_namespaced_deployment_scale("python", NAMESPACE).spec.replicas
uid = core.read_namespaced_pod(pod, NAMESPACE).metadata.uid
core.create_namespaced_pod_eviction(pod, NAMESPACE, client.V1Eviction(metadata=client.V1ObjectMeta(name=pod)))
for event in watcher.stream(core.list_namespaced_pod, NAMESPACE, label_selector="app=python", timeout_seconds=60):
    # The list of what is there comes first: a pod that is gone is not in it.
    if uid not in [each.metadata.uid for each in core.list_namespaced_pod(NAMESPACE).items]:
        seen["evicted"] = True
        watcher.stop()
try:
    core.read_namespaced_pod("absent", NAMESPACE)
except client.ApiException as error:
    seen["absent"] = [error.status, json.loads(error.body)["message"]]

print(json.dumps(seen))
