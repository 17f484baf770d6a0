// Containers, volumes and what is said about scheduling: the part that pods and the templates of workloads have in common.
import type {
  Container,
  ContainerStatus,
  Pod,
  PodTemplateSpec,
  Probe,
  Volume,
} from "../../api/generated/types.ts";
import { annotationsLines, dateText, indent, mapLines } from "./common.ts";

/** With its tabs it is also what `rollout history --revision` prints, as kubectl does. */
export function templateLines({ metadata, spec }: PodTemplateSpec): string {
  const { annotations = {} } = metadata ?? {};
  const body = [
    mapLines("Labels", metadata?.labels),
    ...(Object.keys(annotations).length > 0 ? [annotationsLines({ metadata: { annotations } })] : []),
    ...(spec?.serviceAccountName ? [`Service Account:\t${spec.serviceAccountName}\n`] : []),
    ...(spec?.initContainers?.length ? [containerLines("Init Containers", spec.initContainers)] : []),
    containerLines("Containers", spec?.containers ?? []),
    volumeLines(spec?.volumes),
    ...(spec?.priorityClassName ? [`Priority Class Name:\t${spec.priorityClassName}\n`] : []),
    mapLines("Node-Selectors", spec?.nodeSelector),
    tolerationLines(spec?.tolerations),
  ];
  return `Pod Template:\n${indent(body.join(""), "  ")}`;
}

export function containerLines(
  title: string,
  containers: readonly Container[],
  statuses?: readonly ContainerStatus[],
): string {
  const each = containers.map((container) => {
    const status = statuses?.find(({ name }) => name === container.name);
    const [title, body] = statuses ? ["  ", "    "] : [" ", "  "];
    return `${title}${container.name}:\n${indent(oneContainer(container, status), body)}`;
  });
  return `${title}:\n${each.join("")}`;
}

function oneContainer(container: Container, status: ContainerStatus | undefined): string {
  const ports = container.ports ?? [];
  const list = (values: readonly string[]) => values.join(", ");
  const many = ports.length > 1 ? "s" : "";
  const lines = [
    ...(status
      ? [
          `Container ID:\t${status.containerID ?? ""}`,
          `Image:\t${container.image}`,
          `Image ID:\t${status.imageID}`,
        ]
      : [`Image:\t${container.image}`]),
    `Port${many}:\t${list(ports.map(({ containerPort, protocol = "TCP" }) => `${containerPort}/${protocol}`)) || "<none>"}`,
    `Host Port${many}:\t${list(ports.map(({ hostPort = 0, protocol = "TCP" }) => `${hostPort}/${protocol}`)) || "<none>"}`,
    ...words("Command", container.command),
    ...words("Args", container.args),
    ...(status ? stateLines("State", status.state) : []),
    ...(status?.lastState && Object.keys(status.lastState).length > 0
      ? stateLines("Last State", status.lastState)
      : []),
    ...(status
      ? [`Ready:\t${status.ready ? "True" : "False"}`, `Restart Count:\t${status.restartCount}`]
      : []),
    ...quantities("Limits", container.resources?.limits),
    ...quantities("Requests", container.resources?.requests),
    ...probeLine("Liveness", container.livenessProbe),
    ...probeLine("Readiness", container.readinessProbe),
    ...probeLine("Startup", container.startupProbe),
    ...environmentLines(container),
    ...mountLines(container),
  ];
  return `${lines.join("\n")}\n`;
}

const words = (title: string, list: readonly string[] | undefined): string[] =>
  list && list.length > 0
    ? [`${title}:`, ...list.flatMap((word) => word.split("\n").map((line) => `  ${line}`))]
    : [];

const quantities = (title: string, map: Readonly<Record<string, unknown>> | undefined): string[] => {
  const entries = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length > 0
    ? [`${title}:`, ...entries.map(([name, value]) => `  ${name}:\t${String(value)}`)]
    : [];
};

function stateLines(title: string, state: ContainerStatus["state"]): string[] {
  const { running, waiting, terminated } = state ?? {};
  if (running) return [`${title}:\tRunning`, `  Started:\t${dateText(running.startedAt)}`];
  if (terminated)
    return [
      `${title}:\tTerminated`,
      ...(terminated.reason ? [`  Reason:\t${terminated.reason}`] : []),
      ...(terminated.message ? [`  Message:\t${terminated.message}`] : []),
      `  Exit Code:\t${terminated.exitCode}`,
      ...(terminated.signal ? [`  Signal:\t${terminated.signal}`] : []),
      `  Started:\t${dateText(terminated.startedAt)}`,
      `  Finished:\t${dateText(terminated.finishedAt)}`,
    ];
  return [`${title}:\tWaiting`, ...(waiting?.reason ? [`  Reason:\t${waiting.reason}`] : [])];
}

function probeLine(title: string, probe: Probe | undefined): string[] {
  if (!probe) return [];
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 0,
    periodSeconds = 0,
    successThreshold = 0,
    failureThreshold = 0,
  } = probe;
  const numbers = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
  return [`${title}:\t${probeAction(probe)} ${numbers}`];
}

function probeAction({ exec, httpGet, tcpSocket, grpc }: Probe): string {
  if (exec) return `exec [${exec.command?.join(" ") ?? ""}]`;
  if (httpGet)
    return `http-get ${(httpGet.scheme ?? "HTTP").toLowerCase()}://${httpGet.host ?? ""}:${httpGet.port}${httpGet.path ?? ""}`;
  if (tcpSocket) return `tcp-socket ${tcpSocket.host ?? ""}:${tcpSocket.port}`;
  return `grpc <pod>:${grpc?.port} ${grpc?.service ?? ""}`;
}

