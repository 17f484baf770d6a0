// `kubectl delete` in all its forms and `kubectl wait`.
import type { SurfaceCase } from "../case.ts";
import { configMap, idle } from "../fixture.ts";

export const removeCases: readonly SurfaceCase[] = [
  {
    verb: "delete",
    form: "TYPE NAME…, -f, -k, -l, --all, --ignore-not-found, --dry-run, -o name",
    own: true,
    files: {
      "a.yaml": configMap("a", "x"),
      "k/kustomization.yaml": "resources: [b.yaml]\n",
      "k/b.yaml": configMap("b", "x"),
    },
    steps: [
      "kubectl create -f a.yaml -f k/b.yaml && kubectl create cm c && kubectl create cm d && kubectl create cm e && kubectl label cm d x=y",
      { run: "kubectl delete cm c --dry-run=server", out: /^configmap "c" deleted \(server dry run\)\n$/ },
      {
        run: "kubectl delete cm c absent",
        exit: 1,
        out: /^configmap "c" deleted/,
        err: /configmaps "absent" not found/,
      },
      { run: "kubectl delete cm absent --ignore-not-found", out: "" },
      { run: "kubectl delete -f a.yaml", out: /^configmap "a" deleted/ },
      { run: "kubectl delete -k k -o name", out: "configmap/b" },
      { run: "kubectl delete cm -l x=y --wait=false", out: /^configmap "d" deleted/ },
      {
        run: "kubectl delete cm --field-selector metadata.name!=kube-root-ca.crt",
        out: /^configmap "e" deleted/,
      },
      { run: "kubectl delete --raw /api/v1/namespaces/$NS/configmaps/absent", exit: 1, err: /not found/ },
    ],
  },
  {
    verb: "delete",
    form: "all --all",
    own: true,
    files: { "d.yaml": idle("gone", 1) },
    steps: [
      "kubectl create -f d.yaml && kubectl expose deployment gone --port=80 && kubectl rollout status deploy/gone",
      {
        run: "kubectl delete all --all",
        out: /^pod "gone-\S+" deleted[^\n]*\nservice "gone" deleted[^\n]*\ndeployment.apps "gone" deleted/,
      },
      { run: "kubectl get all", out: "", err: /No resources found/, retry: true },
    ],
  },
  {
    verb: "delete",
    form: "--cascade=background|orphan|foreground",
    own: true,
    files: { "d.yaml": idle("cas", 1) },
    steps: [
      "kubectl create -f d.yaml && kubectl rollout status deploy/cas",
      { run: "kubectl delete deploy cas --cascade=orphan", out: /^deployment.apps "cas" deleted/ },
      { run: "kubectl get rs -l app=cas -o jsonpath='{.items[*].metadata.ownerReferences}'", out: "" },
      { run: "kubectl delete rs -l app=cas --cascade=foreground", out: /^replicaset.apps "cas-\w+" deleted/ },
      { run: "kubectl get pods -l app=cas -o name", out: "" },
    ],
  },
  {
    verb: "delete",
    form: "--now, --grace-period, --force, --wait, --timeout",
    own: true,
    steps: [
      "for i in 1 2 3 4; do kubectl run g$i --image=busybox --restart=Never -- sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' & done; wait",
      {
        run: "kubectl wait --for=condition=Ready pod --all --timeout=45s",
        out: /(pod\/g\d condition met\n){4}/,
      },
      { run: "kubectl delete pod g1 --now", out: /^pod "g1" deleted/ },
      {
        run: "kubectl delete pod g2 --force --grace-period=0",
        out: /^pod "g2" force deleted/,
        err: /Immediate deletion does not wait for confirmation/,
      },
      { run: "kubectl delete pod g3 --wait=false", out: /^pod "g3" deleted/ },
      { run: "kubectl get pod g3", out: /g3 +1\/1 +Terminating/ },
      { run: "kubectl delete pod g4 --timeout=1s", exit: 1, err: /timed out waiting for the condition/ },
      { run: "kubectl delete pod --all --grace-period=0 --force", out: /"g3" force deleted/ },
    ],
  },
  {
    verb: "delete",
    form: "-i",
    since: "1.29",
    own: true,
    steps: [
      {
        run: "kubectl create cm one && kubectl delete cm one -i",
        input: "n\n",
        out: /You are about to delete the following 1 resource\(s\):\nconfigmap\/one\nDo you want to continue\? \(y\/n\): deletion is cancelled/,
      },
      { run: "kubectl delete cm one -i", input: "y\n", out: /configmap "one" deleted/ },
    ],
  },
  {
    verb: "wait",
    form: "--for=condition (with a value, --all, -l, -f, --timeout, several)",
    files: { "d.yaml": idle("wait-d") },
    steps: [
      "kubectl create -f d.yaml",
      { run: "kubectl wait --for=condition=Available deploy/web", out: "deployment.apps/web condition met" },
      {
        run: "kubectl wait --for=condition=Available=true -f d.yaml --timeout=20s",
        out: "deployment.apps/wait-d condition met",
      },
      {
        run: "kubectl wait --for=condition=Ready pod -l app=web",
        out: /^(pod\/web-\S+ condition met\n){2}$/,
      },
      {
        run: "kubectl wait --for=condition=Ready=false pod/shell --timeout=1s",
        exit: 1,
        err: /timed out waiting for the condition on pods\/shell/,
      },
      { run: "kubectl wait --for=condition=Ready pod/absent", exit: 1, err: /pods "absent" not found/ },
    ],
  },
  {
    verb: "wait",
    form: "--for=jsonpath",
    steps: [
      {
        run: "kubectl wait --for=jsonpath='{.status.readyReplicas}'=2 deploy/web",
        out: "deployment.apps/web condition met",
      },
      {
        run: "kubectl wait --for=jsonpath='{.status.phase}'=Running pod/shell",
        out: "pod/shell condition met",
      },
      { run: "kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/shell --timeout=0s", exit: 1 },
    ],
  },
  {
    verb: "wait",
    form: "--for=delete",
    steps: [
      "kubectl create cm wait-gone",
      { start: "kubectl wait --for=delete cm/wait-gone --timeout=30s > waited; echo ended $? >> waited" },
      { run: "kubectl delete cm wait-gone --ignore-not-found; cat waited", retry: true, out: /ended 0\n$/ },
      { run: "kubectl wait --for=delete cm/wait-gone", out: "" },
    ],
  },
  {
    verb: "wait",
    form: "--for=create",
    since: "1.31",
    steps: [
      {
        run: "kubectl wait --for=create cm/wait-made --timeout=1s",
        exit: 1,
        err: /configmaps "wait-made" not found|timed out/,
      },
      { start: "kubectl wait --for=create cm/wait-made --timeout=30s > waited" },
      "kubectl create cm wait-made",
      { run: "cat waited", retry: true, out: "configmap/wait-made condition met" },
    ],
  },
];
