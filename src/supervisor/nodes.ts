import type { ClusterNode } from "./state.ts";

/** The nodes a cluster had, cut or grown to `count`; a new cluster has node-1 to node-N. */
export function chooseNodes(had: readonly ClusterNode[], count: number | undefined): ClusterNode[] {
  const wanted = count ?? (had.length || 3);
  const nodes = had.slice(0, wanted);
  while (nodes.length < wanted) nodes.push(nextNode(nodes));
  return nodes;
}

/** The next node's index is the lowest free one; its name follows from it unless that is taken. */
export function nextNode(nodes: readonly ClusterNode[], name?: string): ClusterNode {
  let index = 1;
  while (nodes.some((node) => node.index === index)) index++;
  let number = index;
  while (nodes.some((node) => node.name === `node-${number}`)) number++;
  return { name: name ?? `node-${number}`, index };
}
