// What one reconcile of one StatefulSet carries along.
import type { StatefulSet } from "../../api/generated/types.ts";
import type { Recorder } from "../../client/recorder.ts";
import type { ControllerContext } from "../runtime/context.ts";
import type { Writes } from "../runtime/start-controller.ts";
import type { RestingNames } from "./resting-names.ts";

export interface Work {
  readonly context: ControllerContext;
  readonly recorder: Recorder;
  readonly writes: Writes;
  readonly names: RestingNames;
  readonly owner: Readonly<StatefulSet>;
}
