// `kubectl rollout` for Deployments; StatefulSets and DaemonSets are in sets.ts.
import { type SurfaceCase, table } from "../case.ts";
import { idle } from "../fixture.ts";

export const rolloutCases: readonly SurfaceCase[] = [
  {
    verb: "rollout",
    form: "status (--watch, --timeout, --revision, -l, -f)",
    own: true,
    files: { "d.yaml": idle("rs", 1) },
    steps: [
      "kubectl create -f d.yaml",
      { run: "kubectl rollout status deploy/rs", out: /deployment "rs" successfully rolled out\n$/ },
      {
        run: "kubectl rollout status -f d.yaml --watch=false",
        out: 'deployment "rs" successfully rolled out',
      },
      {
        run: "kubectl rollout status deploy -l app=rs --timeout=10s",
        out: 'deployment "rs" successfully rolled out',
      },
      {
        run: "kubectl rollout status deploy/rs --revision=7",
        exit: 1,
        err: /desired revision \(7\) is different from the running revision \(1\)/,
      },
    ],
  },
  {
    verb: "rollout",
    form: "history (--revision, -o), --record, change-cause",
    own: true,
    files: { "d.yaml": idle("rh") },
    steps: [
      { run: "kubectl create -f d.yaml --record", err: /Flag --record has been deprecated/ },
      {
        run: "kubectl rollout history deploy/rh",
        out: /^deployment.apps\/rh \nREVISION +CHANGE-CAUSE\n1 +kubectl create --filename=d.yaml --record=true\n/,
        retry: true,
      },
      "kubectl set image deploy/rh web=nginx:1.28",
      "kubectl annotate deploy/rh kubernetes.io/change-cause='version 1.28' --overwrite",
      { run: "kubectl rollout history deploy/rh", out: /\n2 +version 1.28\n/, retry: true },
      {
        run: "kubectl rollout history deploy/rh --revision=2",
        out: /^deployment.apps\/rh with revision #2\nPod Template:\n {2}Labels:\tapp=rh\n\tpod-template-hash=\w+\n {2}Annotations:\tkubernetes.io\/change-cause: version 1.28\n {2}Containers:\n {3}web:\n {4}Image:\tnginx:1.28\n/,
      },
      { run: "kubectl rollout history deploy/rh --revision=1 -o jsonpath='{..image}'", out: "nginx:1.27" },
      {
        run: "kubectl rollout history deploy/rh --revision=9",
        exit: 1,
        err: /unable to find the specified revision/,
      },
    ],
  },
  {
    verb: "rollout",
    form: "undo (--to-revision, --dry-run)",
    own: true,
    files: { "d.yaml": idle("ru") },
    steps: [
      "kubectl create -f d.yaml && kubectl set image deploy/ru web=nginx:1.28 && kubectl set image deploy/ru web=nginx:1.29",
      { run: "kubectl rollout history deploy/ru", out: /\n3 /, retry: true },
      {
        run: "kubectl rollout undo deploy/ru --dry-run=server",
        out: "deployment.apps/ru rolled back (server dry run)",
      },
      { run: "kubectl rollout undo deploy/ru", out: "deployment.apps/ru rolled back" },
      { run: "kubectl get deploy ru -o jsonpath='{..image}'", out: "nginx:1.28" },
      { run: "kubectl rollout history deploy/ru", out: /\n4 /, retry: true },
      { run: "kubectl rollout undo deploy/ru --to-revision=1", out: "deployment.apps/ru rolled back" },
      { run: "kubectl get deploy ru -o jsonpath='{..image}'", out: "nginx:1.27" },
      {
        run: "kubectl rollout undo deploy/ru --to-revision=77",
        exit: 1,
        err: /unable to find specified revision 77 in history/,
      },
    ],
  },
  {
    verb: "rollout",
    form: "pause, resume, restart (-l, -f)",
    own: true,
    files: { "d.yaml": idle("rp", 1) },
    steps: [
      "kubectl create -f d.yaml",
      { run: "kubectl rollout pause deploy/rp", out: "deployment.apps/rp paused" },
      { run: "kubectl rollout pause deploy/rp", exit: 1, err: /deployments.apps "rp" is already paused/ },
      { run: "kubectl rollout restart deploy/rp", exit: 1, err: /can't restart paused deployment/ },
      { run: "kubectl rollout resume deploy/rp", out: "deployment.apps/rp resumed" },
      "kubectl rollout status deploy/rp",
      { run: "kubectl rollout restart deploy -l app=rp", out: "deployment.apps/rp restarted" },
      { run: "kubectl rollout status deploy/rp", out: /successfully rolled out\n$/ },
      {
        run: "kubectl get deploy rp -o jsonpath='{.spec.template.metadata.annotations}'",
        out: /kubectl.kubernetes.io\/restartedAt/,
      },
      {
        run: "kubectl get rs -l app=rp --sort-by=.metadata.name --no-headers | grep -c ' 0 *0 *0 '",
        out: "1",
      },
    ],
  },
  {
    verb: "rollout",
    form: "that cannot finish: status exits 1, undo heals",
    own: true,
    files: { "d.yaml": idle("bad", 2).replace("spec:\n", "spec:\n  progressDeadlineSeconds: 2\n") },
    steps: [
      "kubectl create -f d.yaml && kubectl rollout status deploy/bad",
      "kubectl set image deploy/bad web=nginx:1.161",
      {
        run: "kubectl rollout status deploy/bad",
        exit: 1,
        // Nothing but the error where the deadline has passed before kubectl looks.
        out: /^(Waiting for deployment "bad" rollout to finish: 1 out of 2 new replicas have been updated\.\.\.\n)*$/,
        err: 'error: deployment "bad" exceeded its progress deadline',
      },
      {
        run: "kubectl get deploy bad",
        out: table("NAME READY UP-TO-DATE AVAILABLE AGE", "bad 2/2 1 2 \\S+"),
      },
      {
        run: "kubectl get pods -l app=bad --no-headers | grep -cE 'ErrImagePull|ImagePullBackOff'",
        out: "1",
        retry: true,
      },
      { run: "kubectl describe deploy bad", out: /Progressing +False +ProgressDeadlineExceeded/ },
      { run: "kubectl rollout undo deploy/bad", out: "deployment.apps/bad rolled back" },
      { run: "kubectl rollout status deploy/bad", out: /successfully rolled out\n$/ },
    ],
  },
];
