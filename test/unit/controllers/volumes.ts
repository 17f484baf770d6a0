// Claims, volumes and classes for the tests of what binds, makes and mounts them.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from "../../../src/api/generated/types.ts";
import type { ObjectMeta } from "../../../src/api/object.ts";

const metadata = (name: string, more: Partial<ObjectMeta>): ObjectMeta => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: "1",
  creationTimestamp: "2026-01-02T03:04:05Z",
  ...more,
});

export function makeClaim(
  name: string,
  spec: Partial<PersistentVolumeClaim["spec"]> = {},
  {
    meta = {},
    status = { phase: "Pending" },
  }: { meta?: Partial<ObjectMeta>; status?: PersistentVolumeClaim["status"] } = {},
): PersistentVolumeClaim {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadata(name, { namespace: "default", ...meta }),
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
    ...(status ? { status } : {}),
  };
}

export function makeVolume(
  name: string,
  spec: Partial<PersistentVolume["spec"]> = {},
  { meta = {}, phase = "Available" }: { meta?: Partial<ObjectMeta>; phase?: string } = {},
): PersistentVolume {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: metadata(name, meta),
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      hostPath: { path: `/${name}` },
      persistentVolumeReclaimPolicy: "Retain",
      ...spec,
    },
    status: { phase },
  };
}

export function makeClass(
  name: string,
  more: Partial<StorageClass> = {},
  meta: Partial<ObjectMeta> = {},
): StorageClass {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: metadata(name, meta),
    provisioner: "kubemu.dev/directory",
    reclaimPolicy: "Delete",
    volumeBindingMode: "Immediate",
    ...more,
  };
}

/** What `claim` looks like in a volume that it has. */
export const claimRef = ({ metadata: { name, namespace = "", uid } }: PersistentVolumeClaim) => ({
  kind: "PersistentVolumeClaim",
  apiVersion: "v1",
  namespace,
  name,
  uid,
});
