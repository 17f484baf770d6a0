// What names may look like, with the sentences of apimachinery's validation package. Each function returns what is wrong,
// nothing when all is well. Lengths are bytes.
import { isIP } from "node:net";

const SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SYSCTL = `(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}`;
const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const LOOSE_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const LOOSE_SUBDOMAIN = `${LOOSE_LABEL}(\\.${LOOSE_LABEL})*`;
const labelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const looseSubdomainPattern = /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const sysctlPattern = new RegExp(`^${SYSCTL}$`);
const label1035Pattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

export const tooLongText = (bytes: number): string => `must be no more than ${bytes} bytes`;
export const rangeText = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;

/** RFC 1123 label: most names that become host names. */
export function dnsLabelErrors(value: string): string[] {
  const errors = Buffer.byteLength(value) > 63 ? [tooLongText(63)] : [];
  if (labelPattern.test(value)) return errors;
  if (subdomainPattern.test(value)) return [...errors, "must not contain dots"];
  return [
    ...errors,
    `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`,
  ];
}

/** RFC 1123 subdomain: the names of most objects. */
export const dnsSubdomainErrors = (value: string): string[] =>
  nameErrors(
    value,
    { bytes: 253, pattern: subdomainPattern },
    `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`,
  );

/** A subdomain that may have underscores: what DNS servers serve, though no host is named so. */
export const looseSubdomainErrors = (value: string): string[] =>
  nameErrors(
    value,
    { bytes: 253, pattern: looseSubdomainPattern },
    `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${LOOSE_SUBDOMAIN}')`,
  );

/** RFC 1035 label: names of Services. */
export const dns1035LabelErrors = (value: string): string[] =>
  nameErrors(
    value,
    { bytes: 63, pattern: label1035Pattern },
    `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035}')`,
  );

function nameErrors(
  value: string,
  { bytes, pattern }: { readonly bytes: number; readonly pattern: RegExp },
  otherwise: string,
): string[] {
  const errors = Buffer.byteLength(value) > bytes ? [tooLongText(bytes)] : [];
  return pattern.test(value) ? errors : [...errors, otherwise];
}

/** What can stand in a URL's path as one segment. */
export function pathSegmentErrors(value: string): string[] {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((character) => value.includes(character)).map((one) => `may not contain '${one}'`);
}

/** Keys of ConfigMaps and Secrets; they become file names. */
export function configKeyErrors(value: string): string[] {
  const errors = Buffer.byteLength(value) > 253 ? [tooLongText(253)] : [];
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    errors.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  }
  if (value === "." || value === "..") errors.push(`must not be '${value}'`);
  else if (value.startsWith("..")) errors.push("must not start with '..'");
  return errors;
}

/** Names of environment variables, by the relaxed rule of Kubernetes 1.34. */
export function environmentNameErrors(value: string): string[] {
  if (value === "") return ["environment variable name must be non-empty"];
  if (/^[ -<>-~]+$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** IANA service names: names of ports. */
export function portNameErrors(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 15) errors.push(tooLongText(15));
  if (!/^[-a-z0-9]+$/.test(value)) {
    errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) errors.push("must contain at least one letter (a-z)");
  if (value.includes("--")) errors.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) errors.push("must not begin or end with a hyphen");
  return errors;
}

export function portNumberErrors(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : [rangeText(1, 65535)];
}

export function headerNameErrors(value: string): string[] {
  if (/^[-A-Za-z0-9]+$/.test(value)) return [];
  return [
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
  ];
}

/** `10.9.8.0/24` */
export function cidrErrors(value: string): string[] {
  const [address = "", length = "", more] = value.split("/");
  const bits = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (more === undefined && /^\d{1,3}$/.test(length) && Number(length) <= bits) return [];
  return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"];
}

/** Names of kernel parameters: `kernel.shm_rmid_forced`, with dots or slashes. */
export function sysctlErrors(value: string): string[] {
  if (Buffer.byteLength(value) <= 253 && sysctlPattern.test(value)) return [];
  return [`must have at most 253 characters and match regex ^${SYSCTL}$`];
}

/** `25%` */
export function percentErrors(value: string): string[] {
  if (/^[0-9]+%$/.test(value)) return [];
  return [
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
  ];
}
