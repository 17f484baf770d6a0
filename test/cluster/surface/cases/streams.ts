// What reaches into pods: logs, exec, attach, cp, port-forward, and proxy.
import type { SurfaceCase } from "../case.ts";

export const streamCases: readonly SurfaceCase[] = [
  {
    verb: "logs",
    form: "POD, TYPE/NAME, -c, --all-containers, --prefix",
    steps: [
      { run: "kubectl logs shell -c main", out: "one\ntwo\nthree" },
      {
        run: "kubectl logs shell",
        out: "one\ntwo\nthree",
        err: 'Defaulted container "main" out of: main, side',
      },
      // The order of the containers is left to chance by kubectl.
      { run: "kubectl logs shell --all-containers | sort", out: "from the side\none\nthree\ntwo" },
      {
        run: "kubectl logs shell --all-containers --prefix --tail=1 | sort",
        out: "[pod/shell/main] three\n[pod/shell/side] from the side",
      },
      {
        run: "kubectl logs deploy/web --tail=1",
        out: /./,
        err: /Found 2 pods, using pod\/web-/,
        retry: true,
      },
      { run: "kubectl logs shell -c nope", exit: 1, err: /container nope is not valid for pod shell/ },
      { run: "kubectl logs absent", exit: 1, err: /pods "absent" not found/ },
    ],
  },
  {
    verb: "logs",
    form: "--tail, --since, --since-time, --timestamps, --limit-bytes",
    steps: [
      { run: "kubectl logs shell -c main --tail=2", out: "two\nthree" },
      {
        run: "kubectl logs shell -c main --since=1h --timestamps",
        out: /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z (one|two|three)\n){3}$/,
      },
      { run: "kubectl logs shell -c main --since-time=2100-01-01T00:00:00Z", out: "" },
      { run: "kubectl logs shell -c main --limit-bytes=5", out: /^one\nt$/ },
    ],
  },
  {
    verb: "logs",
    form: "-l, --max-log-requests, --ignore-errors",
    steps: [
      {
        run: "kubectl logs -l app=web --prefix --tail=1",
        out: /^\[pod\/web-\S+\/web\] .*\n\[pod\/web-\S+\/web\] /,
      },
      {
        run: "kubectl logs -f -l app=web --max-log-requests=1",
        exit: 1,
        err: /you are attempting to follow 2 log streams, but maximum allowed concurrency is 1/,
      },
    ],
  },
  {
    verb: "logs",
    form: "--all-pods",
    since: "1.31",
    steps: [{ run: "kubectl logs deploy/web --all-pods --tail=1", out: /^(\[pod\/web-\S+\/web\] .*\n){2}/ }],
  },
  {
    verb: "logs",
    form: "-f, -p",
    own: true,
    steps: [
      "kubectl run f --image=busybox -- sh -c 'echo started; i=0; while [ ! -e go ]; do sleep 0.1; done; rm go; echo ended; exit 1'",
      "kubectl wait --for=condition=Ready pod/f",
      { start: "kubectl logs -f f > followed; echo end $? >> followed" },
      { run: "cat followed", retry: true, out: "started" },
      "kubectl exec f -- touch go",
      { run: "cat followed", retry: true, out: "started\nended\nend 0" },
      { run: "kubectl logs f --previous", retry: true, out: "started\nended" },
    ],
  },
  {
    verb: "exec",
    form: "POD|TYPE/NAME -- COMMAND, -c, -i, exit codes",
    steps: [
      {
        run: "kubectl exec shell -c main -- sh -c 'echo out; echo err >&2; exit 5'",
        exit: 5,
        out: "out",
        err: /^err\n(command terminated with exit code 5)?/,
      },
      { run: "kubectl exec deploy/web -- hostname", out: /^web-\w+-\w{5}\n$/ },
      { run: "kubectl exec -i shell -c side -- sh -c 'tr a-z A-Z'", input: "shout\n", out: "SHOUT" },
      { run: "kubectl exec shell -c main -- printenv COLOUR", out: "blue" },
      {
        run: "kubectl exec shell -c main -- no-such-program",
        exit: 1,
        err: /executable file not found|command terminated with exit code 1|not found/,
      },
      { run: "kubectl exec absent -- true", exit: 1, err: /pods "absent" not found/ },
    ],
  },
  {
    verb: "exec",
    form: "-it (a terminal), -q",
    steps: [
      {
        run: `script -qec "kubectl exec -it shell -c main -- sh -c 'test -t 0 && test -t 1 && echo terminal'" /dev/null`,
        out: /terminal\r\n/,
      },
      {
        run: `script -qec "kubectl exec -it -q shell -- sh -c 'read line; echo got \\$line'" /dev/null`,
        input: "words\n",
        out: /got words\r\n/,
      },
    ],
  },
  {
    verb: "attach",
    form: "POD, -c, -i, -it",
    own: true,
    steps: [
      "kubectl run at --image=busybox -i --restart=Never --attach=false -- sh -c 'while read line; do echo \"heard $line\"; done'",
      "kubectl wait --for=condition=Ready pod/at",
      { run: "kubectl attach -i at -c at", input: "me\n", out: /heard me\n/ },
      { run: "kubectl attach absent", exit: 1, err: /pods "absent" not found/ },
    ],
  },
  {
    verb: "cp",
    form: "to and from a pod, folders, -c, --no-preserve, --retries",
    files: { "up/a.txt": "up\n", "up/deep/b.txt": "deep\n" },
    steps: [
      "kubectl cp up/a.txt shell:a-copy.txt -c main",
      { run: "kubectl exec shell -c main -- cat a-copy.txt", out: "up" },
      "kubectl cp up $NS/shell:copied -c main --no-preserve",
      { run: "kubectl exec shell -c main -- cat copied/deep/b.txt", out: "deep" },
      "kubectl cp shell:copied down -c main --retries=2 && diff -r up down",
      { run: "kubectl cp shell:absent.txt x -c main; ls x", exit: 2, err: /No such file or directory/ },
    ],
  },
  {
    verb: "port-forward",
    form: "POD|svc/NAME|deploy/NAME, LOCAL:REMOTE, named ports, --address",
    steps: [
      {
        start: "kubectl port-forward svc/web :80",
        out: /Forwarding from 127\.0\.0\.1:(\d+) -> \d+/,
        save: "A",
      },
      { fetch: "http://127.0.0.1:$A/", out: /./ },
      {
        start: "kubectl port-forward --address localhost deploy/web :http",
        out: /Forwarding from 127\.0\.0\.1:(\d+) -> \d+/,
        save: "B",
      },
      { fetch: "http://127.0.0.1:$B/", out: /./ },
      { run: "kubectl get pods -l app=web -o jsonpath='{.items[0].metadata.name}'", save: "POD" },
      {
        start: 'kubectl port-forward "$POD" :80',
        out: /Forwarding from 127\.0\.0\.1:(\d+) -> \d+/,
        save: "C",
      },
      { fetch: "http://127.0.0.1:$C/", out: /./ },
      {
        run: "kubectl port-forward svc/web :81",
        exit: 1,
        err: /Service web does not have a service port 81/,
      },
    ],
  },
  {
    verb: "proxy",
    form: "--port, --www, --api-prefix, --reject-paths, --unix-socket",
    files: { "www/index.html": "static" },
    steps: [
      {
        start: "kubectl proxy --port=0 --www=www --www-prefix=/static/",
        out: /Starting to serve on 127\.0\.0\.1:(\d+)/,
        save: "A",
      },
      { fetch: "http://127.0.0.1:$A/api/v1/namespaces/$NS/pods/shell", out: /"kind":"Pod"/ },
      { fetch: "http://127.0.0.1:$A/static/", out: "static" },
      { fetch: "http://127.0.0.1:$A/api/v1/namespaces/$NS/services/web/proxy/", out: /./ },
      {
        run: "curl -s -o /dev/null -w '%{http_code}' -X POST http://127.0.0.1:$A/api/v1/namespaces/$NS/pods/shell/exec",
        out: "403",
      },
      {
        start: "kubectl proxy --port=0 --api-prefix=/k8s --reject-paths='^/k8s/version'",
        out: /127\.0\.0\.1:(\d+)/,
        save: "B",
      },
      { fetch: "http://127.0.0.1:$B/k8s/api/v1/namespaces/$NS", out: /"kind":"Namespace"/ },
      { start: "kubectl proxy --unix-socket=proxy.sock", out: /Starting to serve on proxy.sock/ },
      { run: "curl -s --unix-socket proxy.sock http://localhost/healthz", out: "ok" },
    ],
  },
];
