// Defaulting of pods and of the pod templates inside workloads, as Kubernetes' core/v1 defaults do it.
// Idempotent: a defaulted spec defaults to itself.
import { canonicalAmounts } from "../../../base/quantity.ts";
import type {
  Container,
  LifecycleHandler,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ResourceRequirements,
  Volume,
  VolumeProjection,
} from "../../generated/types.ts";
import type { Draft } from "../../object.ts";
import { defaultClaimSpec } from "../persistent-volume-claim/claim-spec.ts";

// rw-r--r--: what files of Secret, ConfigMap, downward API and projected volumes get.
const FILE_MODE = 0o644;
const TOKEN_LIFETIME_SECONDS = 3600;

/** A Pod: its spec, and what Kubernetes fills in for pods but not for templates. */
export function defaultPod(pod: Draft<Pod>): void {
  pod.spec ??= {};
  const { spec } = pod;
  defaultPodSpec(spec);
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    requestLimits(container.resources);
    if (spec.hostNetwork) for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
  spec.enableServiceLinks ??= true;
}

/** The template of a workload. */
export function defaultPodTemplate(template: Draft<PodTemplateSpec> | undefined): void {
  if (!template) return;
  // Kubernetes' Go types always write this field; clients compare whole templates.
  template.metadata ??= {};
  template.spec ??= {};
  defaultPodSpec(template.spec);
}

function defaultPodSpec(spec: Draft<PodSpec>): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  // The deprecated alias always says the same as the field.
  spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else {
    delete spec.serviceAccountName;
    delete spec.serviceAccount;
  }
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
}

function defaultContainer(container: Draft<Container>): void {
  container.imagePullPolicy ||= isLatest(container.image ?? "") ? "Always" : "IfNotPresent";
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  canonicalAmounts(container.resources.limits);
  canonicalAmounts(container.resources.requests);
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const variable of container.env ?? []) {
    if (variable.valueFrom?.fieldRef) variable.valueFrom.fieldRef.apiVersion ||= "v1";
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) defaultProbe(probe);
  }
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

function defaultProbe(probe: Draft<Probe>): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= "";
  defaultHandler(probe);
}

function defaultHandler(handler: Draft<LifecycleHandler> | undefined): void {
  if (!handler?.httpGet) return;
  handler.httpGet.path ||= "/";
  handler.httpGet.scheme ||= "HTTP";
}

function defaultVolume(volume: Draft<Volume>): void {
  const sources = Object.entries(volume).filter(
    ([field, source]) => field !== "name" && source !== undefined,
  );
  if (sources.length === 0) volume.emptyDir = {};
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE;
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE;
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.ephemeral?.volumeClaimTemplate?.spec)
    defaultClaimSpec(volume.ephemeral.volumeClaimTemplate.spec);
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE;
    defaultFieldRefs(volume.downwardAPI.items);
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE;
    for (const source of volume.projected.sources ?? []) defaultProjection(source);
  }
}

function defaultProjection(source: Draft<VolumeProjection>): void {
  if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= TOKEN_LIFETIME_SECONDS;
  defaultFieldRefs(source.downwardAPI?.items);
}

function defaultFieldRefs(items: { fieldRef?: { apiVersion?: string } | undefined }[] | undefined): void {
  for (const item of items ?? []) if (item.fieldRef) item.fieldRef.apiVersion ||= "v1";
}

function requestLimits(resources: Draft<ResourceRequirements> | undefined): void {
  if (!resources?.limits) return;
  resources.requests = { ...resources.limits, ...resources.requests };
}

/** True for an image without a digest whose tag is `latest` or missing. */
function isLatest(image: string): boolean {
  if (image.includes("@")) return false;
  const name = image.slice(image.lastIndexOf("/") + 1);
  const colon = name.indexOf(":");
  return colon < 0 || name.slice(colon + 1) === "latest";
}
