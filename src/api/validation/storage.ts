// What volumes, claims and pods' volume sources have in common.
import { compareQuantities, isQuantity, QUANTITY_FORMAT_ERROR } from "../../base/quantity.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../status-error.ts";
import { dnsSubdomainErrors } from "./names.ts";

const SHORT_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};
const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const SINGLE_POD = "ReadWriteOncePod";
const VOLUME_MODES = ["Block", "Filesystem"];

/** `RWO,RWX`, in kubectl's order, each once. */
export function shortAccessModes(modes: readonly string[] = []): string {
  return Object.keys(SHORT_MODES)
    .filter((mode) => modes.includes(mode))
    .map((mode) => SHORT_MODES[mode])
    .join(",");
}

export function validateAccessModes(
  modes: readonly string[] | undefined,
  field: string,
  whyRequired = "",
): FieldError[] {
  if (!modes?.length) return [required(field, whyRequired)];
  const errors = modes
    .filter((mode) => !ACCESS_MODES.includes(mode))
    .map((mode) => notSupported(field, mode, ACCESS_MODES));
  if (modes.includes(SINGLE_POD) && modes.some((mode) => mode !== SINGLE_POD)) {
    errors.push(forbiddenField(field, "may not use ReadWriteOncePod with other access modes"));
  }
  return errors;
}

export function validateVolumeMode(mode: string | undefined, field: string): FieldError[] {
  return mode === undefined || VOLUME_MODES.includes(mode) ? [] : [notSupported(field, mode, VOLUME_MODES)];
}

export function validateStorageAmount(amount: string, field: string): FieldError[] {
  if (!isQuantity(amount)) return [invalid(field, amount, QUANTITY_FORMAT_ERROR)];
  if (compareQuantities(amount, "0") > 0) return [];
  return [invalid(field, amount, "must be greater than zero")];
}

export function validateClassName(name: string | undefined, field: string): FieldError[] {
  return name ? dnsSubdomainErrors(name).map((why) => invalid(field, name, why)) : [];
}
