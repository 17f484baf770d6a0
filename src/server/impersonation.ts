// Impersonate-User, -Group, -Uid and -Extra-*: who may acts as somebody else, in the rules and words of apiserver's WithImpersonation filter.
// Unlike Kubernetes: with no roles to ask, members of system:masters may impersonate anybody and nobody else may.
import { forbidden, plainError } from "../api/status-error.ts";
import { AUTHENTICATED, MASTERS } from "./authentication.ts";
import type { User } from "./request.ts";
import { accountGroups, accountName } from "./tokens.ts";

const EXTRA = "impersonate-extra-";
const ANONYMOUS = "system:anonymous";
const UNAUTHENTICATED = "system:unauthenticated";
const AUTHENTICATION_GROUP = "authentication.k8s.io";

/** One thing of somebody that is asked for: each is a resource that the requestor must be allowed to impersonate. */
interface Asked {
  readonly kind: "ServiceAccount" | "User" | "Group" | "UserExtra" | "UID";
  readonly namespace?: string;
  readonly name: string;
  /** The key of a UserExtra. */
  readonly key?: string;
}

const RESOURCES = {
  ServiceAccount: { group: "", plural: "serviceaccounts" },
  User: { group: "", plural: "users" },
  Group: { group: "", plural: "groups" },
  UserExtra: { group: AUTHENTICATION_GROUP, plural: "userextras" },
  UID: { group: AUTHENTICATION_GROUP, plural: "uids" },
} as const;

/**
 * The user that a request of `requestor` acts as: itself without impersonation headers. `headers` are names and values in turn, as they came: a
 * group is one header. Throws 403 to who may not, 500 for headers that name no user.
 */
export function impersonate(requestor: User, headers: readonly string[], url: string): User {
  const asked = readAsked(headers);
  if (asked.length === 0) return requestor;
  if (!asked.some(isUser)) throw plainError(withoutUser(asked, url));
  if (!requestor.groups.includes(MASTERS)) throw mayNot(requestor, asked[0]!);
  const user = asked.find(isUser)!;
  const named = asked.flatMap(({ kind, name }) => (kind === "Group" ? [name] : []));
  const uid = asked.find(({ kind }) => kind === "UID")?.name;
  const extra = new Map<string, string[]>();
  for (const { kind, key = "", name } of asked)
    if (kind === "UserExtra") extra.set(key, [...(extra.get(key) ?? []), name]);
  const name = user.namespace === undefined ? user.name : accountName(user.namespace, user.name);
  return {
    name,
    ...(uid === undefined ? {} : { uid }),
    groups: withStanding(name, named.length > 0 ? named : groupsOf(user)),
    ...(extra.size > 0 ? { extra: Object.fromEntries(extra) } : {}),
  };
}

const isUser = ({ kind }: Asked): boolean => kind === "User" || kind === "ServiceAccount";

/** Of an account they are known; of anybody else only the headers could say. */
const groupsOf = ({ namespace }: Asked): readonly string[] =>
  namespace === undefined ? [] : accountGroups(namespace);

/** Whether a header, its name in lower case, says whom a request acts as. */
export const isImpersonation = (header: string): boolean => header.startsWith("impersonate-");

/** With the group of all who have shown who they are, or of those who have not, unless the headers have said which. */
function withStanding(name: string, groups: readonly string[]): readonly string[] {
  if (name === ANONYMOUS) return groups.includes(UNAUTHENTICATED) ? groups : [...groups, UNAUTHENTICATED];
  const said = groups.includes(AUTHENTICATED) || groups.includes(UNAUTHENTICATED);
  return said ? groups : [...groups, AUTHENTICATED];
}

function readAsked(headers: readonly string[]): Asked[] {
  const user: Asked[] = [];
  const groups: Asked[] = [];
  const extras: Asked[] = [];
  const uid: Asked[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const header = headers[index]!.toLowerCase();
    if (!isImpersonation(header)) continue;
    // Node reads headers as Latin-1, Go takes their bytes as UTF-8.
    const name = Buffer.from(headers[index + 1]!, "latin1").toString("utf8");
    // Of the user and the UID the first counts, and an empty one is none.
    if (header === "impersonate-user" && user.length === 0 && name) user.push(userCalled(name));
    else if (header === "impersonate-group") groups.push({ kind: "Group", name });
    else if (header === "impersonate-uid" && uid.length === 0 && name) uid.push({ kind: "UID", name });
    else if (header.startsWith(EXTRA)) extras.push({ kind: "UserExtra", name, key: keyOfExtra(header) });
  }
  return [...user, ...groups, ...extras, ...uid];
}

function userCalled(name: string): Asked {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  return account
    ? { kind: "ServiceAccount", namespace: account[1]!, name: account[2]! }
    : { kind: "User", name };
}

/** `impersonate-extra-acme.com%2fproject` → `acme.com/project`; what is no escape stays as it is. */
function keyOfExtra(header: string): string {
  const key = header.slice(EXTRA.length);
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** As Go prints the ObjectReferences: kind, namespace, name, uid, apiVersion, resourceVersion and fieldPath. */
function withoutUser(asked: readonly Asked[], url: string): string {
  const shown = asked.map(({ kind, name, key = "" }) => {
    const version = kind === "Group" ? "" : `${AUTHENTICATION_GROUP}/v1`;
    return `{${[kind, "", name, "", version, "", key].join(" ")}}`;
  });
  return `Internal Server Error: ${JSON.stringify(url)}: requested [${shown.join(" ")}] without impersonating a user`;
}

function mayNot(requestor: User, { kind, namespace, name, key }: Asked): Error {
  const { group, plural } = RESOURCES[kind];
  const resource = key === undefined ? plural : `${plural}/${key}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const why = `User ${JSON.stringify(requestor.name)} cannot impersonate resource ${JSON.stringify(resource)} in API group "${group}" ${where}`;
  return forbidden({ group, plural }, name, why);
}
