// Watches: the store's events, selected and shaped for one client. The wire form of an event is made once, however many
// watchers it goes to. A watcher that cannot keep up is closed and resumes from its last resourceVersion.
import { INITIAL_EVENTS_END, type KubeObject } from "../../api/object.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { type StatusError, statusError } from "../../api/status-error.ts";
import { ExpiredError, type StoreEvent } from "../../store/store.ts";
import type { ObjectEntry, ServerContext } from "../context.ts";
import { storePrefix } from "../keys.ts";
import { type Format, PROTOBUF } from "../negotiation.ts";
import type { ApiRequest, WatchAnswer, WatchLine, WatchSink } from "../request.ts";
import { checkWatchOptions } from "./list-options.ts";
import { notInProtobuf, partialOf, servedEntry } from "./present.ts";
import { expired, formatOf, parseVersion, snapshot } from "./read.ts";
import { type Selection, selectionOf } from "./selection.ts";
import { tableOf } from "./table.ts";
import { booleanOf, integerOf, type Target } from "./target.ts";
import {
  createJsonLines,
  createProtobufLines,
  type PlainLine,
  type Shown,
  type WatchLines,
} from "./watch-lines.ts";

const BOOKMARK_MS = 60_000;
// Initial events that are sent without a pause.
const BATCH = 250;
// kube-apiserver --min-request-timeout: an unbounded watch ends after this to twice this.
const DEFAULT_TIMEOUT_MS = 1_800_000;

export interface Watches {
  /** Throws StatusErrors for what is wrong with the request. */
  open(target: Target, request: ApiRequest): WatchAnswer | Promise<WatchAnswer>;
  /** Ends every watch. */
  stop(): void;
}

export function createWatches(context: ServerContext): Watches {
  const active = new Set<() => void>();
  const jsonLines = createJsonLines();
  let protobufLines: WatchLines | undefined;
  const answer = (order: WatchOrder, lines: WatchLines, contentType: string): WatchAnswer => ({
    form: "watch",
    contentType,
    start(sink) {
      const end = runWatch(context, order, { sink, lines, onEnd: () => active.delete(end) });
      active.add(end);
      return end;
    },
  });
  const openInProtobuf = async (order: WatchOrder) => {
    const { encodeWatchEvent, schemaOfDocument } = await import("../../api/protobuf/documents.ts");
    const { resource } = order.target.served;
    if (order.format.as === "object" && !schemaOfDocument(apiVersionOf(resource), resource.kind))
      throw notInProtobuf();
    protobufLines ??= createProtobufLines(encodeWatchEvent);
    return answer(order, protobufLines, `${PROTOBUF};stream=watch`);
  };
  return {
    open(target, request) {
      const order = readOrder(target, request);
      return order.format.encoding === "protobuf"
        ? openInProtobuf(order)
        : answer(order, jsonLines, "application/json");
    },
    stop() {
      for (const end of [...active]) end();
    },
  };
}

interface WatchOrder {
  readonly target: Target;
  readonly format: Format;
  readonly selection: Selection;
  readonly bookmarks: boolean;
  /** Begin with an ADDED for everything there is. */
  readonly initial: boolean;
  /** Say when those are through. */
  readonly markInitialEnd: boolean;
  /** Where to go on from when not `initial`. Undefined: now. */
  readonly from: number | undefined;
  readonly timeoutMs: number;
}

function readOrder(target: Target, request: ApiRequest): WatchOrder {
  const { query } = request;
  const format = formatOf(request);
  if (format.encoding === "yaml")
    throw statusError(
      "NotAcceptable",
      `only the following media types are accepted: application/json;stream=watch, ${PROTOBUF};stream=watch`,
    );
  const version = query.get("resourceVersion") ?? "";
  const from = parseVersion(version);
  const sendInitial = booleanOf(query, "sendInitialEvents");
  checkWatchOptions(query);
  const seconds = integerOf(query, "timeoutSeconds") ?? 0;
  // With a name in the path (`/api/v1/watch/…/NAME`) only that object is watched.
  return {
    target,
    format,
    selection: selectionOf(target.served, query),
    bookmarks: booleanOf(query, "allowWatchBookmarks") === true,
    initial: sendInitial ?? from === 0,
    markInitialEnd: sendInitial === true && booleanOf(query, "allowWatchBookmarks") === true,
    from: from === 0 ? undefined : from,
    timeoutMs: seconds > 0 ? seconds * 1000 : DEFAULT_TIMEOUT_MS * (1 + Math.random()),
  };
}

interface WatchEnd {
  readonly sink: WatchSink;
  readonly lines: WatchLines;
  readonly onEnd: () => void;
}

