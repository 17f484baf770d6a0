// Data: what a Drill file may hold, field by field. The check, the JSON schema and the list of what is allowed come from here.
import type { Field, FieldsShape, Shape } from "./shape.ts";

const text: Shape = { type: "text" };
const duration: Shape = { type: "duration" };
const flag: Shape = { type: "flag" };
const count = (least: number, most = 1_000_000): Shape => ({ type: "number", least, most, whole: true });
const percent: Shape = { type: "number", least: 0, most: 100 };
const word = (pattern: RegExp, like: string): Shape => ({ type: "text", pattern, like });

const LABEL = "[a-z0-9]([-a-z0-9.]*[a-z0-9])?";
const workload = word(
  new RegExp(`^(deployment|statefulset|daemonset)/${LABEL}$`),
  "a workload such as deployment/web",
);
const podsOf = word(
  new RegExp(`^(any|(deployment|statefulset|daemonset|pod)/${LABEL})$`),
  "any (the pods that serve the traffic), or deployment/NAME, statefulset/NAME, daemonset/NAME or pod/NAME",
);
const object = word(/^[a-z][a-z0-9.]*\/[^/\s]+$/, "an object such as deployment/web");
const node = word(
  new RegExp(`^${LABEL}$`),
  "a node's name, any, serving (one with pods that serve the traffic) or last (the one of the node step before)",
);

const manifest: Shape = {
  type: "either",
  of: [
    {
      type: "fields",
      fields: {
        file: { shape: text, about: "A file or folder, seen from the drill's own.", required: true },
      },
    },
    {
      type: "map",
      of: { type: "any" },
    },
  ],
  said: "{file: PATH} or an object",
};
const manifests: Shape = { type: "list", of: manifest };

const conditionFields: Readonly<Record<string, Field>> = {
  recovered: {
    shape: flag,
    about: "Every workload has its replicas Ready and every fault before has been recovered from.",
  },
  rolledOut: { shape: workload, about: "That workload's rollout is finished." },
  ready: {
    shape: {
      type: "fields",
      fields: {
        workload: { shape: workload, about: "The workload.", required: true },
        replicas: { shape: count(0), about: "It has so many Ready pods.", required: true },
      },
    },
    about: "A workload has so many Ready pods.",
  },
  nodeReady: { shape: node, about: "The node is Ready." },
  nodeNotReady: { shape: node, about: "The node is not Ready." },
  sent: { shape: count(1, 1e9), about: "So many requests have been sent." },
};
const condition: FieldsShape = {
  type: "fields",
  fields: conditionFields,
  oneOf: { names: Object.keys(conditionFields), what: "condition" },
};

const onNode = (about: string, fallback?: string): Field => ({
  about,
  shape: {
    type: "fields",
    fields: {
      node: {
        shape: node,
        about: "A node's name, any, serving or last.",
        ...(fallback ? { fallback } : { required: true }),
      },
    },
  },
});
const onTarget = (about: string, more: Readonly<Record<string, Field>> = {}, target = workload): Field => ({
  about,
  shape: {
    type: "fields",
    fields: { target: { shape: target, about: "TYPE/NAME.", required: true }, ...more },
  },
});

const victims: Field = { shape: count(1, 1000), about: "How many of them.", fallback: 1 };

const killFields: Readonly<Record<string, Field>> = {
  pod: { shape: podsOf, about: "All processes of a pod; its object goes too, so that it is replaced." },
  container: {
    shape: podsOf,
    about: "The process of a pod's first container, which is started again in place.",
  },
  node: { shape: node, about: "The node's agent and all its pods." },
  program: {
    shape: { type: "text", choices: ["control-plane", "proxy"] },
    about: "A process of the cluster's own.",
  },
};

const steps: Shape = { type: "list", of: { type: "named", name: "step", shape: () => step }, least: 1 };
const times: Field = { shape: count(1, 10_000), about: "How often.", required: true };

