// `kubectl describe` of every kind (nodes are in nodes.ts).
import type { SurfaceCase } from "../case.ts";

/** Objects that each have a description of their own; their pods are three. */
const WORKLOADS = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: main, image: busybox, command: [sleep, "3600"], volumeMounts: [{name: data, mountPath: /data}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: every}
spec:
  selector: {matchLabels: {app: every}}
  template:
    metadata: {labels: {app: every}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {kubernetes.io/hostname: node-1}
      containers: [{name: main, image: busybox, command: [sleep, "3600"]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox, command: [echo, done]}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: yearly}
spec:
  schedule: 0 0 1 1 *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: busybox, command: [echo, done]}]
`;

const AROUND = `apiVersion: v1
kind: ResourceQuota
metadata: {name: few}
spec: {hard: {pods: "5", requests.cpu: "2"}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: sizes}
spec: {limits: [{type: Container, default: {cpu: 100m}, defaultRequest: {cpu: 10m}, max: {cpu: "1"}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: most}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  maxReplicas: 1
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, annotations: {note: one}}
spec:
  ingressClassName: kubemu
  tls: [{hosts: [shop.example.com], secretName: certificate}]
  defaultBackend: {service: {name: web, port: {number: 80}}}
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
      - {path: /old, pathType: Exact, backend: {service: {name: absent, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
  - ports: [{port: 80}]
    from: [{podSelector: {matchLabels: {app: db}}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]
  egress: [{}]
`;

/** Of the whole cluster, so each namespace has its own. */
const RUNTIME_CLASS =
  "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: NAME}\nhandler: fast\n";

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
    form: "statefulset, daemonset, job, cronjob, persistentvolumeclaim, persistentvolume, storageclass",
    own: true,
    files: { "workloads.yaml": WORKLOADS },
    steps: [
      "kubectl create -f workloads.yaml",
      {
        run: "kubectl describe sts db",
        out: /^Name: +db\nNamespace: +\S+\nCreationTimestamp: .*\nSelector: +app=db\nLabels: +<none>\nAnnotations: +<none>\nReplicas: +1 desired \| 1 total\nUpdate Strategy: +RollingUpdate\n {2}Partition: +0\n {2}MaxUnavailable: +1\nPods Status: +1 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed\nPod Template:\n {2}Labels: +app=db\n {2}Containers:\n {3}main:\n(.*\n)* {4}Mounts:\n {6}\/data from data \(rw\)\n(.*\n)*Volume Claims:\n {2}Name: +data\n {2}StorageClass: *\n {2}Labels: +<none>\n {2}Annotations: +<none>\n {2}Capacity: +1Mi\n {2}Access Modes: +\[ReadWriteOnce\]\nEvents:\n(.*\n){2} {2}Normal +SuccessfulCreate +\S+ +statefulset-controller +create Claim data-db-0 Pod db-0 in StatefulSet db success\n {2}Normal +SuccessfulCreate +\S+ +statefulset-controller +create Pod db-0 in StatefulSet db successful\n$/,
        retry: true,
      },
      {
        run: "kubectl describe ds every",
        out: /^Name: +every\n(Namespace: +\S+\n)?Selector: +app=every\nNode-Selector: +kubernetes\.io\/hostname=node-1\nLabels: +<none>\nAnnotations: +deprecated\.daemonset\.template\.generation: 1\nDesired Number of Nodes Scheduled: 1\nCurrent Number of Nodes Scheduled: 1\nNumber of Nodes Scheduled with Up-to-date Pods: 1\nNumber of Nodes Scheduled with Available Pods: 1\nNumber of Nodes Misscheduled: 0\nPods Status: +1 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed\nPod Template:\n(.*\n)*Events:\n(.*\n){2} {2}Normal +SuccessfulCreate +\S+ +daemonset-controller +Created pod: every-\w{5}\n$/,
        retry: true,
      },
      {
        run: "kubectl describe job once",
        out: /^Name: +once\nNamespace: +\S+\nSelector: +batch\.kubernetes\.io\/controller-uid=\S+\nLabels: +batch\.kubernetes\.io\/controller-uid=\S+\n +batch\.kubernetes\.io\/job-name=once\n +controller-uid=\S+\n +job-name=once\nAnnotations: +<none>\nParallelism: +1\nCompletions: +1\nCompletion Mode: +NonIndexed\n(Suspend: +false\nBackoff Limit: +6\n)?Start Time: +\w.*\nCompleted At: +\w.*\nDuration: +\d\S*\nPods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed\nPod Template:\n(.*\n)*Events:\n(.*\n){2} {2}Normal +SuccessfulCreate +\S+ +job-controller +Created pod: once-\w{5}\n {2}Normal +Completed +\S+ +job-controller +Job completed\n$/,
        retry: true,
      },
      {
        run: "kubectl describe cronjob yearly",
        out: /^Name: +yearly\nNamespace: +\S+\nLabels: +<none>\nAnnotations: +<none>\nSchedule: +0 0 1 1 \*\nConcurrency Policy: +Allow\nSuspend: +False\nSuccessful Job History Limit: +3\nFailed Job History Limit: +1\nStarting Deadline Seconds: +<unset>\nSelector: +<unset>\nParallelism: +<unset>\nCompletions: +<unset>\nPod Template:\n {2}Labels: +<none>\n {2}Containers:\n(.*\n)*Last Schedule Time: +<unset>\nActive Jobs: +<none>\nEvents:/,
      },
      {
        run: "kubectl describe pvc data-db-0",
        out: /^Name: +data-db-0\nNamespace: +\S+\nStorageClass: +standard\nStatus: +Bound\nVolume: +pvc-\S+\nLabels: +app=db\nAnnotations: +pv\.kubernetes\.io\/bind-completed: yes\n +pv\.kubernetes\.io\/bound-by-controller: yes\n(.*\n)*Finalizers: +\[kubernetes\.io\/pvc-protection\]\nCapacity: +1Mi\nAccess Modes: +RWO\nVolumeMode: +Filesystem\nUsed By: +db-0\nEvents:\n(?=(.*\n)* {2}Normal +ExternalProvisioning .* persistentvolume-controller +Waiting for a volume to be created)(.*\n)* {2}Normal +ProvisioningSucceeded .* Successfully provisioned volume pvc-/,
      },
      { run: "kubectl get pvc data-db-0 -o jsonpath='{.spec.volumeName}'", save: "VOLUME" },
      {
        run: 'kubectl describe pv "$VOLUME"',
        out: /^Name: +pvc-\S+\nLabels: +<none>\nAnnotations: +pv\.kubernetes\.io\/provisioned-by: \S+\nFinalizers: +\[(\S+ )?kubernetes\.io\/pv-protection\]\nStorageClass: +standard\nStatus: +Bound\nClaim: +\S+\/data-db-0\nReclaim Policy: +Delete\nAccess Modes: +RWO\nVolumeMode: +Filesystem\nCapacity: +1Mi\nNode Affinity: +<none>\nMessage: *\nSource:\n {4}Type: +HostPath \(bare host directory volume\)\n {4}Path: +\/.*\n {4}HostPathType: +Directory\nEvents: +<none>\n$/,
      },
      {
        run: "kubectl describe sc standard",
        out: /^Name: +standard\nIsDefaultClass: +Yes\nAnnotations: +storageclass\.kubernetes\.io\/is-default-class=true\nProvisioner: +\S+\nParameters: +<none>\nAllowVolumeExpansion: +True\nMountOptions: +<none>\nReclaimPolicy: +Delete\nVolumeBindingMode: +Immediate\nEvents: +<none>\n$/,
      },
    ],
  },
  {
    verb: "describe",
    form: "horizontalpodautoscaler, poddisruptionbudget, ingress, ingressclass, networkpolicy, resourcequota, limitrange, runtimeclass",
    own: true,
    files: { "around.yaml": AROUND, "class.yaml": RUNTIME_CLASS },
    steps: [
      "kubectl create -f around.yaml",
      {
        run: "kubectl describe quota few",
        out: /^Name: +few\nNamespace: +\S+\nResource +Used +Hard\n-+ +-+ +-+\npods +1 +5\nrequests\.cpu +10m +2\n$/,
        retry: true,
      },
      {
        run: "kubectl describe limits sizes",
        out: /^Name: +sizes\nNamespace: +\S+\nType +Resource +Min +Max +Default Request +Default Limit +Max Limit\/Request Ratio\n-+ .*\nContainer +cpu +- +1 +10m +100m +-\n$/,
      },
      {
        run: "kubectl describe ns $NS",
        out: /\nStatus: +Active\n\nResource Quotas?\n {2}Name: +few\n {2}Resource +Used +Hard\n {2}-+ +-+ +-+\n {2}pods +1 +5\n {2}requests\.cpu +10m +2\n\nResource Limits\n Type +Resource +Min +Max +Default Request +Default Limit +Max Limit\/Request Ratio\n -+ .*\n Container +cpu +- +1 +10m +100m +-\n/,
      },
      {
        // Seen before its pods there is an event that it has none.
        run: "kubectl describe pdb most",
        out: /^Name: +most\nNamespace: +\S+\nMax unavailable: +1\nSelector: +app=web\nStatus:\n {4}Allowed disruptions: +1\n {4}Current: +1\n {4}Desired: +0\n {4}Total: +1\nEvents:( +<none>\n|\n(.*\n){2} {2}Normal +NoPods .*\n)$/,
        retry: true,
      },
      {
        run: "kubectl describe ing front",
        out: /^Name: +front\nLabels: +<none>\nNamespace: +\S+\nAddress: +[\d.]+\nIngress Class: +kubemu\nDefault backend: +web:80 \([\d.]+:\d+\)\nTLS:\n {2}certificate terminates shop\.example\.com\nRules:\n {2}Host +Path +Backends\n {2}---- .*\n {2}shop\.example\.com *\n +\/ +web:80 \([\d.]+:\d+\)\n +\/old +absent:80 \(<error: (endpoints|services) "absent" not found>\)\nAnnotations: +note: one\nEvents:\n(.*\n){2} {2}Normal +Sync +\S.* +kubemu-ingress +Scheduled for sync\n$/,
        retry: true,
      },
      {
        run: "kubectl describe ingressclass kubemu",
        out: /^Name: +kubemu\nLabels: +<none>\nAnnotations: +ingressclass\.kubernetes\.io\/is-default-class: true\nController: +kubemu\.dev\/ingress\nEvents: +<none>\n$/,
      },
      {
        run: "kubectl describe netpol guard",
        out: /^Name: +guard\nNamespace: +\S+\nCreated on: +\d.*\nLabels: +<none>\nAnnotations: +<none>\nSpec:\n {2}PodSelector: +app=web\n {2}Allowing ingress traffic:\n {4}To Port: 80\/TCP\n {4}From:\n {6}PodSelector: app=db\n {4}From:\n {6}IPBlock:\n {8}CIDR: 10\.0\.0\.0\/8\n {8}Except: 10\.1\.0\.0\/16\n {2}Allowing egress traffic:\n {4}To Port: <any> \(traffic allowed to all ports\)\n {4}To: <any> \(traffic not restricted by destination\)\n {2}Policy Types: Ingress, Egress\n$/,
      },
      "sed s/NAME/$NS/ class.yaml | kubectl create -f -",
      {
        run: "kubectl describe runtimeclass $NS && kubectl delete runtimeclass $NS",
        out: /^Name: +\S+\nNamespace: *\nLabels: +<none>\nAnnotations: +<none>\nAPI Version: +node\.k8s\.io\/v1\nHandler: +fast\nKind: +RuntimeClass\nMetadata:\n {2}Creation Timestamp: .*\n {2}Resource Version: +\d+\n {2}UID: +\S+\nEvents: +<none>\n/,
      },
      {
        run: "kubectl describe hpa web",
        out: /^Name: +web\nNamespace: +\S+\nLabels: +<none>\nAnnotations: +<none>\nCreationTimestamp: .*\nReference: +Deployment\/web\nMetrics: +\( current \/ target \)\n {2}resource cpu on pods +\(as a percentage of request\): +\d+% \(\d+m?\) \/ 80%\nMin replicas: +1\nMax replicas: +1\nDeployment pods: +1 current \/ 1 desired\nConditions:\n {2}Type +Status +Reason +Message\n.*\n {2}AbleToScale +True +(ReadyForNewScale|ScaleDownStabilized) +\w.*\n {2}ScalingActive +True +ValidMetricFound +the HPA was able to successfully calculate a replica count from cpu resource utilization \(percentage of request\)\n {2}ScalingLimited +(True|False) +(TooFewReplicas|DesiredWithinRange|TooManyReplicas) +the .*\nEvents:/,
        retry: true,
      },
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
