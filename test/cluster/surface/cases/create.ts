// `kubectl create` of everything, run and expose.
import type { SurfaceCase } from "../case.ts";
import { configMap } from "../fixture.ts";

export const createCases: readonly SurfaceCase[] = [
  {
    verb: "create",
    form: "-f, --save-config, --edit, --raw, --validate",
    files: {
      "a.yaml": configMap("created", "a"),
      "b.yaml": configMap("created-b", "b"),
      "b.sh": '#!/bin/sh\nsed -i "s/key: b/key: c/" "$1"\n',
      "raw.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"created-raw"}}',
      "bad.yaml": `${configMap("created-bad", "b")}unheard: of\n`,
    },
    steps: [
      { run: "kubectl create -f a.yaml --save-config", out: "configmap/created created" },
      {
        run: "kubectl create -f a.yaml",
        exit: 1,
        err: 'Error from server (AlreadyExists): error when creating "a.yaml": configmaps "created" already exists',
      },
      { run: "kubectl apply view-last-applied cm created", out: /key: a/ },
      { run: "KUBE_EDITOR=./b.sh kubectl create --edit -f b.yaml", out: "configmap/created-b created" },
      { run: "kubectl get cm created-b -o jsonpath='{.data.key}'", out: "c" },
      {
        run: "kubectl create --raw /api/v1/namespaces/$NS/configmaps -f raw.json",
        out: /"name":"created-raw"/,
      },
      { run: "kubectl create -f bad.yaml", exit: 1, err: /strict decoding error: unknown field "unheard"/ },
    ],
  },
  {
    verb: "create",
    form: "deployment",
    own: true,
    steps: [
      {
        run: "kubectl create deployment cd --image=nginx --replicas=0 --port=80",
        out: "deployment.apps/cd created",
      },
      {
        run: "kubectl get deploy cd -o jsonpath='{.spec.replicas} {..containerPort} {..containers[*].name} {.spec.selector.matchLabels.app}'",
        out: "0 80 nginx cd",
      },
      {
        run: "kubectl create deployment cd2 --image=busybox --image=nginx --dry-run=client -o yaml -- date",
        exit: 1,
        err: /cannot specify multiple --image options and command/,
      },
      {
        run: "kubectl create deploy cd2 --image=busybox --dry-run=server -o jsonpath='{..command}' -- date -u",
        out: '["date","-u"]',
      },
    ],
  },
  {
    verb: "create",
    form: "--dry-run=client|server, -o yaml",
    steps: [
      {
        run: "kubectl create deployment dry --image=nginx --dry-run=client -o yaml",
        out: /^apiVersion: apps\/v1\nkind: Deployment\nmetadata:\n/,
      },
      {
        run: "kubectl create deployment dry --image=nginx --dry-run=server -o yaml",
        out: /\n {2}uid: \S+\n(.*\n)*spec:\n(.*\n)* {2}revisionHistoryLimit: 10\n/,
      },
      {
        run: "kubectl create deployment dry --image=nginx --dry-run=server",
        out: "deployment.apps/dry created (server dry run)",
      },
      {
        run: "kubectl create cm dry --from-literal=a=b --dry-run=client -o yaml | kubectl create -f - --dry-run=server",
        out: "configmap/dry created (server dry run)",
      },
      { run: "kubectl get deploy dry", exit: 1 },
    ],
  },
  {
    verb: "create",
    form: "configmap --from-literal|file|env-file, --append-hash",
    files: { "conf/app.ini": "[a]\n", "conf/b.txt": "b\n", "some.env": "ONE=1\nTWO=2\n" },
    steps: [
      {
        run: "kubectl create configmap from --from-literal=a=b --from-file=conf --from-file=named=conf/b.txt",
        out: "configmap/from created",
      },
      {
        run: "kubectl get cm from -o jsonpath='{.data}'",
        out: '{"a":"b","app.ini":"[a]\\n","b.txt":"b\\n","named":"b\\n"}',
      },
      {
        run: "kubectl create cm env --from-env-file=some.env --append-hash",
        out: /^configmap\/env-\w{10} created\n$/,
      },
    ],
  },
  {
    verb: "create",
    form: "secret generic|tls|docker-registry",
    steps: [
      "openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 2 -subj /CN=web.example 2>/dev/null",
      {
        run: "kubectl create secret generic gen --from-literal=user=me --type=example.com/login",
        out: "secret/gen created",
      },
      { run: "kubectl create secret tls cert --cert=tls.crt --key=tls.key", out: "secret/cert created" },
      {
        run: "kubectl create secret docker-registry reg --docker-username=u --docker-password=p --docker-email=e@example.com",
        out: "secret/reg created",
      },
      {
        run: "kubectl get secret gen cert reg --no-headers",
        out: /^gen +example.com\/login +1 .*\ncert +kubernetes.io\/tls +2 .*\nreg +kubernetes.io\/dockerconfigjson +1 /,
      },
      { run: "kubectl get secret gen -o jsonpath='{.data.user}' | base64 -d", out: "me" },
    ],
  },
  {
    verb: "create",
    form: "service clusterip|nodeport|loadbalancer|externalname",
    steps: [
      { run: "kubectl create service clusterip s1 --tcp=80:8080 --tcp=443", out: "service/s1 created" },
      { run: "kubectl create service clusterip s2 --clusterip=None", out: "service/s2 created" },
      { run: "kubectl create service nodeport s3 --tcp=80", out: "service/s3 created" },
      { run: "kubectl create service loadbalancer s4 --tcp=8080:80", out: "service/s4 created" },
      {
        run: "kubectl create service externalname s5 --external-name=example.com",
        out: "service/s5 created",
      },
      {
        run: "kubectl get svc s1 s2 s3 s4 s5 --no-headers",
        out: /^s1 +ClusterIP +[\d.]+ +<none> +80\/TCP,443\/TCP +.*\ns2 +ClusterIP +None +<none> +<none> +.*\ns3 +NodePort +[\d.]+ +<none> +80:3\d{4}\/TCP +.*\ns4 +LoadBalancer +[\d.]+ +\S+ +8080:3\d{4}\/TCP +.*\ns5 +ExternalName +<none> +example.com +<none> /,
      },
      "kubectl delete svc s1 s2 s3 s4 s5",
    ],
  },
  {
    verb: "create",
    form: "namespace, serviceaccount, token, priorityclass",
    steps: [
      { run: "kubectl create namespace $NS-more", out: /^namespace\/\S+-more created\n$/ },
      { run: "kubectl create serviceaccount robot", out: "serviceaccount/robot created" },
      {
        run: "kubectl create token robot --duration=10m --audience=https://example.com | cut -d. -f2 | tr -d '\\n' | base64 -d 2>/dev/null",
        out: /"sub":"system:serviceaccount:\S+:robot"/,
      },
      { run: "kubectl create token absent", exit: 1, err: /serviceaccounts "absent" not found/ },
      {
        run: "kubectl create priorityclass $NS-high --value=1000 --description=high --preemption-policy=Never",
        out: /^priorityclass.scheduling.k8s.io\/\S+-high created\n$/,
      },
      "kubectl delete pc $NS-high",
      { run: "kubectl delete ns $NS-more", out: /^namespace "\S+-more" deleted/ },
    ],
  },
  {
    verb: "create",
    form: "role, rolebinding, clusterrole, clusterrolebinding",
    absent: "access control is not there yet",
    steps: [
      {
        run: "kubectl create role r --verb=get --resource=pods",
        exit: 1,
        err: /could not find the requested resource/,
      },
      {
        run: "kubectl create rolebinding rb --role=r --user=u",
        exit: 1,
        err: /could not find the requested resource/,
      },
      {
        run: "kubectl create clusterrole cr --verb=get --resource=pods",
        exit: 1,
        err: /could not find the requested resource/,
      },
      {
        run: "kubectl create clusterrolebinding crb --clusterrole=cr --user=u",
        exit: 1,
        err: /could not find the requested resource/,
      },
    ],
  },
  {
    verb: "expose",
    form: "deployment|pod|service, --type, --port, --target-port, --name, --selector",
    steps: [
      {
        run: "kubectl expose deployment web --name=e1 --port=8080 --target-port=80",
        out: "service/e1 exposed",
      },
      {
        run: "kubectl expose pod shell --name=e2 --port=80 --type=NodePort --labels=x=y",
        out: "service/e2 exposed",
      },
      {
        run: "kubectl expose svc web --name=e3 --port=443 --target-port=https --selector=app=other --session-affinity=ClientIP",
        out: "service/e3 exposed",
      },
      {
        run: "kubectl expose deploy web --name=e4 --port=80 --cluster-ip=None --dry-run=server -o jsonpath='{.spec.clusterIP}'",
        out: "None",
      },
      {
        run: "kubectl get svc e1 e2 e3 -o jsonpath='{range .items[*]}{.spec.type} {.spec.selector} {.spec.ports[0].targetPort}{\"\\n\"}{end}'",
        out: 'ClusterIP {"app":"web"} 80\nNodePort {"app":"shell"} 80\nClusterIP {"app":"other"} https',
      },
      "kubectl delete svc e1 e2 e3",
    ],
  },
  {
    verb: "run",
    form: "--image, --port, --env, --labels, --expose, --restart, --overrides, --dry-run, -- COMMAND",
    own: true,
    steps: [
      {
        run: "kubectl run r1 --image=nginx --port=80 --env=A=b --labels=x=y --expose",
        out: "service/r1 created\npod/r1 created",
      },
      { run: "kubectl run r2 --image=busybox --restart=Never -- sh -c 'echo done'", out: "pod/r2 created" },
      {
        run: "kubectl run r3 --image=busybox --dry-run=client -o yaml --command -- sleep 5",
        out: /command:\n {4}- sleep\n {4}- "5"/,
      },
      {
        run: `kubectl run r4 --image=nginx --dry-run=server -o jsonpath='{.spec.hostname}' --overrides='{"spec":{"hostname":"h"}}'`,
        out: "h",
      },
      { run: "kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/r2", out: "pod/r2 condition met" },
      { run: "kubectl logs r2", out: "done" },
      {
        run: "kubectl get pod r1 -o jsonpath='{.spec.containers[0].env[0].value} {.metadata.labels.x}'",
        out: "b y",
      },
    ],
  },
  {
    verb: "run",
    form: "-i, -it, --rm, --attach, --quiet",
    own: true,
    steps: [
      {
        run: "kubectl run i1 -i --rm --restart=Never --image=busybox -q -- cat",
        input: "through\n",
        out: /^through\n/,
      },
      {
        run: "kubectl run i2 --attach --restart=Never --image=busybox -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo hello; sleep 0.2; done; exit 3'",
        exit: 3,
        out: /hello/,
      },
      {
        run: `script -qec "kubectl run i3 -it --rm --restart=Never --image=busybox -- sh -c 'read line; test -t 0 && echo terminal: \\$line'" /dev/null`,
        input: "typed\n",
        out: /terminal: typed\r\n(.*\n)*pod "i3" deleted/,
      },
      { run: "kubectl get pods -o name", out: "pod/i2" },
    ],
  },
];
