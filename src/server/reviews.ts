// The resources that are questions, not objects: who am I, is this token good, may I. Nothing of them is stored.

import type { TokenReview } from "../api/generated/types.ts";
import type { KubeObject } from "../api/object.ts";
import { type FieldError, invalid, invalidObject } from "../api/status-error.ts";
import { tokenUser } from "./authentication.ts";
import { type BodyType, readObject } from "./body.ts";
import type { ServerContext } from "./context.ts";
import { refuseTable } from "./negotiation.ts";
import { type ApiRequest, type DocumentAnswer, documentOf, type User } from "./request.ts";
import { ISSUER } from "./tokens.ts";

export interface Review {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly schema: string;
  /** The status that answers the question in `object`. */
  answer(object: KubeObject, asked: { context: ServerContext; user: User }): unknown;
}

const AUTHENTICATION = { group: "authentication.k8s.io", version: "v1", namespaced: false };
const AUTHORIZATION = { group: "authorization.k8s.io", version: "v1", namespaced: false };
const schemaOf = (group: string, kind: string) => `io.k8s.api.${group}.v1.${kind}`;

const infoOf = ({ name, uid, groups, extra }: User) => ({
  username: name,
  ...(uid ? { uid } : {}),
  groups,
  ...(extra ? { extra } : {}),
});

interface AccessSpec {
  readonly resourceAttributes?: object;
  readonly nonResourceAttributes?: object;
  readonly user?: string;
  readonly groups?: readonly string[];
}

/** `needsUser`: the question is about somebody else. */
function checkAccess(kind: string, object: KubeObject, needsUser: boolean): void {
  const { spec = {} } = object as { spec?: AccessSpec };
  const errors: FieldError[] = [];
  if ((spec.resourceAttributes === undefined) === (spec.nonResourceAttributes === undefined)) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    errors.push(invalid("spec.resourceAttributes", spec.resourceAttributes, why));
  }
  if (needsUser && !spec.user && !spec.groups?.length)
    errors.push(invalid("spec.user", "", "at least one of user or group must be specified"));
  if (errors.length > 0) throw invalidObject({ group: AUTHORIZATION.group, kind }, "", errors);
}

const allowed = () => ({ allowed: true, reason: "kubemu lets every user with a credential do everything" });

export const reviews: readonly Review[] = [
  {
    ...AUTHENTICATION,
    plural: "selfsubjectreviews",
    singular: "selfsubjectreview",
    kind: "SelfSubjectReview",
    schema: schemaOf("authentication", "SelfSubjectReview"),
    answer: (_, { user }) => ({ userInfo: infoOf(user) }),
  },
  {
    ...AUTHENTICATION,
    plural: "tokenreviews",
    singular: "tokenreview",
    kind: "TokenReview",
    schema: schemaOf("authentication", "TokenReview"),
    answer: (object, { context }) => {
      const { spec } = object as unknown as TokenReview;
      const audiences = spec?.audiences?.length ? spec.audiences : [ISSUER];
      for (const audience of audiences) {
        const user = tokenUser(context, spec?.token ?? "", audience);
        if (user) return { authenticated: true, user: infoOf(user), audiences: [audience] };
      }
      return { user: {}, error: "invalid bearer token" };
    },
  },
  {
    ...AUTHORIZATION,
    plural: "selfsubjectaccessreviews",
    singular: "selfsubjectaccessreview",
    kind: "SelfSubjectAccessReview",
    schema: schemaOf("authorization", "SelfSubjectAccessReview"),
    answer: (object) => {
      checkAccess("SelfSubjectAccessReview", object, false);
      return allowed();
    },
  },
  {
    ...AUTHORIZATION,
    plural: "selfsubjectrulesreviews",
    singular: "selfsubjectrulesreview",
    kind: "SelfSubjectRulesReview",
    schema: schemaOf("authorization", "SelfSubjectRulesReview"),
    answer: () => ({
      resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
      nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
      incomplete: false,
    }),
  },
  {
    ...AUTHORIZATION,
    plural: "subjectaccessreviews",
    singular: "subjectaccessreview",
    kind: "SubjectAccessReview",
    schema: schemaOf("authorization", "SubjectAccessReview"),
    answer: (object) => {
      checkAccess("SubjectAccessReview", object, true);
      return allowed();
    },
  },
  {
    ...AUTHORIZATION,
    namespaced: true,
    plural: "localsubjectaccessreviews",
    singular: "localsubjectaccessreview",
    kind: "LocalSubjectAccessReview",
    schema: schemaOf("authorization", "LocalSubjectAccessReview"),
    answer: (object) => {
      checkAccess("LocalSubjectAccessReview", object, true);
      return allowed();
    },
  },
];

export function findReview(group: string, version: string, plural: string): Review | undefined {
  return reviews.find((one) => one.plural === plural && one.group === group && one.version === version);
}

/** POST: the object that was sent, with its status. */
export async function answerReview(
  context: ServerContext,
  review: Review,
  request: ApiRequest,
): Promise<DocumentAnswer> {
  refuseTable(request.accept);
  const type: BodyType = {
    schema: review.schema,
    apiVersion: `${review.group}/${review.version}`,
    kind: review.kind,
  };
  const { object, warnings } = await readObject(request, context.registry, type);
  const status = review.answer(object, { context, user: request.user });
  return documentOf({ ...object, status }, { status: 201, warnings });
}
