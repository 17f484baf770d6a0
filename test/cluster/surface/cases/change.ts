// The commands that change objects in place, or have them changed: set, patch, scale, autoscale, label, annotate.
import { type SurfaceCase, table } from "../case.ts";
import { idle } from "../fixture.ts";

export const changeCases: readonly SurfaceCase[] = [
  {
    verb: "set",
    form: "image (TYPE/NAME, -f, --all, --local, *=)",
    files: { "d.yaml": idle("si") },
    steps: [
      "kubectl create -f d.yaml",
      { run: "kubectl set image deploy/si web=nginx:1.28", out: "deployment.apps/si image updated" },
      { run: "kubectl set image -f d.yaml '*=nginx:1.26'", out: "deployment.apps/si image updated" },
      { run: "kubectl set image -f d.yaml web=nginx:9 --local -o yaml", out: /image: nginx:9/ },
      {
        run: "kubectl set image deploy/si nope=nginx",
        exit: 1,
        err: /unable to find container named "nope"/,
      },
      { run: "kubectl get deploy si -o jsonpath='{..image}'", out: "nginx:1.26" },
    ],
  },
  {
    verb: "set",
    form: "env (NAME=VALUE, NAME-, --list, --from, --prefix, --keys)",
    files: { "d.yaml": idle("se") },
    steps: [
      "kubectl create -f d.yaml",
      { run: "kubectl set env deploy/se A=1 B=2", out: "deployment.apps/se env updated" },
      { run: "kubectl set env deploy/se A- --overwrite B=3", out: "deployment.apps/se env updated" },
      {
        run: "kubectl set env deploy/se --from=configmap/settings --prefix=S_ --keys=colour",
        out: "deployment.apps/se env updated",
      },
      {
        run: "kubectl set env deploy/se --list",
        out: /^# Deployment se, container web\nB=3\n# S_COLOUR from configmap settings, key colour\n$/,
      },
      { run: "kubectl set env deploy/se --list --resolve", out: /S_COLOUR=blue/ },
    ],
  },
  {
    verb: "set",
    form: "resources, serviceaccount, selector, subject",
    files: { "d.yaml": idle("sr") },
    steps: [
      "kubectl create -f d.yaml",
      {
        run: "kubectl set resources deploy/sr -c=web --limits=cpu=200m,memory=64Mi --requests=cpu=100m",
        out: "deployment.apps/sr resource requirements updated",
      },
      {
        run: "kubectl get deploy sr -o jsonpath='{..resources}'",
        out: '{"limits":{"cpu":"200m","memory":"64Mi"},"requests":{"cpu":"100m"}}',
      },
      {
        run: "kubectl set serviceaccount deploy/sr default",
        out: "deployment.apps/sr serviceaccount updated",
      },
      {
        run: "kubectl create service clusterip sr --tcp=80 && kubectl set selector svc sr app=web",
        out: "service/sr created\nservice/sr selector updated",
      },
      { run: "kubectl get svc sr -o jsonpath='{.spec.selector}'", out: '{"app":"web"}' },
      "kubectl delete svc sr",
    ],
  },
  {
    verb: "patch",
    form: "strategic, merge, json; -f, --patch-file, --local",
    files: {
      "d.yaml": idle("pa"),
      "p.yaml": "spec: {template: {spec: {containers: [{name: web, env: [{name: A, value: b}]}]}}}\n",
    },
    steps: [
      "kubectl create -f d.yaml",
      { run: "kubectl patch deploy pa --patch-file p.yaml", out: "deployment.apps/pa patched" },
      { run: "kubectl patch deploy pa --patch-file p.yaml", out: "deployment.apps/pa patched (no change)" },
      {
        run: `kubectl patch -f d.yaml --type=merge -p '{"metadata":{"labels":{"app":null,"new":"1"}}}'`,
        out: "deployment.apps/pa patched",
      },
      {
        run: `kubectl patch deploy pa --type=json -p '[{"op":"test","path":"/metadata/labels/new","value":"1"},{"op":"add","path":"/spec/template/spec/containers/0/env/-","value":{"name":"B","value":"c"}}]'`,
        out: "deployment.apps/pa patched",
      },
      {
        run: `kubectl patch deploy pa -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","$patch":"delete"}]}]}}}}'`,
        out: "deployment.apps/pa patched",
      },
      {
        run: "kubectl get deploy pa -o jsonpath='{.metadata.labels} {..image} {..env}'",
        out: '{"new":"1"} nginx:1.27 [{"name":"B","value":"c"}]',
      },
      {
        run: `kubectl patch deploy pa --type=json -p '[{"op":"test","path":"/spec/replicas","value":5}]'`,
        exit: 1,
        err: /[Tt]est/,
      },
      {
        run: `kubectl patch --local -f d.yaml -p '{"spec":{"replicas":4}}' -o jsonpath='{.spec.replicas}'`,
        out: "4",
      },
      {
        run: `kubectl patch deploy pa --dry-run=server -p '{"spec":{"replicas":-1}}'`,
        exit: 1,
        err: /spec.replicas: Invalid value: -1: must be greater than or equal to 0/,
      },
    ],
  },
  {
    verb: "patch",
    form: "--subresource=scale|status",
    files: { "d.yaml": idle("ps") },
    steps: [
      "kubectl create -f d.yaml",
      {
        run: `kubectl patch deploy ps --subresource=status --type=merge -p '{"status":{"conditions":[{"type":"Mine","status":"True"}]}}'`,
        out: "deployment.apps/ps patched",
      },
      {
        run: `kubectl patch deploy ps --subresource=scale --type=merge -p '{"spec":{"replicas":0}}'`,
        out: /^scale.autoscaling\/ps patched( \(no change\))?\n$/,
      },
      {
        run: `kubectl patch pod shell --subresource=scale --type=merge -p '{}'`,
        exit: 1,
        err: /could not find the requested resource/,
      },
    ],
  },
  {
    verb: "scale",
    form: "--replicas, --current-replicas, --resource-version, -f, --all, rs, rc",
    files: {
      "d.yaml": idle("sc"),
      "rc.yaml":
        "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: sc-rc}\nspec:\n  replicas: 0\n  selector: {app: sc-rc}\n  template:\n    metadata: {labels: {app: sc-rc}}\n    spec: {terminationGracePeriodSeconds: 1, containers: [{name: web, image: nginx}]}\n",
    },
    steps: [
      "kubectl create -f d.yaml -f rc.yaml",
      { run: "kubectl scale deploy/sc --replicas=1", out: "deployment.apps/sc scaled" },
      {
        run: "kubectl scale deploy sc --current-replicas=2 --replicas=3",
        exit: 1,
        err: /Expected replicas to be 2, was 1/,
      },
      { run: "kubectl scale --current-replicas=1 --replicas=0 deploy/sc", out: "deployment.apps/sc scaled" },
      {
        run: "kubectl scale -f d.yaml --replicas=0 --dry-run=client",
        out: "deployment.apps/sc scaled (dry run)",
      },
      { run: "kubectl scale --replicas=1 rc/sc-rc", out: "replicationcontroller/sc-rc scaled" },
      {
        run: "kubectl get rc sc-rc",
        out: table("NAME DESIRED CURRENT READY AGE", "sc-rc 1 1 [01] \\S+"),
        retry: true,
      },
      { run: "kubectl scale --replicas=0 rc sc-rc --timeout=30s", out: "replicationcontroller/sc-rc scaled" },
      { run: "kubectl scale rs -l app=sc --replicas=0", out: /^replicaset.apps\/sc-\w+ scaled\n$/ },
      {
        run: "kubectl scale deploy absent --replicas=1",
        exit: 1,
        err: /no objects passed to scale|deployments.apps "absent" not found/,
      },
    ],
  },
  {
    verb: "autoscale",
    form: "TYPE/NAME --min, --max, --cpu-percent, --name, -f, --dry-run -o yaml; deploy, rs, sts; get hpa",
    own: true,
    files: {
      "d.yaml": idle("web"),
      "others.yaml": ["ReplicaSet", "StatefulSet"]
        .map((kind) => idle(kind.toLowerCase(), 0, kind))
        .join("---\n"),
    },
    steps: [
      "kubectl create -f d.yaml -f others.yaml",
      {
        run: "kubectl autoscale deployment/web --min=2 --max=3 --cpu-percent=50 --dry-run=client -o yaml",
        out: /^apiVersion: autoscaling\/v[12]\nkind: HorizontalPodAutoscaler\nmetadata:\n(.*\n)* {2}name: web\nspec:\n {2}maxReplicas: 3\n(?=(.*\n)* {2}minReplicas: 2\n)(?=(.*\n)* +(targetCPUUtilizationPercentage|averageUtilization): 50\n)/,
      },
      {
        run: "kubectl autoscale deployment web --max=3 --dry-run=server",
        out: "horizontalpodautoscaler.autoscaling/web autoscaled (server dry run)",
      },
      {
        run: "kubectl autoscale -f d.yaml --min=2 --max=3 --cpu-percent=50",
        out: "horizontalpodautoscaler.autoscaling/web autoscaled",
      },
      {
        run: "kubectl autoscale rs/replicaset --max=4 --name=rs",
        out: "horizontalpodautoscaler.autoscaling/rs autoscaled",
      },
      {
        run: "kubectl autoscale sts statefulset --max=5 --cpu-percent=70",
        out: "horizontalpodautoscaler.autoscaling/statefulset autoscaled",
      },
      {
        run: "kubectl get hpa",
        out: table(
          "NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE",
          "rs ReplicaSet/replicaset cpu: <unknown>/80% 1 4 0 \\S+",
          "statefulset StatefulSet/statefulset cpu: <unknown>/70% 1 5 0 \\S+",
          "web Deployment/web cpu: <unknown>/50% 2 3 0 \\S+",
        ),
      },
      {
        run: "kubectl describe hpa web",
        out: /\n {2}ScalingActive +False +ScalingDisabled +scaling is disabled since the replica count of the target is zero\n/,
        retry: true,
      },
      {
        run: "kubectl autoscale deployment web --max=3",
        exit: 1,
        err: 'Error from server (AlreadyExists): horizontalpodautoscalers.autoscaling "web" already exists',
      },
      { run: "kubectl autoscale deployment web", exit: 1, err: /required flag\(s\) "max" not set/ },
      {
        run: "kubectl autoscale sts/absent --max=3",
        exit: 1,
        err: 'Error from server (NotFound): statefulsets.apps "absent" not found',
      },
      {
        run: "kubectl create service clusterip web --tcp=80 && kubectl autoscale svc/web --max=3",
        exit: 1,
        err: /cannot autoscale a Service/,
      },
    ],
  },
  {
    verb: "label",
    form: "KEY=VALUE, KEY-, --overwrite, --list, -l, --all, --resource-version, -f",
    own: true,
    steps: [
      "kubectl create cm l1 && kubectl create cm l2",
      { run: "kubectl label cm l1 a=1 b=2", out: "configmap/l1 labeled" },
      {
        run: "kubectl label cm l1 a=2",
        exit: 1,
        err: /'a' already has a value \(1\), and --overwrite is false/,
      },
      { run: "kubectl label cm l1 a=2 --overwrite", out: "configmap/l1 labeled" },
      { run: "kubectl label cm l1 --list", out: /^a=2\nb=2\n$|^b=2\na=2\n$/ },
      { run: "kubectl label cm -l a=2 b-", out: "configmap/l1 unlabeled" },
      { run: "kubectl label cm --all x=y", out: /configmap\/l1 labeled\nconfigmap\/l2 labeled\n$/ },
      {
        run: "kubectl label cm l1 'bad key=1'",
        exit: 1,
        err: /name part must consist of alphanumeric characters/,
      },
      { run: "kubectl label cm l1 z=1 --resource-version=1", exit: 1, err: /the object has been modified/ },
      { run: "kubectl label cm l1 z=1 --dry-run=server -o jsonpath='{.metadata.labels.z}'", out: "1" },
    ],
  },
  {
    verb: "annotate",
    form: "KEY=VALUE, KEY-, --overwrite, --list, -l, --all",
    own: true,
    steps: [
      "kubectl create cm an1",
      { run: "kubectl annotate cm an1 note='hello world'", out: /^configmap\/an1 annotated?\n$/ },
      {
        run: "kubectl annotate cm an1 note=other",
        exit: 1,
        err: /--overwrite is false but found the following declared annotation\(s\): 'note' already has a value/,
      },
      { run: "kubectl annotate cm an1 --overwrite note=other more=1", out: /^configmap\/an1 annotated?\n$/ },
      { run: "kubectl annotate cm an1 --list", out: /more=1/ },
      { run: "kubectl annotate cm --all note-", out: /configmap\/an1 annotated?\n/ },
      { run: "kubectl get cm an1 -o jsonpath='{.metadata.annotations}'", out: '{"more":"1"}' },
    ],
  },
];
