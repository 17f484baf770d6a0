import { describe, expect, it } from "vitest";
import type { Container, EphemeralContainer, Pod, PodSpec } from "../../../../../src/api/generated/types.ts";
import type { ValidationContext } from "../../../../../src/api/kind.ts";
import { podKind } from "../../../../../src/api/kinds/pod.ts";
import type { Draft } from "../../../../../src/api/object.ts";
import { pod, told } from "../examples.ts";

const withContainer = (container: Draft<Container>) =>
  pod({ containers: [{ name: "web", image: "nginx", ...container }] });
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe("validation of pods", () => {
  it("finds nothing wrong with a plain pod", () => {
    expect(told(podKind, pod())).toEqual([]);
  });

  it.each<[string, Draft<PodSpec>, string[]]>([
    ["no containers", { containers: [] }, ["spec.containers: Required value"]],
    [
      "several mistakes at once",
      {
        containers: [{ name: "A_b" }, { name: "x", image: "i" }, { name: "x", image: "i" }],
        restartPolicy: "No",
      },
      [
        `spec.containers[0].name: Invalid value: "A_b": ${label}`,
        "spec.containers[0].image: Required value",
        'spec.containers[2].name: Duplicate value: "x"',
        'spec.restartPolicy: Unsupported value: "No": supported values: "Always", "OnFailure", "Never"',
      ],
    ],
    [
      "a volume that does not exist",
      { containers: [{ name: "a", image: "a", volumeMounts: [{ name: "data", mountPath: "/data" }] }] },
      ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
    ],
    [
      "an init container's probe",
      { initContainers: [{ name: "i", image: "i", readinessProbe: { tcpSocket: { port: 1 } } }] },
      [
        "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
      ],
    ],
    [
      "a toleration",
      { tolerations: [{ operator: "Equal", tolerationSeconds: 3 }] },
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set",
      ],
    ],
    [
      "an affinity term without topology",
      {
        affinity: {
          podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "" }] },
        },
      },
      [
        "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty",
        'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
        expect.stringContaining("name part must consist of alphanumeric characters"),
      ],
    ],
    [
      "addresses and names that cannot be resolved",
      {
        hostAliases: [{ ip: "10.0.0.256", hostnames: ["db", "D_B"] }],
        dnsConfig: {
          nameservers: ["dns", "1.1.1.1", "8.8.8.8", "9.9.9.9"],
          searches: [".", "_tcp.example.com.", "a b"],
          options: [{ value: "2" }],
        },
      },
      [
        'spec.dnsConfig.nameservers: Invalid value: ["dns","1.1.1.1","8.8.8.8","9.9.9.9"]: must not have more than 3 nameservers',
        'spec.dnsConfig.nameservers[0]: Invalid value: "dns": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        "spec.dnsConfig.searches[2]: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')",
        "spec.dnsConfig.options[0]: Required value: must not be empty",
        'spec.hostAliases[0].ip: Invalid value: "10.0.0.256": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        expect.stringMatching(
          /^spec\.hostAliases\[0\]\.hostnames\[1\]: Invalid value: "D_B": a lowercase RFC 1123/,
        ),
      ],
    ],
    [
      "users and groups that no kernel has",
      {
        securityContext: {
          runAsUser: -1,
          fsGroup: 2 ** 31,
          supplementalGroups: [1, -2],
          fsGroupChangePolicy: "Never",
          seccompProfile: { type: "Localhost" },
        },
      },
      [
        "spec.securityContext.fsGroup: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive",
        "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
        "spec.securityContext.supplementalGroups[1]: Invalid value: -2: must be between 0 and 2147483647, inclusive",
        'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"',
        "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
      ],
    ],
    [
      "gates that are named twice, or not at all",
      {
        schedulingGates: [{ name: "a.io/quota" }, { name: "a.io/quota" }],
        readinessGates: [{ conditionType: "a b" }],
        preemptionPolicy: "Sometimes",
      },
      [
        expect.stringMatching(
          /^spec\.readinessGates\[0\]\.conditionType: Invalid value: "a b": name part must/,
        ),
        'spec.schedulingGates[1]: Duplicate value: "a.io/quota"',
        'spec.preemptionPolicy: Unsupported value: "Sometimes": supported values: "PreemptLowerPriority", "Never"',
      ],
    ],
    [
      "another port of the host than its own",
      {
        hostNetwork: true,
        containers: [{ name: "a", image: "a", ports: [{ containerPort: 80, hostPort: 8080 }] }],
      },
      [
        "spec.containers[0].ports[0].hostPort: Invalid value: 8080: must match `containerPort` when `hostNetwork` is true",
      ],
    ],
  ])("%s", (_what, spec, expected) => {
    expect(told(podKind, pod(spec))).toEqual(expected);
  });

  it("keeps a gated pod from having a node already", () => {
    const gated = pod({ nodeName: "node-1", schedulingGates: [{ name: "a.io/quota" }] });
    expect(
      podKind
        .validate?.(gated, { subresource: "", isCreate: true })
        .map(({ field, message }) => [field, message]),
    ).toEqual([["spec.nodeName", "Forbidden: cannot be set until all schedulingGates have been cleared"]]);
    expect(told(podKind, pod({ nodeName: "node-1" }))).toEqual([]);
  });

  it.each<[string, Draft<Container>, string[]]>([
    [
      "a port out of range",
      { ports: [{ containerPort: 70_000 }] },
      [
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
      ],
    ],
    [
      "two ports of one name",
      {
        ports: [
          { name: "http", containerPort: 1 },
          { name: "http", containerPort: 2 },
        ],
      },
      ['spec.containers[0].ports[1].name: Duplicate value: "http"'],
    ],
    [
      "more requested than allowed",
      { resources: { requests: { cpu: "500m" }, limits: { cpu: "200m" } } },
      [
        'spec.containers[0].resources.requests: Invalid value: "500m": must be less than or equal to cpu limit of 200m',
      ],
    ],
    [
      "a probe without a handler",
      { livenessProbe: {}, readinessProbe: { exec: { command: [] } } },
      [
        "spec.containers[0].livenessProbe: Required value: must specify a handler type",
        "spec.containers[0].readinessProbe.exec.command: Required value",
      ],
    ],
    [
      "a field that the downward API does not know",
      { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.color" } } }] },
      [
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.color": error converting fieldPath: field label not supported: spec.color',
      ],
    ],
    [
      "a name no variable can have",
      { env: [{ name: "A=B" }] },
      [
        "spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist only of printable ASCII characters other than '='",
      ],
    ],
    [
      "privileges that contradict each other",
      { securityContext: { privileged: true, allowPrivilegeEscalation: false, runAsGroup: -1 } },
      [
        "spec.containers[0].securityContext.runAsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive",
        'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false,"runAsGroup":-1}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    ],
    [
      "a capability that is an escalation",
      { securityContext: { allowPrivilegeEscalation: false, capabilities: { add: ["CAP_SYS_ADMIN"] } } },
      [
        expect.stringMatching(
          /^spec\.containers\[0\]\.securityContext: .*: cannot set `allowPrivilegeEscalation` to false and `capabilities\.Add` CAP_SYS_ADMIN$/,
        ),
      ],
    ],
    [
      "a hook that sleeps longer than the pod has to end",
      { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
      [
        "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
      ],
    ],
    [
      "a policy for its last words",
      { terminationMessagePolicy: "Log" },
      [
        'spec.containers[0].terminationMessagePolicy: Unsupported value: "Log": supported values: "File", "FallbackToLogsOnError"',
      ],
    ],
  ])("%s", (_what, container, expected) => {
    expect(told(podKind, withContainer(container))).toEqual(expected);
  });

  it.each([
    [
      "Bidirectional",
      false,
      "Forbidden: Bidirectional mount propagation is available only to privileged containers",
    ],
    ["Bidirectional", true, undefined],
    [
      "Sideways",
      true,
      'Unsupported value: "Sideways": supported values: "Bidirectional", "HostToContainer", "None"',
    ],
  ])("lets mounts be seen outside: %s, privileged %s", (mountPropagation, privileged, why) => {
    const volumeMounts = [{ name: "v", mountPath: "/v", mountPropagation }];
    const found = told(
      podKind,
      pod({
        volumes: [{ name: "v", emptyDir: {} }],
        containers: [{ name: "a", image: "a", securityContext: { privileged }, volumeMounts }],
      }),
    );
    expect(found).toEqual(why ? [`spec.containers[0].volumeMounts[0].mountPropagation: ${why}`] : []);
  });
});

it("pods are selected by no podIPs, but may be asked for them", () => {
  expect(podKind.fields?.(pod())).toMatchObject({ "status.podIPs": "", "spec.hostNetwork": "false" });
});

describe("updates of pods", () => {
  it("may change images, and shorten the deadline, and add tolerations", () => {
    const old = pod({ activeDeadlineSeconds: 100 });
    const next = structuredClone(old);
    next.spec.containers[0]!.image = "nginx:1.29";
    next.spec.activeDeadlineSeconds = 50;
    next.spec.tolerations = [{ key: "a", operator: "Exists" }];
    expect(told(podKind, next, old)).toEqual([]);
  });

  it("may not change anything else, and are told what they changed", () => {
    const old = pod();
    const next = structuredClone(old);
    next.spec.containers[0]!.args = ["-v"];
    const [message, ...more] = told(podKind, next, old);
    expect(more).toEqual([]);
    expect(message).toBe(
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n+ spec.containers[0].args: ["-v"]',
    );
  });

  it("may not add containers", () => {
    const old = pod();
    const next = pod({ containers: [...old.spec.containers, { name: "b", image: "b" }] });
    expect(told(podKind, next, old)).toEqual([
      "spec.containers: Forbidden: pod updates may not add or remove containers",
    ]);
  });
});

describe("ephemeral containers", () => {
  const debug = { name: "debug", image: "busybox" };
  const errorsOf = (ephemeralContainers: Draft<EphemeralContainer>[], context: ValidationContext) =>
    podKind
      .validate?.(pod({ ephemeralContainers }), context)
      .map(({ field, message }) => `${field}: ${message}`);
  it.each([
    ["a plain one", debug, []],
    ["a known target", { ...debug, targetContainerName: "web" }, []],
    [
      "an unknown target",
      { ...debug, targetContainerName: "b" },
      ['[0].targetContainerName: Not found: "b"'],
    ],
    ["a name taken", { ...debug, name: "web" }, ['[0].name: Duplicate value: "web"']],
    [
      "ports",
      { ...debug, ports: [{ containerPort: 80 }] },
      ["[0].ports: Forbidden: cannot be set for an Ephemeral Container"],
    ],
    [
      "resources",
      { ...debug, resources: { limits: { cpu: "1" } } },
      ["[0].resources: Forbidden: cannot be set for an Ephemeral Container"],
    ],
    [
      "a probe",
      { ...debug, livenessProbe: { exec: { command: ["true"] } } },
      ["[0].livenessProbe: Forbidden: cannot be set for an Ephemeral Container"],
    ],
  ])("with %s", (_what, container, expected) => {
    const found = errorsOf([container], { subresource: "ephemeralcontainers" });
    expect(found).toEqual(expected.map((text) => `spec.ephemeralContainers${text}`));
  });

  it("cannot be there from the start", () => {
    expect(errorsOf([debug], { subresource: "", isCreate: true })).toEqual([
      "spec.ephemeralContainers: Forbidden: cannot be set on create",
    ]);
  });
});

describe("pods/resize", () => {
  const sized = (resources: Draft<Container>["resources"], image = "a") =>
    pod({ containers: [{ name: "a", image, resources }] });
  const old = sized({ requests: { cpu: "1", memory: "1Gi" } });
  const errorsOf = (next: Pod) =>
    podKind
      .validateUpdate?.(next, old, { subresource: "resize" })
      .map(({ field, message }) => `${field}: ${message}`);
  it.each([
    ["more", { requests: { cpu: "2", memory: "2Gi" } }, []],
    ["a limit beside", { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2" } }, []],
    [
      "another class",
      { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } },
      ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'],
    ],
    [
      "less than nothing",
      { requests: { cpu: "1" } },
      ["spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"],
    ],
  ])("to %s", (_what, resources, expected) => {
    expect(errorsOf(sized(resources))).toEqual(expected);
  });

  it("leaves all else alone, whatever was sent", () => {
    const sent = sized({ requests: { cpu: "2", memory: "1Gi" } }, "b");
    sent.metadata.labels = { sneaked: "in" };
    podKind.prepareUpdate?.(sent, old, { subresource: "resize" });
    expect(sent.spec.containers[0]).toEqual({
      ...old.spec.containers[0],
      resources: { requests: { cpu: "2", memory: "1Gi" } },
    });
    expect(sent.metadata.labels).toBeUndefined();
  });
});

describe("deletion of pods", () => {
  it.each([
    ["of the spec", { nodeName: "n" }, "Running", undefined, 30],
    ["asked for", { nodeName: "n" }, "Running", 5, 5],
    ["none before it is scheduled", {}, "Pending", 5, 0],
    ["none once it has ended", { nodeName: "n" }, "Succeeded", undefined, 0],
  ])("waits the grace period %s", (_what, spec, phase, requested, expected) => {
    expect(podKind.gracePeriod?.({ ...pod(spec), status: { phase } }, requested)).toBe(expected);
  });
});

describe("warnings about pods", () => {
  const warnings = (spec: Draft<PodSpec>) => podKind.warnings?.(pod(spec), undefined);

  it("name fields that kubemu does not act on", () => {
    expect(
      warnings({
        hostPID: true,
        hostIPC: false,
        containers: [{ name: "a", image: "a", securityContext: { capabilities: { add: ["NET_ADMIN"] } } }],
        volumes: [{ name: "data", iscsi: { targetPortal: "a", iqn: "b", lun: 0 } }],
      }),
    ).toEqual([
      "spec.hostPID: kubemu accepts this field and does not act on it",
      "spec.volumes[0].iscsi: kubemu accepts this field and does not act on it",
      "spec.containers[0].securityContext.capabilities: kubemu accepts this field and does not act on it",
    ]);
  });

  it("are Kubernetes' own for what hides or repeats", () => {
    expect(
      warnings({
        containers: [
          {
            name: "a",
            image: "a",
            env: [
              { name: "X", value: "1" },
              { name: "X", value: "$(X)2" },
              { name: "X", value: "3" },
            ],
            ports: [{ containerPort: 80 }, { containerPort: 80 }],
            resources: { limits: { memory: "1500m" } },
          },
        ],
      }),
    ).toEqual([
      'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
      'spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer',
      'spec.containers[0].env[2]: hides previous definition of "X", which may be dropped when using apply',
      "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
    ]);
  });

  it("name each volume that only a mount keeps from being written, once", () => {
    const volumeMounts = [
      { name: "data", mountPath: "/a", readOnly: false },
      { name: "data", mountPath: "/data", readOnly: true },
      { name: "claim", mountPath: "/claim", readOnly: true },
      { name: "config", mountPath: "/config", readOnly: true },
      { name: "token", mountPath: "/token", readOnly: true },
    ];
    expect(
      warnings({
        initContainers: [{ name: "i", image: "a", volumeMounts }],
        containers: [{ name: "a", image: "a", volumeMounts }],
        volumes: [
          { name: "data", emptyDir: {} },
          { name: "claim", persistentVolumeClaim: { claimName: "c" } },
          { name: "config", configMap: { name: "c" } },
          { name: "token", projected: { sources: [] } },
        ],
      }),
    ).toEqual([
      "spec.initContainers[0].volumeMounts[1].readOnly: kubemu accepts this field and does not act on it",
      "spec.initContainers[0].volumeMounts[2].readOnly: kubemu accepts this field and does not act on it",
    ]);
  });

  it("stay silent about a plain pod", () => {
    expect(warnings({})).toEqual([]);
  });
});
