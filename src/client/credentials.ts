import { readFileSync } from "node:fs";
import { join } from "node:path";

/** PEM texts: the cluster's CA, and a client certificate with its key. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Reads `pki/ca.crt` and the pair `pki/NAME.crt`, `pki/NAME.key` of a data directory. */
export function readCredentials(dataDir: string, name: string): Credentials {
  const read = (file: string) => readFileSync(join(dataDir, "pki", file), "utf8");
  return { ca: read("ca.crt"), cert: read(`${name}.crt`), key: read(`${name}.key`) };
}