/** Sends until it is ended; returns how. */
function runWatch(context: ServerContext, order: WatchOrder, { sink, lines, onEnd }: WatchEnd): () => void {
  const { store, clock } = context;
  const { kind } = order.target;
  const shape = shapeOf(context, order, lines);
  let stopEvents = () => {};
  let stopTimers = () => {};
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    stopEvents();
    stopTimers();
    onEnd();
    sink.end();
  };
  const send = (line: WatchLine) => {
    if (!ended && !sink.send(line)) end();
  };
  const bookmark = (revision = store.revision, annotations?: Record<string, string>) =>
    send(lines.fresh("BOOKMARK", bookmarkOf(order, String(revision), annotations)));
  const fail = ({ status }: StatusError) => {
    send(lines.fresh("ERROR", status));
    // Not before the caller has got hold of `end`.
    queueMicrotask(end);
  };
  const follow = (from: number) => {
    try {
      stopEvents = store.watch(storePrefix(kind.resource, order.target.namespace), from, (event) => {
        const seen = ended ? undefined : select(event, order.selection);
        if (seen) send(shape(seen.type, seen.entry));
      });
    } catch (error) {
      if (!(error instanceof ExpiredError)) throw error;
      return fail(expired(error.message));
    }
    if (ended) stopEvents();
    else stopTimers = startTimers(clock, order, { bookmark, end });
  };
  /** What there was at one revision, batch by batch; what came meanwhile follows. */
  const sendInitial = (entries: readonly ObjectEntry[], revision: number) => {
    for (const entry of entries.slice(0, BATCH)) send(shape("ADDED", entry));
    const rest = entries.slice(BATCH);
    if (rest.length > 0)
      return sink.whenReady(() => {
        if (!ended) sendInitial(rest, revision);
      });
    if (order.markInitialEnd) bookmark(revision, { [INITIAL_EVENTS_END]: "true" });
    follow(revision);
  };

  const { from = store.revision, initial, selection } = order;
  if (!initial) follow(from);
  else if (from > store.revision) fail(tooNew(from, store.revision));
  else {
    const all = snapshot(context, order.target, { selection });
    const matching = all.filter(({ object }) => selection.matches(object));
    sendInitial(matching, store.revision);
  }
  return end;
}

function startTimers(
  clock: ServerContext["clock"],
  order: WatchOrder,
  { bookmark, end }: { bookmark: () => void; end: () => void },
): () => void {
  let stopBookmarks = () => {};
  const next = () => {
    stopBookmarks = clock.after(BOOKMARK_MS, () => {
      bookmark();
      next();
    });
  };
  if (order.bookmarks) next();
  const stopTimeout = clock.after(order.timeoutMs, () => {
    if (order.bookmarks) bookmark();
    end();
  });
  return () => {
    stopBookmarks();
    stopTimeout();
  };
}

/** What an event is to a watcher with a selector: an object that stops matching is DELETED to it, one that begins to is ADDED. */
function select(
  { type, entry, previous }: StoreEvent<KubeObject>,
  { everything, matches }: Selection,
): { type: WatchLine["type"]; entry: Shown } | undefined {
  if (everything) return { type, entry };
  const was = previous !== undefined && matches(previous.object);
  if (type === "DELETED") return was ? { type, entry } : undefined;
  const is = matches(entry.object);
  if (is) return { type: was ? "MODIFIED" : "ADDED", entry };
  if (!was) return undefined;
  // The last state that matched, at the revision at which it ceased to.
  const { metadata } = previous.object;
  const { resourceVersion } = entry.object.metadata;
  const object = { ...previous.object, metadata: { ...metadata, resourceVersion } };
  return { type: "DELETED", entry: { object, json: JSON.stringify(object) } };
}

function shapeOf(context: ServerContext, { format, target }: WatchOrder, lines: WatchLines): PlainLine {
  const { served } = target;
  if (format.as === "object")
    return served.form ? (type, entry) => lines.plain(type, servedEntry(served, entry)) : lines.plain;
  if (format.as === "PartialObjectMetadata")
    return (type, { object }) => lines.fresh(type, partialOf(object, format.version));
  let bare = false;
  return (type, { object }) => {
    const { resourceVersion } = object.metadata;
    const table = tableOf(target, [object], {
      format,
      meta: { resourceVersion },
      now: context.clock.now(),
      bare,
    });
    bare = true;
    return lines.fresh(type, table);
  };
}

function bookmarkOf(
  { target, format }: WatchOrder,
  resourceVersion: string,
  annotations?: Record<string, string>,
) {
  const { resource } = target.served;
  const type =
    format.as === "PartialObjectMetadata"
      ? { kind: format.as, apiVersion: `meta.k8s.io/${format.version}` }
      : { kind: resource.kind, apiVersion: apiVersionOf(resource) };
  return {
    ...type,
    metadata: { resourceVersion, creationTimestamp: null, ...(annotations ? { annotations } : {}) },
  };
}

const tooNew = (wanted: number, current: number): StatusError =>
  statusError("Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
