// The commands that work from manifests: apply in all its forms, diff, replace, edit, kustomize.
import type { SurfaceCase } from "../case.ts";
import { configMap, idle } from "../fixture.ts";

export const applyCases: readonly SurfaceCase[] = [
  {
    verb: "apply",
    form: "-f: create, change, keep, prune fields",
    files: {
      "one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: three-way}\ndata: {mine: a, both: a}\n",
      "two.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: three-way}\ndata: {both: b}\n",
    },
    steps: [
      { run: "kubectl apply -f one.yaml", out: "configmap/three-way created" },
      { run: "kubectl apply -f one.yaml", out: "configmap/three-way unchanged" },
      'kubectl patch cm three-way -p \'{"data":{"theirs":"c"}}\'',
      { run: "kubectl apply -f two.yaml", out: "configmap/three-way configured" },
      // What the last manifest no longer has goes, what others added stays.
      { run: "kubectl get cm three-way -o jsonpath='{.data}'", out: '{"both":"b","theirs":"c"}' },
    ],
  },
  {
    verb: "apply",
    form: "-R, -k, several documents, stdin",
    files: {
      "all/a.yaml": `${configMap("rec-a", "a")}---\n${configMap("rec-b", "b")}`,
      "all/deep/c.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"rec-c"}}',
      "kust/kustomization.yaml":
        "namePrefix: kust-\ncommonAnnotations: {by: kustomize}\nresources: [a.yaml]\nconfigMapGenerator: [{name: made, literals: [x=y]}]\n",
      "kust/a.yaml": configMap("rec", "k"),
    },
    steps: [
      {
        run: "kubectl apply -R -f all",
        out: "configmap/rec-a created\nconfigmap/rec-b created\nconfigmap/rec-c created",
      },
      {
        run: "kubectl apply -k kust",
        out: /^configmap\/kust-made-\w{10} created\nconfigmap\/kust-rec created\n$/,
      },
      { run: "kubectl apply -f -", input: configMap("rec-a", "other"), out: "configmap/rec-a configured" },
    ],
  },
  {
    verb: "apply",
    form: "--server-side, --force-conflicts, --field-manager",
    files: { "one.yaml": configMap("ssa", "one"), "two.yaml": configMap("ssa", "two") },
    steps: [
      { run: "kubectl apply --server-side -f one.yaml", out: "configmap/ssa serverside-applied" },
      {
        run: "kubectl apply --server-side --field-manager=other -f two.yaml",
        exit: 1,
        err: /^error: Apply failed with 1 conflict: conflict with "kubectl": \.data\.key\nPlease review the fields above/,
      },
      {
        run: "kubectl apply --server-side --field-manager=other --force-conflicts -f two.yaml",
        out: "configmap/ssa serverside-applied",
      },
      {
        run: "kubectl get cm ssa --show-managed-fields -o jsonpath='{range .metadata.managedFields[*]}{.manager}:{.operation} {end}'",
        out: /other:Apply /,
      },
      // Another manager took the one field, and the first still has the rest.
      {
        run: "kubectl apply --server-side --dry-run=server -o jsonpath='{.data.key}' -f one.yaml",
        exit: 1,
        err: /conflict with "other"/,
      },
    ],
  },
  {
    verb: "apply",
    form: "--server-side over client-side",
    files: { "one.yaml": configMap("migrated", "one"), "two.yaml": configMap("migrated", "two") },
    steps: [
      "kubectl apply -f one.yaml",
      { run: "kubectl apply --server-side -f two.yaml", out: "configmap/migrated serverside-applied" },
      { run: "kubectl get cm migrated -o jsonpath='{.data.key}'", out: "two" },
      { run: "kubectl apply -f one.yaml", out: "configmap/migrated configured" },
      { run: "kubectl get cm migrated -o jsonpath='{.data.key}'", out: "one" },
    ],
  },
  {
    verb: "apply",
    form: "--prune -l, --prune-allowlist",
    own: true,
    files: {
      "both.yaml": `${configMap("keep", "a", "{set: pruned}")}---\n${configMap("drop", "b", "{set: pruned}")}`,
      "one.yaml": configMap("keep", "a", "{set: pruned}"),
    },
    steps: [
      "kubectl apply -f both.yaml",
      {
        run: "kubectl apply --prune -l set=pruned --prune-allowlist=core/v1/ConfigMap --prune-allowlist=core/v1/Secret -f one.yaml",
        out: "configmap/keep unchanged\nconfigmap/drop pruned",
      },
      { run: "kubectl get cm -l set=pruned -o name", out: "configmap/keep" },
    ],
  },
  {
    verb: "apply",
    form: "--prune --all",
    own: true,
    files: {
      "both.yaml": `${configMap("keep", "a")}---\n${configMap("drop", "b")}`,
      "one.yaml": configMap("keep", "a"),
    },
    steps: [
      "kubectl apply -f both.yaml",
      {
        run: "kubectl apply --prune --all --namespace $NS --prune-allowlist=core/v1/ConfigMap -f one.yaml",
        out: /^configmap\/keep (unchanged|configured)\nconfigmap\/drop pruned\n/,
      },
    ],
  },
  {
    verb: "apply",
    form: "--dry-run=client|server, --validate, -o",
    files: { "new.yaml": configMap("dry", "a"), "bad.yaml": `${configMap("dry", "a")}colour: red\n` },
    steps: [
      { run: "kubectl apply --dry-run=client -f new.yaml", out: "configmap/dry created (dry run)" },
      { run: "kubectl apply --dry-run=server -f new.yaml", out: "configmap/dry created (server dry run)" },
      { run: "kubectl get cm dry", exit: 1 },
      { run: "kubectl apply -f bad.yaml", exit: 1, err: /strict decoding error: unknown field "colour"/ },
      {
        run: "kubectl apply --validate=warn -f bad.yaml",
        out: "configmap/dry created",
        err: /^Warning: unknown field "colour"\n$/,
      },
      { run: "kubectl apply --validate=ignore -o jsonpath='{.data.key}' -f bad.yaml", out: "a" },
    ],
  },
  {
    verb: "apply",
    form: "--force, --overwrite, --wait",
    files: {
      "one.yaml": configMap("forced", "a"),
      "fixed.yaml": `${configMap("forced", "b")}immutable: true\n`,
    },
    steps: [
      "kubectl apply -f fixed.yaml",
      { run: "kubectl apply -f one.yaml", exit: 1, err: /field is immutable when `immutable` is set/ },
      {
        run: "kubectl apply --force --grace-period=0 --wait -f one.yaml",
        out: /configmap\/forced configured/,
      },
    ],
  },
  {
    verb: "apply",
    form: "--subresource",
    since: "1.32",
    files: {
      "status.yaml": `${idle("substatus")}status: {observedGeneration: 7}\n`,
    },
    steps: [
      {
        run: "kubectl apply --server-side --subresource=status --dry-run=server -f status.yaml",
        exit: 1,
        err: /deployments.apps "substatus" not found/,
      },
      "kubectl create deployment substatus --image=nginx --replicas=0",
      {
        run: "kubectl apply --server-side --subresource=status --force-conflicts -f status.yaml",
        out: /substatus serverside-applied/,
      },
    ],
  },
  {
    verb: "apply",
    form: "view-last-applied | set-last-applied | edit-last-applied",
    files: {
      "one.yaml": configMap("last", "one"),
      "two.yaml": configMap("last", "two"),
      "edit.sh": '#!/bin/sh\nsed -i "s/key: two/key: three/" "$1"\n',
    },
    steps: [
      "kubectl apply -f one.yaml",
      {
        run: "kubectl apply view-last-applied cm/last",
        out: /^apiVersion: v1\ndata:\n {2}key: one\nkind: ConfigMap\n/,
      },
      { run: "kubectl apply view-last-applied -f one.yaml -o json", out: /"key": "one"/ },
      { run: "kubectl apply set-last-applied -f two.yaml", out: "configmap/last configured" },
      { run: "kubectl apply view-last-applied cm last", out: /key: two/ },
      { run: "KUBE_EDITOR=./edit.sh kubectl apply edit-last-applied cm/last", out: "configmap/last edited" },
      { run: "kubectl apply view-last-applied cm last", out: /key: three/ },
      { run: "kubectl get cm last -o jsonpath='{.data.key}'", out: "one" },
    ],
  },
  {
    verb: "diff",
    form: "-f, --server-side, -R, --prune",
    files: { "one.yaml": configMap("diffed", "one"), "two.yaml": configMap("diffed", "two") },
    steps: [
      { run: "kubectl diff -f one.yaml", exit: 1, out: /^\+kind: ConfigMap$/m },
      "kubectl apply -f one.yaml",
      { run: "kubectl diff -f one.yaml", out: "" },
      { run: "kubectl diff -f two.yaml", exit: 1, out: /\n- {2}key: one\n\+ {2}key: two\n/ },
      { run: "kubectl diff --server-side --force-conflicts -f two.yaml", exit: 1, out: /\n\+ {2}key: two\n/ },
      { run: "KUBECTL_EXTERNAL_DIFF='diff -u0' kubectl diff -R -f .", exit: 1, out: /key: two/ },
    ],
  },
  {
    verb: "replace",
    form: "-f, --dry-run, --force",
    files: { "one.yaml": configMap("replaced", "one"), "two.yaml": configMap("replaced", "two") },
    steps: [
      { run: "kubectl replace -f one.yaml", exit: 1, err: /configmaps "replaced" not found/ },
      "kubectl create -f one.yaml",
      { run: "kubectl replace -f two.yaml", out: "configmap/replaced replaced" },
      {
        run: "kubectl replace --dry-run=server -f one.yaml",
        out: "configmap/replaced replaced (server dry run)",
      },
      {
        run: "kubectl get cm replaced -o jsonpath='{.data.key} {.metadata.uid}'",
        out: /^two (\S+)$/,
        save: "UID_BEFORE",
      },
      {
        run: "kubectl replace --force --grace-period=0 -f one.yaml",
        out: 'configmap "replaced" deleted\nconfigmap/replaced replaced',
      },
      {
        run: "kubectl get cm replaced -o jsonpath='{.data.key} {.metadata.uid}' | grep -v \"$UID_BEFORE\"",
        out: /^one /,
      },
      {
        run: "kubectl get cm replaced -o yaml | sed 's/key: one/key: \"1\"/' | kubectl replace -f -",
        out: "configmap/replaced replaced",
      },
    ],
  },
  {
    verb: "replace",
    form: "--subresource, --raw",
    files: { "d.yaml": idle("rep-sub") },
    steps: [
      "kubectl create -f d.yaml",
      {
        run: 'kubectl get deploy rep-sub -o json | sed \'s/"replicas": 0/"replicas": 3/\' | kubectl replace --subresource=status -f -',
        out: "deployment.apps/rep-sub replaced",
      },
      { run: "kubectl get deploy rep-sub -o jsonpath='{.spec.replicas}'", out: "0" },
      {
        run: "kubectl get cm settings -o json | kubectl replace --raw /api/v1/namespaces/$NS/configmaps/settings -f -",
        out: /^\{.*"kind":"ConfigMap"/,
      },
    ],
  },
  {
    verb: "edit",
    form: "TYPE/NAME, -f, --subresource, -o, --output-patch",
    files: {
      "d.yaml": idle("edited"),
      "image.sh": '#!/bin/sh\nsed -i "s/nginx:1.27/nginx:1.28/" "$1"\n',
      "status.sh": '#!/bin/sh\nsed -i "s/observedGeneration: .*/observedGeneration: 9/" "$1"\n',
      "nothing.sh": "#!/bin/sh\n",
    },
    steps: [
      "kubectl create -f d.yaml",
      { run: "KUBE_EDITOR=./image.sh kubectl edit deploy/edited", out: "deployment.apps/edited edited" },
      { run: "kubectl get deploy edited -o jsonpath='{..image}'", out: "nginx:1.28" },
      {
        run: "KUBE_EDITOR=./nothing.sh kubectl edit -f d.yaml",
        out: "",
        err: /Edit cancelled, no changes made/,
      },
      {
        run: "KUBE_EDITOR=./status.sh kubectl edit deploy edited --subresource=status",
        out: "deployment.apps/edited edited",
      },
      {
        run: "sed -i s/1.28/1.29/ image.sh; sed -i s/1.27/1.28/ image.sh; EDITOR=./image.sh kubectl edit deploy edited --output-patch -o yaml",
        out: /Patch: \{"spec":\{"template":/,
      },
    ],
  },
  {
    verb: "kustomize",
    form: "DIR",
    files: {
      "kustomization.yaml": "namePrefix: my-\nresources: [a.yaml]\nimages: [{name: nginx, newTag: '1.28'}]\n",
      "a.yaml": idle("web"),
    },
    steps: [
      { run: "kubectl kustomize .", out: /image: nginx:1.28\n/ },
      { run: "kubectl kustomize . | grep name: | head -1", out: "  name: my-web" },
    ],
  },
];
