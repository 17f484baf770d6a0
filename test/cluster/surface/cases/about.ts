// What kubectl says about the server, about itself and about the user.
import type { SurfaceCase } from "../case.ts";

export const aboutCases: readonly SurfaceCase[] = [
  {
    verb: "api-resources",
    form: "-o wide|name, --namespaced, --verbs, --api-group, --categories, --sort-by, --cached",
    steps: [
      {
        run: "kubectl api-resources",
        out: /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\n(.*\n)*pods +po +v1 +true +Pod\n(.*\n)*deployments +deploy +apps\/v1 +true +Deployment\n/,
      },
      {
        run: "kubectl api-resources -o wide --api-group=apps",
        out: /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND +VERBS +CATEGORIES\n(.*\n)*deployments +deploy +apps\/v1 +true +Deployment +\[?create[ ,]delete[ ,]deletecollection[ ,]get[ ,]list[ ,]patch[ ,]update[ ,]watch\]? +all\n/,
      },
      { run: "kubectl api-resources --namespaced=false -o name", out: /^(.*\n)*namespaces\nnodes\n/ },
      {
        run: "kubectl api-resources --verbs=list,delete --categories=all -o name --sort-by=name",
        out: /^(.*\n)*deployments.apps\n(.*\n)*pods\n/,
      },
      { run: "kubectl api-resources --cached --no-headers", out: /^(bindings|\w+) / },
    ],
  },
  {
    verb: "api-versions",
    form: "",
    steps: [{ run: "kubectl api-versions", out: /^(.*\n)*apps\/v1\n(.*\n)*v1\n$/ }],
  },
  {
    verb: "cluster-info",
    form: "",
    steps: [
      {
        run: "kubectl cluster-info",
        out: /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:\d+/,
      },
    ],
  },
  {
    verb: "cluster-info dump",
    form: "--namespaces, --output-directory, -o",
    steps: [
      {
        run: "kubectl cluster-info dump --namespaces $NS --output-directory dumped",
        out: /Cluster info dumped to dumped/,
      },
      {
        run: "ls dumped dumped/$NS",
        out: /nodes.json\n(.*\n)*deployments.json\n(.*\n)*pods.json\n(.*\n)*shell\n/,
      },
      { run: "cat dumped/$NS/shell/logs.txt", out: /one\ntwo\nthree\n/ },
    ],
  },
  {
    verb: "explain",
    form: "TYPE, TYPE.FIELD, --recursive, --api-version",
    steps: [
      {
        run: "kubectl explain deployment.spec.replicas",
        out: /^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nFIELD: replicas <integer>\n+DESCRIPTION:\n {4}\S/,
      },
      { run: "kubectl explain po", out: /^KIND: +Pod\nVERSION: +v1\n\nDESCRIPTION:\n/ },
      {
        run: "kubectl explain pods.spec.containers --recursive",
        out: /FIELDS:\n {2}args\t<\[\]string>\n(.*\n)* {2}env\t<\[\]EnvVar>\n {4}name\t<string> -required-\n/,
      },
      { run: "kubectl explain deploy --api-version=apps/v1", out: /^GROUP: +apps\n/ },
      { run: "kubectl explain pods.spec.nothing", exit: 1, err: /field "nothing" does not exist/ },
    ],
  },
  {
    verb: "explain",
    form: "--output=plaintext-openapiv2",
    steps: [
      {
        run: "kubectl explain --output=plaintext-openapiv2 pods.spec.nodeName",
        out: /^KIND: +Pod\nVERSION: +v1\n\nFIELD: +nodeName <string>\n+DESCRIPTION:\n/,
      },
    ],
  },
  {
    verb: "version",
    form: "--client, -o yaml|json",
    differs: "the server says v1.36, so kubectl prints its warning about version skew",
    steps: [
      {
        run: "kubectl version",
        out: /^Client Version: .*\n(.*\n)?Server Version: .*v1\.36\./,
        err: /WARNING: version difference between client \(1\.\d+\) and server \(1\.36\) exceeds the supported minor version skew/,
      },
      { run: "kubectl version --client", out: /^Client Version: / },
      { run: "kubectl version -o yaml", out: /\nserverVersion:\n(.*\n)* {2}gitVersion: v1\.36\.\S+\n/ },
    ],
  },
  {
    verb: "auth",
    form: "can-i (--list, --all-namespaces, -q, --subresource)",
    differs: "every user may do everything, until access control comes",
    steps: [
      { run: "kubectl auth can-i create deployments", out: "yes" },
      { run: "kubectl auth can-i get pods --subresource=log -A -q", out: "" },
      { run: "kubectl auth can-i get /healthz", out: "yes" },
      {
        run: "kubectl auth can-i --list",
        out: /^Resources +Non-Resource URLs +Resource Names +Verbs\n\*\.\* +\[\] +\[\] +\[\*\]\n/,
      },
    ],
  },
  {
    verb: "auth",
    form: "whoami",
    // 1.27 asks for the beta API, which no server of today has.
    since: "1.28",
    steps: [
      {
        run: "kubectl auth whoami",
        out: /^ATTRIBUTE +VALUE\nUsername +kubernetes-admin\nGroups +\[system:masters system:authenticated\]\n/,
      },
    ],
  },
  {
    verb: "auth reconcile",
    form: "-f",
    absent: "access control is not there yet",
    files: {
      "r.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules: []\n",
    },
    steps: [
      {
        run: "kubectl auth reconcile -f r.yaml",
        exit: 1,
        err: /no matches for kind "Role" in version "rbac.authorization.k8s.io\/v1"|could not find the requested resource|resource name may not be empty|an empty namespace may not be set/,
      },
    ],
  },
  {
    verb: "certificate",
    form: "approve, deny",
    absent: "there are no CertificateSigningRequests",
    steps: [
      {
        run: "kubectl certificate approve x",
        exit: 1,
        err: /could not find the requested resource|doesn't have a resource type/,
      },
      {
        run: "kubectl certificate deny x",
        exit: 1,
        err: /could not find the requested resource|doesn't have a resource type/,
      },
    ],
  },
  {
    verb: "config",
    form: "view, get-contexts, current-context, use-context, set-*, rename-context, delete-*, unset",
    steps: [
      {
        run: "kubectl config view --minify",
        out: /^apiVersion: v1\nclusters:\n- cluster:\n {4}certificate-authority-data: DATA\+OMITTED\n/,
      },
      {
        run: "kubectl config view --raw --flatten -o jsonpath='{.users[0].user.client-certificate-data}'",
        out: /^[\w+/=]{100,}$/,
      },
      { run: "kubectl config current-context", out: /^kubemu\S*\n$/, save: "CONTEXT" },
      { run: "kubectl config get-contexts", out: /^CURRENT +NAME +CLUSTER +AUTHINFO +NAMESPACE\n\* +kubemu/ },
      {
        run: "kubectl config set-context --current --namespace=kube-system",
        out: /^Context "\S+" modified\.\n$/,
      },
      { run: "kubectl get sa default -o jsonpath='{.metadata.namespace}'", out: "kube-system" },
      {
        run: 'kubectl config set-context two --cluster="$CONTEXT" --user="$CONTEXT" --namespace=$NS',
        out: 'Context "two" created.',
      },
      { run: "kubectl config use-context two", out: 'Switched to context "two".' },
      { run: "kubectl config rename-context two three", out: 'Context "two" renamed to "three".' },
      {
        run: "kubectl config set contexts.three.namespace other && kubectl config unset contexts.three.namespace",
        out: 'Property "contexts.three.namespace" set.\nProperty "contexts.three.namespace" unset.',
      },
      {
        run: 'kubectl config use-context "$CONTEXT" && kubectl config delete-context three',
        out: /deleted context three from /,
      },
      {
        run: "kubectl config set-credentials me --token=t && kubectl config set-cluster c --server=https://127.0.0.1:1",
        out: 'User "me" set.\nCluster "c" set.',
      },
      {
        run: "kubectl config get-clusters && kubectl config get-users",
        out: /^NAME\n(.*\n)*c\n(.*\n)*NAME\n(.*\n)*me\n/,
      },
    ],
  },
  {
    verb: "completion",
    form: "bash, of names on the server",
    steps: [
      { run: "kubectl completion bash | bash -n", out: "" },
      { run: "kubectl __complete get deployments w", out: /^(\S+\n)*web\n:4\n$/ },
    ],
  },
  {
    verb: "plugin list, options",
    form: "",
    files: { "bin/kubectl-hello.sh": "#!/bin/sh\necho hello from a plugin\n" },
    steps: [
      {
        run: "mv bin/kubectl-hello.sh bin/kubectl-hello; PATH=$PWD/bin:$PATH kubectl plugin list",
        out: /kubectl-hello\n/,
      },
      { run: "PATH=$PWD/bin:$PATH kubectl hello", out: "hello from a plugin" },
      { run: "kubectl options", out: /^The following options can be passed to any command:\n/ },
    ],
  },
];