export const VERBS: Readonly<Record<string, Field>> = {
  kill: {
    about: "SIGKILL.",
    shape: {
      type: "fields",
      fields: { ...killFields, count: victims },
      oneOf: { names: Object.keys(killFields), what: "target" },
    },
  },
  delete: {
    about: "Delete pods, as kubectl delete pod does.",
    shape: {
      type: "fields",
      fields: {
        pod: { shape: podsOf, about: "Whose pods.", required: true },
        count: victims,
        gracePeriod: { shape: duration, about: "Instead of the pod's own; whole seconds." },
      },
    },
  },
  pause: onNode("Stop the node's processes where they are, as a hung machine does."),
  resume: onNode("Let a paused node go on.", "last"),
  partition: onNode("Cut the node's agent off from the API; its pods go on."),
  heal: onNode("Take a partition back.", "last"),
  start: onNode("Start a killed or stopped node.", "last"),
  stop: onNode("Shut a node down cleanly."),
  cordon: onNode("No new pods on the node."),
  uncordon: onNode("New pods again.", "last"),
  drain: onNode("Cordon the node and evict its pods, as kubectl drain does."),
  degrade: {
    about:
      "Latency, loss or a cut between Services and pods: from one Service, to one pod, to the pods of one node, or all.",
    shape: {
      type: "fields",
      fields: {
        service: { shape: text, about: "From this Service only." },
        pod: { shape: podsOf, about: "To one of these pods only." },
        node: { shape: node, about: "To the pods of this node only." },
        latency: { shape: duration, about: "Bytes and connects arrive so much later, in each direction." },
        jitter: { shape: duration, about: "Up to so much later again, by chance." },
        loss: {
          shape: { type: "number", least: 0, most: 1 },
          about: "The share that is lost at first and sent again, as TCP does.",
        },
        cut: { shape: flag, about: "Nothing arrives." },
      },
    },
  },
  delayEndpoints: {
    about: "Proxies act on changes of endpoints so much later, and no pod waits for them.",
    shape: {
      type: "fields",
      fields: {
        lag: { shape: duration, about: "So much later.", required: true },
        service: { shape: text, about: "Of this Service only." },
      },
    },
  },
  restore: { about: "End what degrade and delayEndpoints began.", shape: { type: "fields", fields: {} } },
  apply: {
    about: "Apply manifests.",
    shape: {
      type: "fields",
      fields: { manifests: { shape: manifests, about: "Files or objects.", required: true } },
    },
  },
  patch: onTarget(
    "Patch an object.",
    {
      patch: { shape: { type: "any" }, about: "The patch.", required: true },
      type: {
        shape: { type: "text", choices: ["merge", "strategic", "json"] },
        about: "Its type.",
        fallback: "merge",
      },
    },
    object,
  ),
  scale: onTarget("Set how many replicas.", {
    replicas: { shape: count(0, 10_000), about: "So many.", required: true },
  }),
  setImage: onTarget("Set a container's image.", {
    image: { shape: text, about: "The image.", required: true },
    container: { shape: text, about: "The container's name; * for all.", fallback: "*" },
  }),
  rolloutRestart: onTarget("Replace all pods by the workload's strategy."),
  rolloutUndo: onTarget("Go back to an earlier revision.", {
    toRevision: { shape: count(0), about: "Which; 0 for the one before.", fallback: 0 },
  }),
  wait: { about: "Nothing, until a condition holds.", shape: condition },
  repeat: {
    about: "Steps, again and again.",
    shape: {
      type: "fields",
      fields: { times, steps: { shape: steps, about: "One after another.", required: true } },
    },
  },
  mix: {
    about: "One of the steps by chance, so often; the seed decides.",
    shape: {
      type: "fields",
      fields: { times, of: { shape: steps, about: "The steps to draw from.", required: true } },
    },
  },
};

const step: FieldsShape = {
  type: "fields",
  fields: {
    name: { shape: text, about: "Shown in the timeline." },
    at: { shape: duration, about: "Not before so long after the traffic began." },
    after: { shape: duration, about: "So long after the step before was done." },
    when: { shape: condition, about: "Once this holds." },
    within: { shape: duration, about: "How long a condition may take to hold.", fallback: "60s" },
    ...VERBS,
  },
  oneOf: { names: Object.keys(VERBS), what: "action" },
};

const trafficExpect: Readonly<Record<string, Field>> = {
  availability: { shape: percent, about: "At least, in percent of the requests." },
  failed: { shape: count(0, 1e9), about: "At most so many requests." },
  refused: { shape: count(0, 1e9), about: "At most so many requests that got no connection." },
  longestOutage: { shape: duration, about: "At most so long without an answer." },
  p50: { shape: duration, about: "Half of the latencies are at most this." },
  p99: { shape: duration, about: "99 % of the latencies are at most this." },
  p999: { shape: duration, about: "99.9 % of the latencies are at most this." },
  rate: { shape: percent, about: "At least so much of the rate was really sent, in percent." },
};

