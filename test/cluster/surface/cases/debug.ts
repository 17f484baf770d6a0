// `kubectl debug` in its three forms: a container beside those of a pod, a copy of a pod, and a node.

import type { SurfaceCase } from "../case.ts";
import { idlePod } from "../fixture.ts";

const START = [
  "kubectl create -f app.yaml",
  { run: "kubectl wait --for=condition=Ready pod/app --timeout=60s", out: "pod/app condition met" },
];

export const debugCases: readonly SurfaceCase[] = [
  {
    verb: "debug",
    form: "POD --image, -c, --env, -i, -it, -q, --attach; attach, describe pod",
    own: true,
    files: { "app.yaml": idlePod("app") },
    steps: [
      ...START,
      "kubectl debug app --image=busybox -c one --env=WORD=ready -- sh -c 'echo $WORD in $HOSTNAME'",
      { run: "kubectl logs app -c one", out: "ready in app", retry: true },
      {
        run: "kubectl debug -i -q app --image=busybox -c two -- sh -c 'read line; echo got $line'",
        input: "words\n",
        out: "got words",
      },
      {
        run: `script -qec "kubectl debug -it app --image=busybox -- sh -c 'test -t 0 && read line && echo heard \\$line'" /dev/null`,
        input: "words\n",
        out: /Defaulting debug container name to debugger-\w{5}\.\r?\n[\s\S]*heard words\r?\n/,
      },
      {
        run: "kubectl debug -i app --image=busybox -c later --attach=false -- sh -c 'read line; echo got $line'",
        out: "",
      },
      { run: "kubectl attach -i app -c later", input: "it\n", out: "got it", retry: true },
      {
        run: "kubectl describe pod app",
        out: /\nEphemeral Containers:\n {2}one:\n {4}Container ID: +\S+\n {4}Image: +busybox\n {4}Image ID: +\S+\n {4}Port: +<none>\n {4}Host Port: +<none>\n {4}Command:\n {6}sh\n {6}-c\n {6}echo \$WORD in \$HOSTNAME\n {4}State: +Terminated\n {6}Reason: +Completed\n {6}Exit Code: +0\n {6}Started: .*\n {6}Finished: .*\n {4}Ready: +False\n {4}Restart Count: +0\n {4}Environment:\n {6}WORD: +ready\n {4}Mounts: +<none>\n {2}two:\n/,
        retry: true,
      },
      { run: "kubectl get pod app --no-headers", out: /^app +1\/1 +Running +0 +\S+\n$/ },
      { run: "kubectl debug app", exit: 1, err: /you must specify --image when not using --copy-to/ },
      { run: "kubectl debug absent --image=busybox", exit: 1, err: /\(NotFound\): pods "absent" not found/ },
    ],
  },
  {
    verb: "debug",
    form: "POD --image --target; --copy-to --share-processes",
    own: true,
    differs:
      "the container runs beside the target, and --share-processes gets a Warning: every process of the machine is seen anyway",
    files: { "app.yaml": idlePod("app") },
    steps: [
      ...START,
      {
        run: "kubectl debug -i app --image=busybox --target=main -- sh -c 'read line; echo got $line'",
        input: "words\n",
        out: /^Targeting container "main"\. .*\n(.*\n)*got words\n$/,
      },
      {
        run: "kubectl get pod app -o jsonpath='{.spec.ephemeralContainers[*].targetContainerName}'",
        out: "main",
      },
      {
        run: "kubectl debug app --image=busybox --target=nope",
        exit: 1,
        err: /The Pod "app" is invalid: spec\.ephemeralContainers\[1\]\.targetContainerName: Not found: "nope"/,
      },
      {
        run: "kubectl debug app --copy-to=copy --image=busybox --share-processes -- sleep 3600",
        err: /Warning: spec\.shareProcessNamespace: kubemu accepts this field and does not act on it/,
      },
      { run: "kubectl get pod copy -o jsonpath='{.spec.shareProcessNamespace}'", out: "true" },
    ],
  },
  {
    verb: "debug",
    form: "POD --copy-to, --set-image, --image, --container, --same-node, --replace",
    own: true,
    files: { "app.yaml": idlePod("app") },
    steps: [
      ...START,
      { run: "kubectl get pod app -o jsonpath='{.spec.nodeName}'", save: "NODE" },
      "kubectl debug app --copy-to=copy --set-image='*=busybox:1.28' --same-node",
      {
        run: 'test "$(kubectl get pod copy -o jsonpath=\'{.spec.nodeName} {.spec.containers[*].image}\')" = "$NODE busybox:1.28"',
      },
      {
        run: "kubectl debug app --copy-to=copy --set-image=main=busybox",
        exit: 1,
        err: /\(AlreadyExists\): pods "copy" already exists/,
      },
      {
        run: "kubectl debug -i app --copy-to=other --container=main -- sh -c 'read line; echo got $line'",
        input: "words\n",
        out: "got words",
      },
      "kubectl debug app --copy-to=newer --replace --image=busybox -c beside -- sleep 3600",
      {
        run: "kubectl get pod newer -o jsonpath='{range .spec.containers[*]}{.name} {.command} {end}'",
        out: 'main ["sleep","3600"] beside ["sleep","3600"] ',
      },
      { run: "kubectl get pod app", exit: 1, err: /pods "app" not found/, retry: true },
    ],
  },
  {
    verb: "debug",
    form: "POD --copy-to --keep-labels, --keep-liveness, --profile=general; --custom",
    since: "1.31",
    own: true,
    files: {
      "app.yaml": idlePod("app", ", livenessProbe: {exec: {command: ['true']}}"),
      "custom.yaml": "env: [{name: WORD, value: ready}]\n",
    },
    steps: [
      {
        run: "kubectl create -f app.yaml && kubectl debug app --copy-to=same --profile=general --keep-labels --keep-liveness --image=busybox -c beside -- sleep 3600",
      },
      {
        run: "kubectl get pod same -o jsonpath='{.metadata.labels} {.spec.containers[0].livenessProbe.exec}'",
        out: '{"app":"app"} {"command":["true"]}',
      },
      "kubectl debug app --copy-to=plain --profile=general --image=busybox -c beside -- sleep 3600",
      {
        run: "kubectl get pod plain -o jsonpath='{.metadata.labels}{.spec.containers[0].livenessProbe}'",
        out: "",
      },
      {
        run: "kubectl debug -i -q app --image=busybox --profile=general --custom=custom.yaml -- sh -c 'read line; echo $line $WORD'",
        input: "is\n",
        out: "is ready",
      },
    ],
  },
  {
    verb: "debug",
    form: "node/NAME",
    own: true,
    differs:
      "the node's files are below `$KUBEMU_ROOT/host`; host namespaces are accepted with a Warning, processes of the machine are seen anyway",
    steps: [
      {
        run: "kubectl debug -i node/node-1 --image=busybox -- sh -c 'read line; ls -d $KUBEMU_ROOT/host/$line'",
        input: "proc\n",
        out: /^Creating debugging pod node-debugger-node-1-\w{5} with container debugger on node node-1\.\n\/.*\/host\/proc\n$/,
      },
      {
        run: "kubectl get pods -o jsonpath='{.items[*].spec.nodeName} {.items[*].spec.hostNetwork} {.items[*].spec.hostPID} {.items[*].spec.volumes[0].hostPath.path}'",
        out: "node-1 true true /",
      },
      { run: "kubectl debug node/absent --image=busybox", exit: 1, err: /nodes "absent" not found/ },
    ],
  },
];
