// Service account tokens: JSON Web Tokens signed with the cluster's own key (ES256), as kube-apiserver issues them.
import { createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign, verify } from "node:crypto";
import type { Clock } from "../base/clock.ts";

export const ISSUER = "https://kubernetes.default.svc.cluster.local";

// Verified tokens are remembered, so that a client's every request does not cost a signature check.
const REMEMBERED = 1_000;

export interface TokenSubject {
  readonly namespace: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
  readonly pod?: { readonly name: string; readonly uid: string } | undefined;
}

export interface Tokens {
  issue(subject: TokenSubject, options: { audiences: readonly string[]; seconds: number }): IssuedToken;
  /** Undefined for a token that is not this cluster's, or has expired. */
  verify(token: string): VerifiedToken | undefined;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface VerifiedToken extends TokenSubject {
  readonly audiences: readonly string[];
}

interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly nbf: number;
  readonly iss: string;
  readonly "kubernetes.io": {
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
    readonly pod?: { readonly name: string; readonly uid: string };
  };
}

/** `privateKey`: PEM of an EC P-256 key. */
export function createTokens(privateKey: string, clock: Clock): Tokens {
  // Parsed at first use: most starts issue none.
  let keys: { readonly signing: KeyObject; readonly checking: KeyObject } | undefined;
  const keyPair = () => {
    keys ??= { signing: createPrivateKey(privateKey), checking: createPublicKey(privateKey) };
    return keys;
  };
  const remembered = new Map<string, Claims>();
  const claimsOf = (token: string): Claims | undefined => {
    const known = remembered.get(token);
    if (known) return known;
    const claims = readToken(token, () => keyPair().checking);
    if (!claims) return undefined;
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(token, claims);
    return claims;
  };
  return {
    issue: (subject, options) => issueToken(subject, options, { key: keyPair().signing, now: clock.now() }),
    verify(token) {
      const claims = claimsOf(token);
      const seconds = clock.now() / 1000;
      if (!claims || claims.exp <= seconds || claims.nbf > seconds + 60) return undefined;
      const { namespace, serviceaccount, pod } = claims["kubernetes.io"];
      return { namespace, serviceAccount: serviceaccount, pod, audiences: claims.aud };
    },
  };
}

function issueToken(
  { namespace, serviceAccount, pod }: TokenSubject,
  { audiences, seconds }: { audiences: readonly string[]; seconds: number },
  { key, now }: { key: KeyObject; now: number },
): IssuedToken {
  const issuedAt = Math.floor(now / 1000);
  const claims = {
    aud: audiences,
    exp: issuedAt + seconds,
    iat: issuedAt,
    iss: ISSUER,
    jti: randomUUID(),
    "kubernetes.io": {
      namespace,
      serviceaccount: { name: serviceAccount.name, uid: serviceAccount.uid },
      ...(pod ? { pod: { name: pod.name, uid: pod.uid } } : {}),
    },
    nbf: issuedAt,
    sub: accountName(namespace, serviceAccount.name),
  };
  const signed = `${base64url({ alg: "ES256", kid: "kubemu" })}.${base64url(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return { token: `${signed}.${signature.toString("base64url")}`, expiresAtMs: claims.exp * 1000 };
}

/** The user that a service account is. */
export const accountName = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`;

/** What every service account of a namespace is in. */
export const accountGroups = (namespace: string): readonly string[] => [
  "system:serviceaccounts",
  `system:serviceaccounts:${namespace}`,
];

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

function readToken(token: string, key: () => KeyObject): Claims | undefined {
  const [header, payload, signature, more] = token.split(".");
  if (!header || !payload || !signature || more !== undefined) return undefined;
  try {
    const { alg } = JSON.parse(Buffer.from(header, "base64url").toString("utf8")) as { alg?: unknown };
    if (alg !== "ES256") return undefined;
    const good = verify(
      "sha256",
      Buffer.from(`${header}.${payload}`),
      { key: key(), dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
    if (!good) return undefined;
    // Signed by us, so of our shape.
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Claims;
    return claims.iss === ISSUER ? claims : undefined;
  } catch {
    return undefined;
  }
}