function environmentLines({ env = [], envFrom = [] }: Container): string[] {
  const from = envFrom.flatMap(({ configMapRef, secretRef, prefix }) => {
    const ref = configMapRef ?? secretRef;
    const withPrefix = prefix ? ` with prefix '${prefix}'` : "";
    return `  ${ref?.name}\t${configMapRef ? "ConfigMap" : "Secret"}${withPrefix}\tOptional: ${ref?.optional ?? false}`;
  });
  const each = env.map(({ name, value, valueFrom }) => {
    if (!valueFrom) return `  ${name}:\t${(value ?? "").split("\n").join("\n  \t")}`;
    const { fieldRef, secretKeyRef, configMapKeyRef, resourceFieldRef } = valueFrom;
    if (fieldRef) return `  ${name}:\t (${fieldRef.apiVersion ?? "v1"}:${fieldRef.fieldPath})`;
    if (resourceFieldRef) return `  ${name}:\t0 (${resourceFieldRef.resource})`;
    const ref = secretKeyRef ?? configMapKeyRef;
    return `  ${name}:\t<set to the key '${ref?.key}' ${secretKeyRef ? "in secret" : "of config map"} '${ref?.name}'>\tOptional: ${ref?.optional ?? false}`;
  });
  return [
    ...(from.length > 0 ? ["Environment Variables from:", ...from] : []),
    ...(each.length > 0 ? ["Environment:", ...each] : ["Environment:\t<none>"]),
  ];
}

function mountLines({ volumeMounts = [] }: Container): string[] {
  if (volumeMounts.length === 0) return ["Mounts:\t<none>"];
  const sorted = [...volumeMounts].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1));
  return [
    "Mounts:",
    ...sorted.map(({ mountPath, name, readOnly, subPath }) => {
      const flags = [readOnly ? "ro" : "rw", ...(subPath ? [`path=${JSON.stringify(subPath)}`] : [])];
      return `  ${mountPath} from ${name} (${flags.join(",")})`;
    }),
  ];
}

const TYPES: readonly (readonly [keyof Volume, string])[] = [
  ["hostPath", "HostPath (bare host directory volume)"],
  ["emptyDir", "EmptyDir (a temporary directory that shares a pod's lifetime)"],
  ["configMap", "ConfigMap (a volume populated by a ConfigMap)"],
  ["secret", "Secret (a volume populated by a Secret)"],
  [
    "persistentVolumeClaim",
    "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
  ],
  ["projected", "Projected (a volume that contains injected data from multiple sources)"],
];

export function volumeLines(volumes: readonly Volume[] | undefined): string {
  if (!volumes || volumes.length === 0) return "Volumes:\t<none>\n";
  const each = volumes.map((volume) => {
    const type = TYPES.find(([field]) => volume[field])?.[1] ?? "<unknown>";
    const more = volumeFields(volume).map(([name, value]) => `    ${name}:\t${value}\n`);
    return `  ${volume.name}:\n    Type:\t${type}\n${more.join("")}`;
  });
  return `Volumes:\n${each.join("")}`;
}

function volumeFields(volume: Volume): (readonly [string, string])[] {
  const { hostPath, emptyDir, configMap, secret, persistentVolumeClaim: claim, projected } = volume;
  if (hostPath)
    return [
      ["Path", hostPath.path],
      ["HostPathType", hostPath.type ?? ""],
    ];
  if (emptyDir)
    return [
      ["Medium", emptyDir.medium ?? ""],
      ["SizeLimit", String(emptyDir.sizeLimit ?? "<unset>")],
    ];
  if (configMap)
    return [
      ["Name", configMap.name ?? ""],
      ["Optional", String(configMap.optional ?? false)],
    ];
  if (secret)
    return [
      ["SecretName", secret.secretName ?? ""],
      ["Optional", String(secret.optional ?? false)],
    ];
  if (claim)
    return [
      ["ClaimName", claim.claimName],
      ["ReadOnly", String(claim.readOnly ?? false)],
    ];
  return (projected?.sources ?? []).flatMap((source): (readonly [string, string])[] => {
    if (source.serviceAccountToken)
      return [["TokenExpirationSeconds", String(source.serviceAccountToken.expirationSeconds)]];
    if (source.configMap)
      return [
        ["ConfigMapName", source.configMap.name ?? ""],
        ["Optional", String(source.configMap.optional ?? false)],
      ];
    if (source.secret)
      return [
        ["SecretName", source.secret.name ?? ""],
        ["Optional", String(source.secret.optional ?? false)],
      ];
    return [["DownwardAPI", "true"]];
  });
}

export function tolerationLines(tolerations: NonNullable<Pod["spec"]["tolerations"]> = []): string {
  const lines = tolerations
    .map(({ key = "", operator, value, effect, tolerationSeconds }) => {
      const head = `${key}${value ? `=${value}` : ""}${effect ? `:${effect}` : ""}`;
      const exists = operator === "Exists" && !value ? (key || effect ? " op=Exists" : "op=Exists") : "";
      return `${head}${exists}${tolerationSeconds === undefined ? "" : ` for ${tolerationSeconds}s`}`;
    })
    .sort();
  return `Tolerations:\t${lines.join("\n\t") || "<none>"}\n`;
}
