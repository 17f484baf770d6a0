// Pure: on which nodes the pods of a DaemonSet belong, and what such a pod looks like (daemon_controller.go, util/daemonset_util.go).
import type { Affinity, DaemonSet, Node, Pod, PodSpec, Toleration } from "../../api/generated/types.ts";
import { daemonSets } from "../../api/kinds/daemon-set.ts";
import {
  CONTROLLER_REVISION_HASH,
  TAINT_DISK_PRESSURE,
  TAINT_MEMORY_PRESSURE,
  TAINT_NETWORK_UNAVAILABLE,
  TAINT_NOT_READY,
  TAINT_PID_PRESSURE,
  TAINT_UNREACHABLE,
  TAINT_UNSCHEDULABLE,
} from "../../api/names.ts";
import { requiredNodes } from "../../api/node-selector.ts";
import type { Draft } from "../../api/object.ts";
import { tolerates } from "../../api/taints.ts";
import { podFromTemplate } from "../shared/pod-from-template.ts";

type Set = Readonly<DaemonSet>;

const TEMPLATE_GENERATION = "pod-template-generation";
const TEMPLATE_GENERATION_OF_SET = "deprecated.daemonset.template.generation";
const NODE_NAME = "metadata.name";

export interface Verdict {
  /** The node should get a pod. */
  readonly run: boolean;
  /** A pod that is there already may stay. */
  readonly stay: boolean;
}

const NEITHER: Verdict = { run: false, stay: false };

export function placementOn(set: Set, node: Readonly<Node>): Verdict {
  const { spec } = set.spec.template;
  if (!spec || (spec.nodeName && spec.nodeName !== node.metadata.name)) return NEITHER;
  if (requiredNodes({ spec } as Pod)?.(node) === false) return NEITHER;
  const tolerations = tolerationsOf(spec);
  const against = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect !== "PreferNoSchedule" && !tolerates(tolerations, taint),
  );
  return { run: against.length === 0, stay: against.every(({ effect }) => effect !== "NoExecute") };
}

/** What every daemon puts up with, so that it stays on a node in trouble. */
function tolerationsOf({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const added: Toleration[] = [
    [TAINT_NOT_READY, "NoExecute"],
    [TAINT_UNREACHABLE, "NoExecute"],
    [TAINT_DISK_PRESSURE, "NoSchedule"],
    [TAINT_MEMORY_PRESSURE, "NoSchedule"],
    [TAINT_PID_PRESSURE, "NoSchedule"],
    [TAINT_UNSCHEDULABLE, "NoSchedule"],
    ...(hostNetwork ? [[TAINT_NETWORK_UNAVAILABLE, "NoSchedule"]] : []),
  ].map(([key = "", effect = ""]) => ({ key, operator: "Exists", effect }));
  const same = (a: Toleration, b: Toleration) =>
    a.key === b.key && a.operator === b.operator && a.effect === b.effect;
  // A toleration for a limited time would be one too few.
  return [...tolerations.filter((one) => !added.some((other) => same(one, other))), ...added];
}

/** The pod for that node; the scheduler, which knows the node's room, binds it there. */
export function draftDaemonPod(set: Set, node: string, hash: string): Draft<Pod> {
  const { metadata, spec } = podFromTemplate(set, daemonSets, set.spec.template);
  const { template } = set.spec;
  const generation = set.metadata.annotations?.[TEMPLATE_GENERATION_OF_SET];
  return {
    metadata: {
      ...metadata,
      labels: {
        ...metadata?.labels,
        ...(generation ? { [TEMPLATE_GENERATION]: generation } : {}),
        [CONTROLLER_REVISION_HASH]: hash,
      },
    },
    spec: {
      ...spec,
      affinity: onNode(template.spec?.affinity, node),
      ...(template.spec ? { tolerations: tolerationsOf(template.spec) } : {}),
    },
  };
}

/** The template's affinity with its required nodes, which have been looked at already, replaced by the one. */
function onNode(affinity: Affinity | undefined, node: string): Affinity {
  const matchFields = [{ key: NODE_NAME, operator: "In", values: [node] }];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  };
}

/** The node that the pod is on or for. */
export function nodeOf({ spec }: Readonly<Pod>): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const name = matchFields.find(({ key, operator }) => key === NODE_NAME && operator === "In");
    if (name?.values?.length === 1) return name.values[0];
  }
  return undefined;
}
