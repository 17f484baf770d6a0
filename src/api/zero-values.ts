// Which zero values mean "not set". Kubernetes' Go types write "", 0 and false only for pointer fields (and for required
// ones); what is no pointer and has omitempty disappears on the way through the API server. Neither OpenAPI nor protobuf
// says which is which, so the exceptions from the usual case stand here, as `Type.field`: an optional number or
// boolean usually is a pointer, an optional string usually is not; lists and maps never are.
import type { FieldSchema } from "./schema.ts";

const PLAIN_NUMBERS_AND_BOOLEANS = `
ValidatingAdmissionPolicyStatus: observedGeneration
DaemonSetSpec: minReadySeconds
DaemonSetStatus: numberAvailable numberUnavailable observedGeneration updatedNumberScheduled
DeploymentSpec: minReadySeconds paused
DeploymentStatus: availableReplicas observedGeneration readyReplicas replicas unavailableReplicas updatedReplicas
ReplicaSetSpec: minReadySeconds
ReplicaSetStatus: availableReplicas fullyLabeledReplicas observedGeneration readyReplicas
StatefulSetOrdinals: start
StatefulSetSpec: minReadySeconds
StatefulSetStatus: availableReplicas currentReplicas observedGeneration readyReplicas updatedReplicas
TokenReviewStatus: authenticated
SubjectAccessReviewStatus: denied
ScaleSpec: replicas
HorizontalPodAutoscalerStatus: currentReplicas
JobStatus: active failed succeeded
AWSElasticBlockStoreVolumeSource: partition readOnly
AzureFilePersistentVolumeSource: readOnly
AzureFileVolumeSource: readOnly
CSIPersistentVolumeSource: readOnly
CephFSPersistentVolumeSource: readOnly
CephFSVolumeSource: readOnly
CinderPersistentVolumeSource: readOnly
CinderVolumeSource: readOnly
Container: stdin stdinOnce tty
EphemeralContainer: stdin stdinOnce tty
ContainerImage: sizeBytes
ContainerPort: hostPort
ContainerStateTerminated: signal
Event: count deprecatedCount
EventSeries: count
FCVolumeSource: readOnly
FlexPersistentVolumeSource: readOnly
FlexVolumeSource: readOnly
GCEPersistentDiskVolumeSource: partition readOnly
GlusterfsVolumeSource: readOnly
ISCSIPersistentVolumeSource: chapAuthDiscovery chapAuthSession readOnly
ISCSIVolumeSource: chapAuthDiscovery chapAuthSession readOnly
NFSVolumeSource: readOnly
NodeSpec: unschedulable
PersistentVolumeClaimVolumeSource: readOnly
PodCondition: observedGeneration
PodSpec: hostIPC hostNetwork hostPID
PodStatus: observedGeneration
PortworxVolumeSource: readOnly
Probe: failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds
QuobyteVolumeSource: readOnly
RBDPersistentVolumeSource: readOnly
RBDVolumeSource: readOnly
ReplicationControllerSpec: minReadySeconds
ReplicationControllerStatus: availableReplicas fullyLabeledReplicas observedGeneration readyReplicas
ScaleIOPersistentVolumeSource: readOnly sslEnabled
ScaleIOVolumeSource: readOnly sslEnabled
ServicePort: nodePort
ServiceSpec: healthCheckNodePort publishNotReadyAddresses
StorageOSPersistentVolumeSource: readOnly
StorageOSVolumeSource: readOnly
VolumeMount: readOnly
VolumeMountStatus: readOnly
FlowSchemaSpec: matchingPrecedence
QueuingConfiguration: handSize queueLengthLimit queues
ResourcePolicyRule: clusterScope
ServiceBackendPort: number
PodDisruptionBudgetStatus: observedGeneration
DeviceSubRequest: count
ExactDeviceRequest: count
PriorityClass: globalDefault
CustomResourceColumnDefinition: priority
CustomResourceDefinitionSpec: preserveUnknownFields
CustomResourceDefinitionVersion: deprecated
JSONSchemaProps: exclusiveMaximum exclusiveMinimum nullable uniqueItems x-kubernetes-embedded-resource x-kubernetes-int-or-string
Condition: observedGeneration
ObjectMeta: generation
Status: code
StatusDetails: retryAfterSeconds
APIServiceSpec: insecureSkipTLSVerify
`;

const POINTER_STRINGS = `
Endpoint: hostname nodeName zone
EndpointAddress: nodeName
EndpointPort: name protocol appProtocol
GRPCAction: service
HostPathVolumeSource: type
IngressClassParametersReference: apiGroup namespace scope
IngressSpec: ingressClassName
LeaseSpec: holderIdentity preferredHolder strategy
NetworkPolicyPort: protocol
PersistentVolumeClaimSpec: storageClassName volumeAttributesClassName volumeMode
PersistentVolumeSpec: volumeAttributesClassName volumeMode
PodDNSConfigOption: value
PodDisruptionBudgetSpec: unhealthyPodEvictionPolicy
PodSpec: runtimeClassName preemptionPolicy
ServicePort: appProtocol
ServiceSpec: loadBalancerClass
TypedLocalObjectReference: apiGroup
TypedObjectReference: apiGroup namespace
WebhookClientConfig: url
`;

function parse(text: string): ReadonlySet<string> {
  const names = text
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [type, fields = ""] = line.split(": ");
      return fields.split(" ").map((field) => `${type}.${field}`);
    });
  return new Set(names);
}

let exceptions: { plain: ReadonlySet<string>; pointers: ReadonlySet<string> } | undefined;

/**
 * True when a zero value of this field is the same as its absence. `type` is the full name of the type that has the
 * field. The answer is for "", 0, false, [] and {} of maps; an empty message (`emptyDir: {}`) always means something.
 */
export function isOmittedWhenZero(type: string, name: string, field: FieldSchema): boolean {
  if (field.required || field.ref) return false;
  if (field.type === "array" || field.type === "object") return true;
  exceptions ??= { plain: parse(PLAIN_NUMBERS_AND_BOOLEANS), pointers: parse(POINTER_STRINGS) };
  const key = `${type.slice(type.lastIndexOf(".") + 1)}.${name}`;
  // core/v1's EndpointPort has plain strings, discovery's has pointers.
  if (type === "io.k8s.api.core.v1.EndpointPort") return name !== "appProtocol";
  return field.type === "string" ? !exceptions.pointers.has(key) : exceptions.plain.has(key);
}

/** True for "", 0, false, an empty list and an empty map. */
export function isZero(value: unknown): boolean {
  if (value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object" || value === null) return false;
  for (const _key in value) return false;
  return true;
}
