// What every kubectl version finds in its namespace before its cases run; cases only read it.

export const FIXTURE = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, tier: front}
  annotations: {note: fixture}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        ports: [{containerPort: 80, name: http}]
        resources: {requests: {cpu: 10m, memory: 16Mi}}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {app: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: v1
kind: Pod
metadata:
  name: shell
  labels: {app: shell}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:1.36
    command: [sh, -c, "echo one; echo two; echo three; exec sleep 3600"]
    env: [{name: COLOUR, value: blue}]
  - name: side
    image: busybox:1.36
    command: [sh, -c, "echo from the side; exec sleep 3600"]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: {app: web}
data: {colour: blue, shape: round}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {password: s3cret}
`;

/** The node that is kept free of pods, for the cases that change a node. */
export const SPARE_NODE = "node-3";

/** A Deployment (or another kind of apps) without pods, for cases that only write. */
export const idle = (name: string, replicas = 0, kind = "Deployment") => `apiVersion: apps/v1
kind: ${kind}
metadata:
  name: ${name}
  labels: {app: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: nginx:1.27
        ports: [{containerPort: 80}]
`;

/** A pod that does nothing and ends at once when it is told to; `extra` goes into its container. */
export const idlePod = (name: string, extra = "") => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: busybox, command: [sleep, "3600"]${extra}}]
`;

export const configMap = (name: string, value: string, labels = "{}") => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  labels: ${labels}
data: {key: ${value}}
`;
