// Pure: on which of several nodes pods are made to leave (pickOneNodeForPreemption). Each measure is asked only where the one
// before leaves several nodes: node a with victims of priority 5 loses to node b with three of priority 1.
import type { PodInfo } from "../pod-info.ts";
import { byImportance, startedAt, type Victims } from "./victims.ts";

/** Added to each priority, so that more victims count for more even where priorities are negative. */
const OFFSET = 2 ** 31;

const MEASURES: readonly ((victims: Victims) => number)[] = [
  ({ violations }) => violations,
  ({ pods }) => pods.reduce((most, { priority }) => Math.max(most, priority), Number.NEGATIVE_INFINITY),
  ({ pods }) => pods.reduce((sum, { priority }) => sum + priority + OFFSET, 0),
  ({ pods }) => pods.length,
];

/** Fewest violated budgets, then lowest highest priority, lowest sum, fewest victims, the most important victim started latest. */
export function chooseVictims(candidates: readonly Victims[]): Victims | undefined {
  let best = candidates;
  for (const measure of MEASURES) {
    const least = Math.min(...best.map(measure));
    best = best.filter((one) => measure(one) === least);
  }
  return best.reduce<Victims | undefined>(
    (chosen, one) =>
      chosen && mostImportantStart(chosen.pods) >= mostImportantStart(one.pods) ? chosen : one,
    undefined,
  );
}

function mostImportantStart(pods: readonly PodInfo[]): string {
  const [first] = [...pods].sort(byImportance);
  return first ? startedAt(first) : "";
}
