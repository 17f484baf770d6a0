// Who a request is from: a client certificate of the cluster's CA (CN the user, O the groups), a service
// account's token, or that of one of kubemu's own processes.
// No credential, no answer: nothing is served anonymously.
import type { TLSSocket } from "node:tls";
import { statusError } from "../api/status-error.ts";
import type { ServerContext } from "./context.ts";
import type { User } from "./request.ts";
import { accountGroups, accountName, ISSUER, type VerifiedToken } from "./tokens.ts";

export const AUTHENTICATED = "system:authenticated";
export const MASTERS = "system:masters";

/** The user of a verified client certificate; undefined when there is none. */
export function certificateUser(socket: TLSSocket): User | undefined {
  // A plain socket has no such field.
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  // Node gives an array where the subject names several organisations.
  const names = subject as unknown as Record<string, string | readonly string[] | undefined> | undefined;
  const name = [names?.["CN"]].flat()[0];
  return name ? userOf(name, [names?.["O"] ?? []].flat()) : undefined;
}

export function userOf(name: string, groups: readonly string[]): User {
  return { name, groups: groups.includes(AUTHENTICATED) ? groups : [...groups, AUTHENTICATED] };
}

/** The user of a bearer token; undefined for one that is not, or no longer, good for this API server. */
export function tokenUser(context: ServerContext, token: string, audience = ISSUER): User | undefined {
  const verified = context.tokens.verify(token);
  if (!verified?.audiences.includes(audience) || !isStillThere(context, verified)) return undefined;
  const { namespace, serviceAccount, pod } = verified;
  return {
    name: accountName(namespace, serviceAccount.name),
    uid: serviceAccount.uid,
    groups: [...accountGroups(namespace), AUTHENTICATED],
    ...(pod
      ? {
          extra: {
            "authentication.kubernetes.io/pod-name": [pod.name],
            "authentication.kubernetes.io/pod-uid": [pod.uid],
          },
        }
      : {}),
  };
}

/** The user of a token that one of kubemu's own processes shows. */
function componentUser({ componentTokens }: ServerContext, token: string): User | undefined {
  const identity = componentTokens?.(token);
  return identity && userOf(identity.name, identity.groups);
}

/** A token is good for as long as what it is bound to. */
function isStillThere({ store }: ServerContext, { namespace, serviceAccount, pod }: VerifiedToken): boolean {
  const has = (plural: string, { name, uid }: { name: string; uid: string }) =>
    store.get(`${plural}/${namespace}/${name}`)?.object.metadata.uid === uid;
  return has("serviceaccounts", serviceAccount) && (!pod || has("pods", pod));
}

/** The user of a request with these credentials. Throws 401. */
export function authenticate(
  context: ServerContext,
  { certificate, authorization }: { certificate: User | undefined; authorization: string | undefined },
): User {
  if (certificate) return certificate;
  const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  const user = token ? (componentUser(context, token) ?? tokenUser(context, token)) : undefined;
  if (!user) throw statusError("Unauthorized", "Unauthorized");
  return user;
}

export interface Attributes {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly path?: string;
}

/** The one authorisation point but for impersonation. Unlike Kubernetes: whoever has a credential may do everything. */
export function isAllowed(_user: User, _attributes: Attributes): boolean {
  return true;
}
