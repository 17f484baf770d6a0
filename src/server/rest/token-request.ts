// serviceaccounts/NAME/token: issues a token for a service account, bound to a pod where one is named.
import type { AuthenticationTokenRequest as TokenRequest } from "../../api/generated/types.ts";
import { badRequest, conflict, invalid, invalidObject, notFound } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import { type BodyType, readObject } from "../body.ts";
import type { ServerContext } from "../context.ts";
import { type ApiRequest, type DocumentAnswer, documentOf } from "../request.ts";
import { ISSUER, type TokenSubject } from "../tokens.ts";
import { findObject } from "./read.ts";
import type { NamedTarget } from "./update.ts";

const TOKEN_REQUEST: BodyType = {
  schema: "io.k8s.api.authentication.v1.TokenRequest",
  apiVersion: "authentication.k8s.io/v1",
  kind: "TokenRequest",
};
const DEFAULT_SECONDS = 3600;
const SHORTEST_SECONDS = 600;
const LONGEST_SECONDS = 2 ** 32;

export async function requestToken(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<DocumentAnswer> {
  const { metadata } = findObject(context, target).object;
  const wanted = (await readObject(request, context.registry, TOKEN_REQUEST))
    .object as unknown as TokenRequest;
  const seconds = wanted.spec?.expirationSeconds ?? DEFAULT_SECONDS;
  const refuse = (detail: string) =>
    invalidObject({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [
      invalid("spec.expirationSeconds", seconds, detail),
    ]);
  if (seconds < SHORTEST_SECONDS) throw refuse("may not specify a duration less than 10 minutes");
  if (seconds > LONGEST_SECONDS) throw refuse("may not specify a duration larger than 2^32 seconds");
  const audiences = wanted.spec?.audiences?.length ? wanted.spec.audiences : [ISSUER];
  const subject: TokenSubject = {
    namespace: target.namespace ?? "",
    serviceAccount: { name: metadata.name, uid: metadata.uid },
    pod: boundPod(context, target, wanted),
  };
  const { token, expiresAtMs } = context.tokens.issue(subject, { audiences, seconds });
  const answer = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {
      name: metadata.name,
      namespace: target.namespace,
      creationTimestamp: timestamp(context.clock.now()),
    },
    spec: { ...wanted.spec, audiences, expirationSeconds: seconds },
    status: { token, expirationTimestamp: timestamp(expiresAtMs) },
  };
  return documentOf(answer, { status: 201 });
}

function boundPod(
  { store }: ServerContext,
  { kind, namespace, name: account }: NamedTarget,
  { spec }: TokenRequest,
): TokenSubject["pod"] {
  const bound = spec?.boundObjectRef;
  if (!bound) return undefined;
  if (bound.kind !== "Pod" || !bound.name)
    throw badRequest(
      `cannot bind token to object of type ${bound.apiVersion ?? ""}, Kind=${bound.kind ?? ""}`,
    );
  const pod = store.get(`pods/${namespace}/${bound.name}`)?.object.metadata;
  if (!pod) throw notFound({ group: "", plural: "pods" }, bound.name);
  if (bound.uid && bound.uid !== pod.uid)
    throw conflict(
      kind.resource,
      account,
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return { name: pod.name, uid: pod.uid };
}
