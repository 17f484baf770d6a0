// Validation of what a pod's names resolve to: its DNS settings and the lines of its own for /etc/hosts.
import { isIP } from "node:net";
import type { HostAlias, PodSpec } from "../../generated/types.ts";
import { type FieldError, invalid, required } from "../../status-error.ts";
import { dnsSubdomainErrors, looseSubdomainErrors } from "../../validation/names.ts";

// What libc's resolver can hold.
const MOST_NAMESERVERS = 3;
const MOST_SEARCHES = 32;
const LONGEST_SEARCH_LIST = 2048;

export function validateDns({ dnsPolicy, dnsConfig: config }: PodSpec, path: string): FieldError[] {
  if (dnsPolicy === "None" && !config) {
    return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
  }
  if (!config) return [];
  const { nameservers = [], searches = [], options = [] } = config;
  if (dnsPolicy === "None" && nameservers.length === 0) {
    const words = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    return [required(`${path}.nameservers`, words)];
  }
  const errors: FieldError[] = [];
  const atMost = (field: "nameservers" | "searches", what: string) =>
    errors.push(invalid(`${path}.${field}`, config[field], `must not have more than ${what}`));
  if (nameservers.length > MOST_NAMESERVERS) atMost("nameservers", `${MOST_NAMESERVERS} nameservers`);
  for (const [index, address] of nameservers.entries()) {
    errors.push(...validateAddress(address, `${path}.nameservers[${index}]`));
  }
  if (searches.length > MOST_SEARCHES) atMost("searches", `${MOST_SEARCHES} search paths`);
  if (searches.join(" ").length > LONGEST_SEARCH_LIST) {
    atMost("searches", `${LONGEST_SEARCH_LIST} characters (including spaces) in the search list`);
  }
  for (const [index, search] of searches.entries()) {
    if (search === ".") continue;
    const name = search.replace(/\.$/, "");
    for (const why of looseSubdomainErrors(name))
      errors.push(invalid(`${path}.searches[${index}]`, name, why));
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) errors.push(required(`${path}.options[${index}]`, "must not be empty"));
  }
  return errors;
}

export function validateHostAliases(aliases: readonly HostAlias[], path: string): FieldError[] {
  return aliases.flatMap(({ ip, hostnames = [] }, index) => [
    ...validateAddress(ip, `${path}[${index}].ip`),
    ...hostnames.flatMap((name, place) =>
      dnsSubdomainErrors(name).map((why) => invalid(`${path}[${index}].hostnames[${place}]`, name, why)),
    ),
  ]);
}

function validateAddress(address: string | undefined, field: string): FieldError[] {
  if (isIP(address ?? "") !== 0) return [];
  return [invalid(field, address ?? "", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")];
}
