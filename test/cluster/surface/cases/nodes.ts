// Nodes: taint, cordon, drain, uncordon, top. They change node-3, which has no other pods.
import { type SurfaceCase, table } from "../case.ts";

const onSpare = (name: string, extra = "") => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  nodeName: node-3
  terminationGracePeriodSeconds: 1
  tolerations: [{operator: Exists}]
  containers: [{name: main, image: busybox, command: [sleep, "3600"]${extra}}]
`;

const DRAINED = `apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: drained}
spec:
  replicas: 1
  selector: {matchLabels: {app: drained}}
  template:
    metadata: {labels: {app: drained}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {kubernetes.io/hostname: node-3}
      tolerations: [{key: surface, operator: Exists}]
      containers: [{name: main, image: busybox, command: [sleep, "3600"], volumeMounts: [{name: scratch, mountPath: /scratch}]}]
      volumes: [{name: scratch, emptyDir: {}}]
`;

export const nodeCases: readonly SurfaceCase[] = [
  {
    verb: "taint",
    form: "KEY=VALUE:EFFECT, KEY-, --overwrite, -l",
    node: true,
    steps: [
      { run: "kubectl taint node node-3 k=v:PreferNoSchedule", out: "node/node-3 tainted" },
      {
        run: "kubectl taint node node-3 k=w:PreferNoSchedule",
        exit: 1,
        err: /already has k taint\(s\) with same effect\(s\) and --overwrite is false/,
      },
      {
        run: "kubectl taint node -l kubernetes.io/hostname=node-3 k=w:PreferNoSchedule --overwrite",
        out: "node/node-3 modified",
      },
      {
        run: "kubectl describe node node-3",
        out: /\nTaints: +k=w:PreferNoSchedule\n +surface=spare:NoSchedule\n|\nTaints: +surface=spare:NoSchedule\n +k=w:PreferNoSchedule\n/,
      },
      { run: "kubectl taint node node-3 k-", out: "node/node-3 untainted" },
      { run: "kubectl taint node node-3 k=v:Sometimes", exit: 1, err: /invalid taint effect: Sometimes/ },
    ],
  },
  {
    verb: "cordon",
    form: "NODE, -l, --dry-run; uncordon",
    node: true,
    steps: [
      { run: "kubectl cordon node-3 --dry-run=server", out: "node/node-3 cordoned (server dry run)" },
      { run: "kubectl cordon node-3", out: "node/node-3 cordoned" },
      { run: "kubectl cordon node-3", out: "node/node-3 already cordoned" },
      {
        run: "kubectl get node node-3",
        out: table("NAME STATUS ROLES AGE VERSION", "node-3 Ready,SchedulingDisabled \\S+ \\S+ v\\S+"),
      },
      { run: "kubectl uncordon -l kubernetes.io/hostname=node-3", out: "node/node-3 uncordoned" },
    ],
  },
  {
    verb: "drain",
    form: "--force, --ignore-daemonsets, --delete-emptydir-data, --pod-selector, --grace-period, --timeout, --dry-run, --disable-eviction",
    node: true,
    own: true,
    files: { "bare.yaml": onSpare("bare"), "other.yaml": onSpare("other"), "drained.yaml": DRAINED },
    steps: [
      "kubectl create -f bare.yaml -f other.yaml -f drained.yaml",
      { run: "kubectl wait --for=condition=Ready pods --all", out: /(condition met\n.*){3}/, retry: true },
      {
        run: "kubectl drain node-3",
        exit: 1,
        out: /node\/node-3 cordoned/,
        err: /cannot delete (Pods with local storage \(use --delete-emptydir-data to override\)|.*declare no controller \(use --force to override\))/,
      },
      {
        run: "kubectl drain node-3 --pod-selector=app=other --force --disable-eviction --grace-period=0",
        out: /^node\/node-3 already cordoned\n(Warning.*\n)?(pod\/other deleted\n)?node\/node-3 drained\n$/,
      },
      {
        run: "kubectl drain node-3 --force --ignore-daemonsets --delete-emptydir-data --dry-run=client",
        out: /evicting pod \S+\/drained-\w+ \(dry run\)/,
      },
      {
        run: "kubectl drain node-3 --force --ignore-daemonsets --delete-emptydir-data --timeout=30s",
        out: /evicting pod \S+\/drained-\w+\n(.*\n)*pod\/drained-\w+ evicted\n(.*\n)*node\/node-3 drained\n$/,
      },
      { run: "kubectl get pods -o custom-columns=:status.phase --no-headers", out: "Pending", retry: true },
      {
        run: "kubectl describe pod -l app=drained",
        out: /Warning +FailedScheduling +.*1 node\(s\) were unschedulable/,
        retry: true,
      },
      "kubectl delete rs drained",
      { run: "kubectl uncordon node-3", out: "node/node-3 uncordoned" },
    ],
  },
  {
    verb: "describe",
    form: "node",
    steps: [
      {
        run: "kubectl describe node node-1",
        out: /^Name: +node-1\nRoles: +\S+\nLabels: +(.*\n)+Annotations: (.*\n)+CreationTimestamp: .*\nTaints: +<none>\nUnschedulable: +false\nLease:\n {2}HolderIdentity: +node-1\n {2}AcquireTime: .*\n {2}RenewTime: +\w.*\nConditions:\n {2}Type +Status +LastHeartbeatTime +LastTransitionTime +Reason +Message\n/,
      },
      {
        run: "kubectl describe node node-1",
        out: /\n {2}MemoryPressure +False .* KubeletHasSufficientMemory +kubelet has sufficient memory available\n {2}DiskPressure +False .*\n {2}PIDPressure +False .*\n {2}Ready +True .* KubeletReady +\S.*\nAddresses:\n {2}InternalIP: +127\.\S+\n/,
      },
      {
        run: "kubectl describe node node-1",
        out: /\nCapacity:\n {2}cpu: +\d+\n(.*\n)+Allocatable:\n(.*\n)+System Info:\n(.*\n)+Non-terminated Pods: +\(\d+ in total\)\n {2}Namespace +Name +CPU Requests +CPU Limits +Memory Requests +Memory Limits +Age\n(.*\n)*Allocated resources:\n.*\n {2}Resource +Requests +Limits\n {2}-+ +-+ +-+\n {2}cpu +\d+m? \(\d+%\) +/,
      },
      {
        run: "kubectl describe node node-1",
        out: /\nEvents:\n {2}Type +Reason +Age +From +Message\n(.*\n)* {2}Normal +NodeReady .* kubelet +Node node-1 status is now: NodeReady\n/,
      },
      { run: "kubectl describe node node-1 --show-events=false | grep -c ^Events", exit: 1, out: "0" },
      { run: "kubectl get lease -n kube-node-lease", out: /^NAME +HOLDER +AGE\nnode-1 +node-1 +/ },
    ],
  },
];
