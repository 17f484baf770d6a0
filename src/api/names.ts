// Every label, annotation, taint and finalizer that more than one part agrees on. kubemu's own end in kubemu.dev.

/** On a Pod, written by its node agent: JSON of containerPort → the port its process was told, where they differ (`{"80":10080}`). */
export const PORT_MAP = "kubemu.dev/port-map";
/**
 * On a Service, written by the service-address controller: JSON of the published URL ports where the Service's own port cannot be
 * bound, `{"80/TCP":{"host":"127.0.0.1","port":41234}}`. The proxy listens there as well, and `kubemu services` prints it.
 */
export const PUBLISHED_PORTS = "kubemu.dev/published-ports";
/** On objects that a watched folder applied: the folder's id, the file (relative), and the hash of the file's content. */
export const FOLDER_LABEL = "kubemu.dev/folder";
export const FOLDER_SOURCE = "kubemu.dev/source";
export const FOLDER_STAMP = "kubemu.dev/source-hash";
/** Field manager of the watched folder. */
export const FOLDER_MANAGER = "kubemu-folder";

export const TAINT_NOT_READY = "node.kubernetes.io/not-ready";
export const TAINT_UNREACHABLE = "node.kubernetes.io/unreachable";
export const TAINT_UNSCHEDULABLE = "node.kubernetes.io/unschedulable";
export const TAINT_MEMORY_PRESSURE = "node.kubernetes.io/memory-pressure";
export const TAINT_DISK_PRESSURE = "node.kubernetes.io/disk-pressure";
export const TAINT_PID_PRESSURE = "node.kubernetes.io/pid-pressure";
export const TAINT_NETWORK_UNAVAILABLE = "node.kubernetes.io/network-unavailable";
export const TAINT_OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

export const POD_TEMPLATE_HASH = "pod-template-hash";
export const CONTROLLER_REVISION_HASH = "controller-revision-hash";
export const REVISION = "deployment.kubernetes.io/revision";
export const SERVICE_NAME = "kubernetes.io/service-name";
export const HOSTNAME = "kubernetes.io/hostname";
/** On what `kubectl apply` made: what it applied last, as JSON. About that object alone. */
export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** On a StorageClass: claims that name no class get this one. */
export const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";
/** Finalizers: a claim stays while pods use it, a volume while a claim has it. */
export const PVC_PROTECTION = "kubernetes.io/pvc-protection";
export const PV_PROTECTION = "kubernetes.io/pv-protection";
/** On claims and volumes, written by the volume binder and by provisioners: who bound, who makes, who made, where it is wanted. */
export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
export const STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner";
export const STORAGE_PROVISIONER_BETA = "volume.beta.kubernetes.io/storage-provisioner";
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";
/** The class by its old name; it wins over `storageClassName`. */
export const STORAGE_CLASS_BETA = "volume.beta.kubernetes.io/storage-class";
/** What a class says whose volumes an administrator makes by hand. */
export const NO_PROVISIONER = "kubernetes.io/no-provisioner";
/** kubemu's own provisioner: a directory of the cluster's data directory for each claim. */
export const DIRECTORY_PROVISIONER = "kubemu.dev/directory";

/** On a Service, written by users: how its connections are spread, how many an endpoint takes at once, and when a silent one ends. */
export const BALANCE = "kubemu.dev/balance";
export const MAX_CONNECTIONS = "kubemu.dev/max-connections";
export const IDLE_TIMEOUT = "kubemu.dev/idle-timeout";
