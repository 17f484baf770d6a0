import type { ControllerRevision, Pod, StatefulSet } from "../../api/generated/types.ts";
import { statefulSets } from "../../api/kinds/stateful-set.ts";
import { CONTROLLER_REVISION_HASH } from "../../api/names.ts";
import type { Draft } from "../../api/object.ts";
import { podFromTemplate } from "../shared/pod-from-template.ts";
import { templateIn } from "../shared/revisions.ts";
import { volumesWithClaims } from "./claims.ts";
import { identityLabels, podName } from "./identity.ts";

/** The replica number `ordinal`, made from what the revision holds. */
export function draftReplica(
  set: Readonly<StatefulSet>,
  ordinal: number,
  revision: Readonly<ControllerRevision>,
): Draft<Pod> {
  const name = podName(set, ordinal);
  const { metadata, spec } = podFromTemplate(set, statefulSets, templateIn(revision));
  const { generateName: _, labels, ...rest } = metadata ?? {};
  const { serviceName } = set.spec;
  return {
    metadata: {
      ...rest,
      name,
      labels: {
        ...labels,
        ...identityLabels(set, ordinal),
        [CONTROLLER_REVISION_HASH]: revision.metadata.name,
      },
    },
    spec: {
      ...spec,
      hostname: name,
      ...(serviceName ? { subdomain: serviceName } : {}),
      ...volumesWithClaims(set, ordinal, spec?.volumes),
    },
  };
}
