// The credentials of kubemu's own processes on the API's local socket: bearer tokens, each good for one user. Whoever has the key
// can check them and nobody keeps a list, so a node that is added later needs no word to the server (docs/decisions/0008-local-socket.md).
import { createHmac, timingSafeEqual } from "node:crypto";

/** As the API server sees its user: the name, and the groups beside `system:authenticated`. */
export interface ComponentIdentity {
  readonly name: string;
  readonly groups: readonly string[];
}

const PREFIX = "kubemu";

const macOf = (claims: string, key: string): Buffer => createHmac("sha256", key).update(claims).digest();

/** `kubemu.CLAIMS.MAC`: the identity as JSON and its HMAC-SHA256 under `key`, both in base64url. */
export function signComponentToken({ name, groups }: ComponentIdentity, key: string): string {
  const claims = Buffer.from(JSON.stringify({ name, groups })).toString("base64url");
  return `${PREFIX}.${claims}.${macOf(claims, key).toString("base64url")}`;
}

/** Checks tokens signed with `key`; what was good once is remembered. Undefined for any other text. */
export function createComponentTokens(key: string): (token: string) => ComponentIdentity | undefined {
  const known = new Map<string, ComponentIdentity>();
  return (token) => known.get(token) ?? check(token);

  function check(token: string): ComponentIdentity | undefined {
    const [prefix, claims, mac, more] = token.split(".");
    if (prefix !== PREFIX || !claims || !mac || more !== undefined) return undefined;
    const given = Buffer.from(mac, "base64url");
    const right = macOf(claims, key);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    // Signed by us, so of our shape.
    const identity = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as ComponentIdentity;
    known.set(token, identity);
    return identity;
  }
}
