// `kubectl describe` of every kind (nodes are in nodes.ts).
import type { SurfaceCase } from "../case.ts";

export const describeCases: readonly SurfaceCase[] = [
  {
    verb: "describe",
    form: "deployment, replicaset",
    steps: [
      {
        run: "kubectl describe deploy web",
        out: /^Name: +web\nNamespace: +\S+\nCreationTimestamp: .*\nLabels: +app=web\n +tier=front\nAnnotations: +deployment.kubernetes.io\/revision: 1\n(.*\n)*Selector: +app=web\nReplicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable\nStrategyType: +RollingUpdate\nMinReadySeconds: +0\nRollingUpdateStrategy: +25% max unavailable, 25% max surge\nPod Template:\n {2}Labels: +app=web\n {2}Containers:\n {3}web:\n {4}Image: +nginx:1.27\n {4}Port: +80\/TCP( \(http\))?\n(.*\n)*Conditions:\n {2}Type +Status +Reason\n {2}-+ +-+ +-+\n {2}Available +True +MinimumReplicasAvailable\n {2}Progressing +True +NewReplicaSetAvailable\nOldReplicaSets: +<none>\nNewReplicaSet: +web-\w+ \(2\/2 replicas created\)\nEvents:\n {2}Type +Reason +Age +From +Message\n.*\n {2}Normal +ScalingReplicaSet +\S+ +deployment-controller +Scaled up replica set web-\w+ (from 0 )?to 2\n$/,
      },
      {
        run: "kubectl describe rs -l app=web",
        out: /^Name: +web-\w+\n(.*\n)*Controlled By: +Deployment\/web\nReplicas: +2 current \/ 2 desired\nPods Status: +2 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed\nPod Template:\n(.*\n)*Events:\n(.*\n){2}( {2}Normal +SuccessfulCreate +\S+ +replicaset-controller +Created pod: web-\S+\n){2}$/,
      },
    ],
  },
  {
    verb: "describe",
    form: "pod",
    steps: [
      {
        run: "kubectl describe pod shell",
        out: /^Name: +shell\nNamespace: +\S+\nPriority: +0\nService Account: +default\nNode: +node-\d\/127\.\S+\nStart Time: .*\nLabels: +app=shell\nAnnotations: .*\n(.*\n)*Status: +Running\nIP: +127\S+\nIPs:\n {2}IP: +127\S+\nContainers:\n {2}main:\n {4}Container ID: +\w+:\/\/\S+\n {4}Image: +busybox:1.36\n {4}Image ID: +\S+\n {4}Port: +<none>\n {4}Host Port: +<none>\n {4}Command:\n(.*\n)+ {4}State: +Running\n {6}Started: .*\n {4}Ready: +True\n {4}Restart Count: +0\n {4}Environment:\n {6}COLOUR: +blue\n {4}Mounts:\n/,
      },
      {
        run: "kubectl describe pod shell",
        out: /\nConditions:\n {2}Type +Status\n(.*\n)* {2}Initialized +True *\n {2}Ready +True *\n {2}ContainersReady +True *\n {2}PodScheduled +True *\nVolumes:\n {2}kube-api-access-\w{5}:\n(.*\n)*QoS Class: +BestEffort\nNode-Selectors: +<none>\nTolerations: +node.kubernetes.io\/not-ready:NoExecute op=Exists for \d+s\n +node.kubernetes.io\/unreachable:NoExecute op=Exists for \d+s\nEvents:\n/,
      },
      {
        run: "kubectl describe pod shell",
        out: /Normal +Scheduled +\S+ +default-scheduler +Successfully assigned \S+\/shell to node-\d\n(.*\n)* {2}Normal +(Pulled|Pulling) +\S.* kubelet .*\n(.*\n)* {2}Normal +Created .*\n {2}Normal +Started /,
      },
    ],
  },
  {
    verb: "describe",
    form: "service, endpoints, endpointslice",
    steps: [
      {
        run: "kubectl describe svc web",
        out: /^Name: +web\nNamespace: +\S+\nLabels: +app=web\nAnnotations: (.*\n)+?Selector: +app=web\nType: +ClusterIP\nIP Family Policy: +SingleStack\nIP Families: +IPv4\nIP: +[\d.]+\nIPs: +[\d.]+\nPort: +<unset> +80\/TCP\nTargetPort: +http\/TCP\nEndpoints: +[\d.]+:\d+,[\d.]+:\d+\nSession Affinity: +None\n/,
      },
      {
        run: "kubectl describe endpoints web",
        out: /\nSubsets:\n {2}Addresses: +[\d.]+,[\d.]+\n {2}NotReadyAddresses: +<none>\n {2}Ports:\n {4}Name +Port +Protocol\n {4}---- .*\n {4}<unset> +\d+ +TCP\n/,
      },
      {
        run: "kubectl describe endpointslice -l kubernetes.io/service-name=web",
        out: /\nAddressType: +IPv4\nPorts:\n {2}Name +Port +Protocol\n.*\n {2}<unset> +\d+ +TCP\nEndpoints:\n {2}- Addresses: +[\d.]+\n {4}Conditions:\n {6}Ready: +true\n/,
      },
    ],
  },
  {
    verb: "describe",
    form: "configmap, secret, serviceaccount, namespace, priorityclass, replicationcontroller, lease",
    files: {
      "rc.yaml":
        "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: desc-rc}\nspec: {replicas: 0, selector: {a: b}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}\n",
    },
    steps: [
      {
        run: "kubectl describe cm settings",
        // Old kubectls print the keys in Go's order of a map: none.
        out: /^Name: +settings\n(?=(.*\n)*Data\n====\n)(?=(.*\n)*colour:\n----\nblue\n)(?=(.*\n)*shape:\n----\nround\n)/,
      },
      {
        run: "kubectl describe secret password",
        out: /\nType: +Opaque\n\nData\n====\npassword: +6 bytes\n$/,
      },
      {
        run: "kubectl describe sa default",
        out: /\nImage pull secrets: +<none>\nMountable secrets: +<none>\nTokens: +<none>\nEvents: +<none>\n$/,
      },
      {
        run: "kubectl describe ns $NS",
        out: /\nStatus: +Active\n\nNo resource quota.\n\nNo LimitRange resource.\n$/,
      },
      {
        run: "kubectl describe pc system-node-critical",
        out: /^Name: +system-node-critical\nValue: +2000001000\nGlobalDefault: +false\n/,
      },
      "kubectl create -f rc.yaml",
      {
        run: "kubectl describe rc desc-rc",
        out: /\nSelector: +a=b\n(.*\n)*Replicas: +0 current \/ 0 desired\nPods Status: +0 Running \/ 0 Waiting/,
      },
      { run: "kubectl describe lease node-1 -n kube-node-lease", out: /Holder Identity: +node-1/ },
    ],
  },
  {
    verb: "describe",
    form: "-l, -f, -A, --show-events, TYPE PREFIX, absent",
    files: { "cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n" },
    steps: [
      { run: "kubectl describe -f cm.yaml", out: /^Name: +settings\n/ },
      { run: "kubectl describe pods web- | grep -c '^Name:'", out: "2" },
      { run: "kubectl describe pods -l app=shell --show-events=false | grep -c Events", exit: 1, out: "0" },
      {
        run: "kubectl describe cm absent",
        exit: 1,
        err: 'Error from server (NotFound): configmaps "absent" not found',
      },
    ],
  },
];
