// DefaultStorageClass: a claim that names no class gets the default one. PersistentVolumeClaimResize: a claim may grow only
// where its class lets it.
import type { PersistentVolumeClaim, StorageClass } from "../../api/generated/types.ts";
import { persistentVolumeClaims } from "../../api/kinds/persistent-volume-claim.ts";
import { storageClasses } from "../../api/kinds/storage-class.ts";
import { forbidden } from "../../api/status-error.ts";
import { classOf, defaultClassOf, requestOf, wantsDefaultClass } from "../../api/volume-match.ts";
import { compareQuantities, isQuantity } from "../../base/quantity.ts";
import { storeKey, storePrefix } from "../keys.ts";
import type { AdmissionRequest, AdmissionStep } from "./chain.ts";

const isClaim = ({ kind, subresource }: AdmissionRequest): boolean =>
  kind.resource.group === "" && kind.resource.plural === persistentVolumeClaims.plural && subresource === "";

const NOT_BOUND = "Only bound persistent volume claims can be expanded";
const NOT_EXPANDABLE =
  "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";

export const storage: AdmissionStep = {
  name: "DefaultStorageClass",
  mutateCreate(object, request, { store }) {
    if (!isClaim(request)) return;
    const claim = object as PersistentVolumeClaim;
    if (!wantsDefaultClass(claim)) return;
    const standard = defaultClassOf(
      store.list(storePrefix(storageClasses)).map((entry) => entry.object as StorageClass),
    );
    if (standard) claim.spec.storageClassName = standard.metadata.name;
  },
  mutateUpdate(object, before, request, { store }) {
    if (!isClaim(request)) return;
    const claim = object as PersistentVolumeClaim;
    const old = before as PersistentVolumeClaim;
    const wanted = requestOf(claim);
    if (!isQuantity(wanted) || compareQuantities(wanted, requestOf(old)) <= 0) return;
    const { name } = claim.metadata;
    if (old.status?.phase !== "Bound") throw forbidden(persistentVolumeClaims, name, NOT_BOUND);
    const key = storeKey(storageClasses, undefined, classOf(old));
    const storageClass = store.get(key)?.object as StorageClass | undefined;
    if (!storageClass?.allowVolumeExpansion) throw forbidden(persistentVolumeClaims, name, NOT_EXPANDABLE);
  },
};
