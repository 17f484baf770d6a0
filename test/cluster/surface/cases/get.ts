// `kubectl get` in all its forms, and `kubectl events`.
import { type SurfaceCase, table } from "../case.ts";
import { configMap } from "../fixture.ts";

const POD = "web-\\w+-\\w{5}";

export const getCases: readonly SurfaceCase[] = [
  {
    verb: "get",
    form: "TYPE, short names, several types",
    steps: [
      { run: "kubectl get deploy", out: table("NAME READY UP-TO-DATE AVAILABLE AGE", "web 2/2 2 2 \\S+") },
      {
        run: "kubectl get po -l app=web",
        out: table(
          "NAME READY STATUS RESTARTS AGE",
          `${POD} 1/1 Running 0 \\S+`,
          `${POD} 1/1 Running 0 \\S+`,
        ),
      },
      { run: "kubectl get rs", out: table("NAME DESIRED CURRENT READY AGE", "web-\\w+ 2 2 2 \\S+") },
      {
        run: "kubectl get svc,ep web",
        out: /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nservice\/web +ClusterIP +\S+ +<none> +80\/TCP +\S+\n\nNAME +ENDPOINTS +AGE\nendpoints\/web +\S+:\d+,\S+:\d+ +\S+\n$/,
      },
      { run: "kubectl get cm settings", out: table("NAME DATA AGE", "settings 2 \\S+") },
      { run: "kubectl get secret/password", out: table("NAME TYPE DATA AGE", "password Opaque 1 \\S+") },
      { run: "kubectl get sa", out: /^NAME +SECRETS +AGE\ndefault +0 +\S+\n/ },
      { run: "kubectl get ns $NS", out: table("NAME STATUS AGE", "\\S+ Active \\S+") },
      { run: "kubectl get deployments.v1.apps web -o name", out: "deployment.apps/web" },
      { run: "kubectl get nonsense", exit: 1, err: /the server doesn't have a resource type "nonsense"/ },
    ],
  },
  {
    verb: "get",
    form: "all",
    own: true,
    steps: [
      "kubectl create deployment a --image=nginx --replicas=1",
      "kubectl expose deployment a --port=80",
      "kubectl rollout status deployment/a",
      {
        run: "kubectl get all",
        out: /^NAME +READY +STATUS +RESTARTS +AGE\npod\/a-\S+ +1\/1 +Running +0 +\S+\n\nNAME +TYPE .*\nservice\/a +ClusterIP .*\n\nNAME +READY +UP-TO-DATE +AVAILABLE +AGE\ndeployment.apps\/a +1\/1 +1 +1 .*\n\nNAME +DESIRED +CURRENT +READY +AGE\nreplicaset.apps\/a-\w+ +1 +1 +1 .*\n$/,
      },
    ],
  },
  {
    verb: "get",
    form: "-o wide",
    steps: [
      {
        run: "kubectl get pods -l app=web -o wide",
        out: table(
          "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES",
          `${POD} 1/1 Running 0 \\S+ 127\\S+ node-\\d <none> <none>`,
          `${POD} 1/1 Running 0 \\S+ 127\\S+ node-\\d <none> <none>`,
        ),
      },
      {
        run: "kubectl get deploy,rs -o wide",
        out: /AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\n.* web +nginx:1.27 +app=web\n\n.*READY +AGE +CONTAINERS +IMAGES +SELECTOR\n.* web +nginx:1.27 +app=web,pod-template-hash=\w+\n$/,
      },
      {
        run: "kubectl get nodes -o wide",
        out: /^NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME\nnode-1 +Ready +\S+ +\S+ +v\S+ +127\.\S+ +<none> +/,
      },
      { run: "kubectl get svc web -o wide", out: /PORT\(S\) +AGE +SELECTOR\n.* app=web\n$/ },
    ],
  },
  {
    verb: "get",
    form: "-o yaml|json|name",
    steps: [
      {
        run: "kubectl get deploy web -o yaml",
        out: /^apiVersion: apps\/v1\nkind: Deployment\n(.*\n)*status:\n/,
      },
      { run: "kubectl get pods -l app=web -o json", out: /^\{\n {4}"apiVersion": "v1",\n {4}"items": \[/ },
      {
        run: "kubectl get pods -l app=web -o yaml",
        out: /\nkind: List\nmetadata:\n {2}resourceVersion: ""\n$/,
      },
      { run: "kubectl get pods -l app=web -o name", out: new RegExp(`^(pod/${POD}\n){2}$`) },
    ],
  },
  {
    verb: "get",
    form: "-o jsonpath|jsonpath-as-json|jsonpath-file",
    files: { "names.txt": "{range .items[*]}{.metadata.name}{'\\n'}{end}" },
    steps: [
      {
        run: "kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[?(@.name==\"web\")].image}'",
        out: "nginx:1.27",
      },
      { run: "kubectl get cm settings -o jsonpath-as-json='{.data}'", out: /"colour": "blue"/ },
      {
        run: "kubectl get cm settings password -o jsonpath='{.x}' --allow-missing-template-keys=true",
        exit: 1,
        err: /configmaps "password" not found/,
      },
      { run: "kubectl get svc -o jsonpath-file=names.txt", out: "web" },
    ],
  },
  {
    verb: "get",
    form: "-o go-template|go-template-file|--template",
    files: { "names.tmpl": '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}' },
    steps: [
      { run: "kubectl get cm settings -o go-template='{{.data.colour}}-{{len .data}}'", out: "blue-2" },
      { run: "kubectl get svc -o go-template-file=names.tmpl", out: "web" },
      {
        run: "kubectl get cm settings --template '{{range $k, $v := .data}}{{$k}}={{$v}} {{end}}'",
        out: "colour=blue shape=round ",
      },
    ],
  },
  {
    verb: "get",
    form: "-o custom-columns|custom-columns-file, --no-headers",
    files: { "columns.txt": "WHO          IMAGE\n.metadata.name .spec.template.spec.containers[*].image\n" },
    steps: [
      {
        run: "kubectl get deploy -o custom-columns=NAME:.metadata.name,WANTS:.spec.replicas,NONE:.spec.nothing",
        out: table("NAME WANTS NONE", "web 2 <none>"),
      },
      {
        run: "kubectl get deploy -o custom-columns-file=columns.txt",
        out: table("WHO IMAGE", "web nginx:1.27"),
      },
      { run: "kubectl get deploy --no-headers -o custom-columns=:metadata.name", out: "web" },
      { run: "kubectl get deploy --no-headers", out: /^web +2\/2 +2 +2 +\S+\n$/ },
    ],
  },
  {
    verb: "get",
    form: "--sort-by",
    steps: [
      {
        run: "kubectl get cm,secret --sort-by=.metadata.name -o name",
        out: /^configmap\/kube-root-ca.crt\nsecret\/password\nconfigmap\/settings\n$/,
      },
      { run: "kubectl get pods --sort-by=.metadata.creationTimestamp", out: /^NAME +READY +STATUS/ },
      {
        run: "kubectl get events --sort-by=.metadata.creationTimestamp",
        out: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/,
      },
      {
        run: "kubectl get nodes --sort-by='{.metadata.name}' --no-headers",
        out: /^node-1 .*\nnode-2 .*\nnode-3 /,
      },
    ],
  },
  {
    verb: "get",
    form: "--show-kind, --show-labels, -L",
    steps: [
      { run: "kubectl get deploy --show-kind", out: /\ndeployment.apps\/web +2\/2/ },
      { run: "kubectl get deploy --show-labels", out: /AGE +LABELS\nweb .* app=web,tier=front\n$/ },
      { run: "kubectl get deploy -L app,tier,none", out: /AGE +APP +TIER +NONE\nweb .* web +front +\n$/ },
      { run: "kubectl get nodes -L kubernetes.io/hostname", out: /VERSION +HOSTNAME\nnode-1 .* node-1\n/ },
    ],
  },
  {
    verb: "get",
    form: "-l, --field-selector",
    steps: [
      { run: "kubectl get pods -l 'app in (web,other),!nothing' -o name", out: /^(pod\/web-.*\n){2}$/ },
      { run: "kubectl get pods -l app!=web -o name", out: "pod/shell" },
      {
        run: "kubectl get pods --field-selector status.phase=Running,metadata.name=shell -o name",
        out: "pod/shell",
      },
      {
        run: "kubectl get pods --field-selector spec.nodeName!=node-3,status.phase!=Running",
        out: "",
        err: /^No resources found in \S+ namespace\.\n$/,
      },
      {
        run: "kubectl get events --field-selector involvedObject.name=shell,reason=Scheduled --no-headers",
        out: /Successfully assigned \S+\/shell to node-\d/,
      },
      {
        run: "kubectl get pods --field-selector spec.colour=blue",
        exit: 1,
        err: /field label not supported: spec.colour/,
      },
      { run: "kubectl get pods -l 'a=='=b", exit: 1, err: /unable to parse requirement|invalid/ },
    ],
  },
  {
    verb: "get",
    form: "-A",
    steps: [
      { run: "kubectl get deploy -A", out: /^NAMESPACE +NAME +READY +UP-TO-DATE +AVAILABLE +AGE\n/ },
      {
        run: "kubectl get svc -A --field-selector metadata.name=kubernetes",
        out: table(
          "NAMESPACE NAME TYPE CLUSTER-IP EXTERNAL-IP PORT\\(S\\) AGE",
          "default kubernetes ClusterIP \\S+ <none> 443/TCP \\S+",
        ),
      },
    ],
  },
  {
    verb: "get",
    form: "-f, -R, -k",
    files: {
      "objects/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
      "objects/deeper/b.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: password}\n",
      "objects/kustomization.yaml": "resources: [a.yaml]\n",
    },
    steps: [
      { run: "kubectl get -f objects/a.yaml", out: table("NAME DATA AGE", "settings 2 \\S+") },
      {
        run: "rm objects/kustomization.yaml; kubectl get -R -f objects -o name",
        out: /^configmap\/settings\nsecret\/password\n$/,
      },
      {
        run: "echo 'resources: [a.yaml]' > objects/kustomization.yaml; kubectl get -k objects -o name",
        out: "configmap/settings",
      },
    ],
  },
  {
    verb: "get",
    form: "--chunk-size",
    steps: [
      { run: "kubectl get pods --chunk-size=1 -o name | wc -l", out: /^3\n$/ },
      { run: "kubectl get events --chunk-size=2 -v=8 2>&1 | grep -c 'continue='", out: /^[1-9]\d*\n$/ },
      { run: "kubectl get events --chunk-size=0 -o name", out: /^event\// },
    ],
  },
  {
    verb: "get",
    form: "--ignore-not-found",
    steps: [
      {
        run: "kubectl get cm absent",
        exit: 1,
        err: 'Error from server (NotFound): configmaps "absent" not found\n'.trim(),
      },
      { run: "kubectl get cm absent --ignore-not-found", out: "", err: "" },
      { run: "kubectl get cm settings absent -o name", exit: 1, out: "configmap/settings" },
    ],
  },
  {
    verb: "get",
    form: "--subresource=status|scale",
    steps: [
      {
        run: "kubectl get deploy web --subresource=scale",
        out: table("NAME DESIRED AVAILABLE AGE", "web 2 2 \\S+"),
      },
      { run: "kubectl get deploy web --subresource=status -o jsonpath='{.status.readyReplicas}'", out: "2" },
      {
        run: "kubectl get pod shell --subresource=status",
        out: /^NAME +READY +STATUS +RESTARTS +AGE\nshell +2\/2/,
      },
    ],
  },
  {
    verb: "get",
    form: "-w, --watch-only, --output-watch-events",
    files: { "w.yaml": configMap("watched", "one") },
    steps: [
      {
        start: "kubectl get cm -w --output-watch-events",
        out: /^EVENT +NAME +DATA +AGE\nADDED +kube-root-ca.crt/,
      },
      "kubectl apply -f w.yaml",
      { start: "kubectl get cm watched --watch-only --no-headers > seen" },
      {
        run: "kubectl annotate cm watched at=$(date +%N) --overwrite > said; cat seen",
        retry: true,
        out: /^watched +1 +\S+\n/,
      },
      { start: "kubectl get cm -w -o jsonpath='{.metadata.name}{\" \"}'", out: /watched / },
      "kubectl delete cm watched",
    ],
  },
  {
    verb: "get",
    form: "--raw",
    steps: [
      { run: "kubectl get --raw /healthz", out: "ok" },
      { run: "kubectl get --raw '/readyz?verbose'", out: /\[\+\]ping ok(.*\n)*readyz check passed/ },
      { run: "kubectl get --raw /livez", out: "ok" },
      { run: 'kubectl get --raw "/api/v1/namespaces/$NS/configmaps/settings"', out: /"kind":"ConfigMap"/ },
      { run: "kubectl get --raw /version", out: /"major": ?"1"/ },
      { run: "kubectl get --raw /metrics", out: /^# (HELP|TYPE) /m },
    ],
  },
  {
    verb: "get",
    form: "--server-print=false, --show-managed-fields",
    steps: [
      { run: "kubectl get cm settings --server-print=false", out: table("NAME AGE", "settings \\S+") },
      {
        run: "kubectl get cm settings -o yaml --show-managed-fields",
        out: /\n {2}managedFields:\n {2}- apiVersion: v1\n {4}fieldsType: FieldsV1\n/,
      },
      { run: "kubectl get cm settings -o yaml | grep -c managedFields", exit: 1, out: "0" },
    ],
  },
  {
    verb: "get",
    form: "componentstatuses",
    steps: [
      {
        run: "kubectl get componentstatuses",
        err: /Warning: v1 ComponentStatus is deprecated in v1.19\+/,
        out: /^NAME +STATUS +MESSAGE +ERROR\n(.*\n)*scheduler +Healthy +ok +\n/,
      },
      { run: "kubectl get cs scheduler -o jsonpath='{.conditions[0].type}'", out: "Healthy" },
    ],
  },
  {
    verb: "events",
    form: "--for, --types, -A, -w, --no-headers, -o",
    steps: [
      {
        run: "kubectl events --for pod/shell --types Normal",
        out: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Normal +\w+ +Pod\/shell /,
      },
      { run: "kubectl events -A --types=Normal --no-headers --chunk-size=50", out: /^\S+ +\S+ +Normal / },
      {
        run: "kubectl events --for deployment/web -o jsonpath='{.items[0].reason}'",
        out: "ScalingReplicaSet",
      },
      {
        start: "kubectl events -w --for pod/shell",
        out: /Pod\/shell +Started container|Pod\/shell +Container started|Started +Pod\/shell/,
      },
      { run: "kubectl events --for pod/absent 2>&1", out: /^No events found in \S+ namespace\.\n$/ },
    ],
  },
];
