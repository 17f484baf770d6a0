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

/** How kubemu's own processes reach the API: its local socket, and their bearer token. */
export interface LocalAccess {
  readonly socketPath: string;
  readonly token: string;
}

/** With the token `pki/NAME.token` of a data directory. */
export function readLocalAccess(dataDir: string, name: string, socketPath: string): LocalAccess {
  return { socketPath, token: readFileSync(join(dataDir, "pki", `${name}.token`), "utf8") };
}