const traffic: FieldsShape = {
  type: "fields",
  fields: {
    name: { shape: text, about: "Shown in the report; the Service's where absent." },
    service: {
      shape: word(new RegExp(`^${LABEL}$`), "a Service's name"),
      about: "The Service.",
      required: true,
    },
    namespace: { shape: text, about: "The Service's, where it is another than the drill's." },
    port: {
      shape: { type: "either", of: [count(1, 65_535), text], said: "a port's name or number" },
      about: "Of the Service; its first where absent.",
    },
    path: { shape: word(/^\//, "a path that begins with /"), about: "With its query.", fallback: "/" },
    rate: {
      shape: { type: "number", least: 0.1, most: 100_000 },
      about: "Requests per second.",
      required: true,
    },
    connections: {
      shape: { type: "text", choices: ["new", "kept"] },
      about: "A new one for each request, or kept-alive ones.",
      fallback: "new",
    },
    method: {
      shape: { type: "text", choices: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] },
      about: "The requests' method.",
      fallback: "GET",
    },
    headers: { shape: { type: "map", of: text }, about: "The requests' headers.", fallback: {} },
    body: { shape: text, about: "The requests' body.", fallback: "" },
    bodyBytes: { shape: count(0, 10_000_000), about: "A body of so many bytes instead." },
    timeout: { shape: duration, about: "A request without an answer by then has failed.", fallback: "10s" },
    status: {
      shape: { type: "list", of: count(100, 599) },
      about: "The codes that count as served; any 2xx or 3xx where absent.",
      fallback: [],
    },
    expect: {
      shape: { type: "fields", fields: trafficExpect },
      about: "Of this traffic alone.",
      fallback: {},
    },
  },
};

const spec: FieldsShape = {
  type: "fields",
  fields: {
    description: { shape: text, about: "One line for kubemu drill list.", fallback: "" },
    seed: { shape: count(0, 2 ** 32 - 1), about: "Decides what chance decides.", fallback: 1 },
    namespace: {
      shape: word(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "a namespace's name"),
      about: "For objects without one; drill-NAME where absent.",
    },
    duration: { shape: duration, about: "The traffic lasts at least so long.", fallback: "0" },
    settle: {
      shape: duration,
      about: "How long the cluster may take to recover after the last step.",
      fallback: "60s",
    },
    setup: {
      shape: {
        type: "fields",
        fields: {
          manifests: { shape: manifests, about: "Applied before the traffic begins.", fallback: [] },
          ready: { shape: duration, about: "How long they may take to be Ready.", fallback: "60s" },
        },
      },
      about: "What the drill needs.",
      fallback: {},
    },
    traffic: { shape: { type: "list", of: traffic }, about: "Who sends what, meanwhile.", fallback: [] },
    steps: {
      shape: { type: "list", of: { type: "named", name: "step", shape: () => step } },
      about: "What happens, in order.",
      fallback: [],
    },
    expect: {
      shape: {
        type: "fields",
        fields: {
          ...trafficExpect,
          endpointGone: {
            shape: duration,
            about: "At most, from each fault until its victims get no connections.",
          },
          replacementReady: {
            shape: duration,
            about: "At most, from each fault until a replacement is Ready.",
          },
          fullReplicas: { shape: duration, about: "At most, from each fault until all replicas are Ready." },
          noOrphans: { shape: flag, about: "No process is left that belongs to nobody." },
          rolledOut: {
            shape: { type: "list", of: workload },
            about: "Workloads whose rollouts are finished.",
          },
        },
      },
      about: "What must hold in the end.",
      fallback: {},
    },
  },
};

export const drillShape: FieldsShape = {
  type: "fields",
  fields: {
    apiVersion: { shape: { type: "text", choices: ["kubemu.dev/v1alpha1"] }, about: "", required: true },
    kind: { shape: { type: "text", choices: ["Drill"] }, about: "", required: true },
    metadata: {
      shape: {
        type: "fields",
        fields: {
          name: {
            shape: word(/^[a-z0-9]([-a-z0-9]{0,45}[a-z0-9])?$/, "a DNS label of at most 47 characters"),
            about: "The drill's name.",
            required: true,
          },
        },
      },
      about: "",
      required: true,
    },
    spec: { shape: spec, about: "", required: true },
  },
};
