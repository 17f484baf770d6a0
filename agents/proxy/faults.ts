// What is broken on purpose between the proxy and an endpoint: a link that is cut, slow or lossy, as TCP shows it. A cut link takes
// no bytes and lets no connection come about until it is healed; a lost packet arrives after a retransmission time-out.
import type { Clock } from "../../src/base/clock.ts";

export interface FaultRates {
  /** Nothing passes. */
  readonly cut: boolean;
  /** Each chunk of bytes and each connect arrives so much later. */
  readonly delayMs: number;
  /** Up to so much more, by chance. */
  readonly jitterMs: number;
  /** 0 … 1: how many of the chunks and connects are lost at first. */
  readonly loss: number;
}

// Linux' least retransmission time-out, and its first one for a SYN.
const RETRANSMIT_MS = 200;
const SYN_RETRANSMIT_MS = 1_000;

/** The state of one fault, for all the links that it concerns. */
export interface LinkFault {
  readonly rates: FaultRates;
  readonly clock: Clock;
  /** How late what is sent now arrives; Infinity on a cut link. */
  delayOf(what: "connect" | "bytes"): number;
  /** Calls `heal` once when the fault is over for `link`. Returns the way to take that back. */
  whenHealed(link: object, heal: () => void): () => void;
  /** The link is out of this fault's reach. */
  left(link: object): void;
}

export interface FaultOptions {
  readonly clock: Clock;
  /** Numbers from 0 up to 1. */
  readonly random?: () => number;
}

export function createLinkFault(rates: FaultRates, { clock, random = Math.random }: FaultOptions): LinkFault {
  const waiting = new Map<object, Set<() => void>>();
  return {
    rates,
    clock,
    delayOf(what) {
      if (rates.cut) return Number.POSITIVE_INFINITY;
      const retransmit = what === "connect" ? SYN_RETRANSMIT_MS : RETRANSMIT_MS;
      const lost = rates.loss > 0 && random() < rates.loss ? retransmit : 0;
      return rates.delayMs + rates.jitterMs * random() + lost;
    },
    whenHealed(link, heal) {
      const all = waiting.get(link) ?? new Set();
      waiting.set(link, all.add(heal));
      return () => all.delete(heal);
    },
    left(link) {
      const all = [...(waiting.get(link) ?? [])];
      waiting.delete(link);
      for (const heal of all) heal();
    },
  };
}

/** Faults that concern the same link add up. */
export function sumOfRates(all: readonly FaultRates[]): FaultRates {
  return {
    cut: all.some(({ cut }) => cut),
    delayMs: all.reduce((sum, { delayMs }) => sum + delayMs, 0),
    jitterMs: all.reduce((sum, { jitterMs }) => sum + jitterMs, 0),
    loss: 1 - all.reduce((kept, { loss }) => kept * (1 - loss), 1),
  };
}

export interface FaultyLink {
  fault: LinkFault | undefined;
}

/** What is under way on a slow link, in order. */
export interface DelayLine<T> {
  /** Nothing is under way: what comes now may go without delay. */
  readonly idle: boolean;
  push(item: T): void;
  /** What is under way never arrives. */
  drop(): void;
}

/** `hand` gets each item when it arrives. */
export function createDelayLine<T>(link: FaultyLink, hand: (item: T) => void): DelayLine<T> {
  let queue: { readonly item: T; dueAt: number }[] = [];
  let lastDueAt = 0;
  let clock: Clock | undefined;
  let cancel: (() => void) | undefined;

  const onHealed = () => {
    for (const entry of queue) if (!Number.isFinite(entry.dueAt)) entry.dueAt = 0;
    lastDueAt = 0;
    cancel = undefined;
    arrive();
  };
  const arrive = () => {
    cancel = undefined;
    while (queue[0] && clock) {
      const { item, dueAt } = queue[0];
      const leftMs = dueAt - clock.now();
      if (leftMs > 0) {
        cancel ??= Number.isFinite(dueAt)
          ? clock.after(leftMs, arrive)
          : (link.fault?.whenHealed(link, onHealed) ?? clock.after(0, onHealed));
        return;
      }
      queue.shift();
      hand(item);
    }
  };
  return {
    get idle() {
      return queue.length === 0;
    },
    push(item) {
      const { fault } = link;
      clock ??= fault?.clock;
      const now = clock?.now() ?? 0;
      lastDueAt = Math.max(lastDueAt, now + (fault?.delayOf("bytes") ?? 0));
      queue.push({ item, dueAt: lastDueAt });
      if (!cancel) arrive();
    },
    drop() {
      queue = [];
      cancel?.();
      cancel = undefined;
    },
  };
}
