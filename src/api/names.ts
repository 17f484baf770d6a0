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
export const TAINT_OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

export const POD_TEMPLATE_HASH = "pod-template-hash";
export const REVISION = "deployment.kubernetes.io/revision";
export const SERVICE_NAME = "kubernetes.io/service-name";
export const HOSTNAME = "kubernetes.io/hostname";
