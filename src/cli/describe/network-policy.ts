// NetworkPolicies, in words.
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../../api/generated/types.ts";
import { formatLabelSelector } from "../../api/selectors.ts";
import { annotationsLines, type Describe, head, indent, labelsLines } from "./common.ts";

interface Rule {
  readonly ports?: readonly NetworkPolicyPort[];
  readonly peers?: readonly NetworkPolicyPeer[];
}

interface Direction {
  readonly type: "ingress" | "egress";
  readonly peer: "From" | "To";
  readonly restricted: "source" | "destination";
}

const INGRESS: Direction = { type: "ingress", peer: "From", restricted: "source" };
const EGRESS: Direction = { type: "egress", peer: "To", restricted: "destination" };

export const describeNetworkPolicy: Describe<NetworkPolicy> = (policy) => {
  const { metadata, spec } = policy;
  const selector = formatLabelSelector(spec?.podSelector);
  const everyPod =
    selector === "<none>" ? " (Allowing the specific traffic to all pods in this namespace)" : "";
  const types = spec?.policyTypes ?? [];
  const ingress = (spec?.ingress ?? []).map(({ ports = [], from = [] }) => ({ ports, peers: from }));
  const egress = (spec?.egress ?? []).map(({ ports = [], to = [] }) => ({ ports, peers: to }));
  const lines = [
    `PodSelector:     ${selector}${everyPod}\n`,
    types.includes("Ingress") ? directionLines(INGRESS, ingress) : "Not affecting ingress traffic\n",
    types.includes("Egress") ? directionLines(EGRESS, egress) : "Not affecting egress traffic\n",
    `Policy Types: ${types.join(", ")}\n`,
  ];
  return [
    head(policy),
    `Created on:\t${metadata.creationTimestamp?.replace("T", " ").replace("Z", " +0000 UTC")}\n`,
    labelsLines(policy),
    annotationsLines(policy),
    `Spec:\n${indent(lines.join(""), "  ")}`,
  ].join("");
};

function directionLines(direction: Direction, rules: readonly Rule[]): string {
  const { type } = direction;
  const body =
    rules.map((rule) => ruleLines(direction, rule)).join("----------\n") ||
    `<none> (Selected pods are isolated for ${type} connectivity)\n`;
  return `Allowing ${type} traffic:\n${indent(body, "  ")}`;
}

function ruleLines({ peer, restricted }: Direction, { ports = [], peers = [] }: Rule): string {
  const portLines = ports.map(({ protocol = "TCP", port, endPort }) =>
    endPort === undefined
      ? `To Port: ${port ?? "<nil>"}/${protocol}\n`
      : `To Port Range: ${port}-${endPort}/${protocol}\n`,
  );
  const peerTexts = peers.map((one) => `${peer}:\n${indent(peerLines(one), "  ")}`);
  return [
    portLines.join("") || "To Port: <any> (traffic allowed to all ports)\n",
    peerTexts.join("") || `${peer}: <any> (traffic not restricted by ${restricted})\n`,
  ].join("");
}

function peerLines({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): string {
  if (ipBlock) return `IPBlock:\n  CIDR: ${ipBlock.cidr}\n  Except: ${ipBlock.except?.join(", ") ?? ""}\n`;
  return [
    namespaceSelector ? `NamespaceSelector: ${formatLabelSelector(namespaceSelector)}\n` : "",
    podSelector ? `PodSelector: ${formatLabelSelector(podSelector)}\n` : "",
  ].join("");
}
