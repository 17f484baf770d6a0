// The events of the node controller and of taint eviction, worded as Kubernetes words them.
export interface EventText {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

const normal = (reason: string, message: string): EventText => ({ type: "Normal", reason, message });

export const registeredNode = (name: string): EventText =>
  normal("RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);

export const removingNode = (name: string): EventText =>
  normal("RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`);

export const nodeNotReady = (name: string): EventText =>
  normal("NodeNotReady", `Node ${name} status is now: NodeNotReady`);

/** On each pod of a node that is lost. */
export const podNodeNotReady: EventText = {
  type: "Warning",
  reason: "NodeNotReady",
  message: "Node is not ready",
};

export const markingForDeletion = (podKey: string): EventText =>
  normal("TaintManagerEviction", `Marking for deletion Pod ${podKey}`);

export const cancellingDeletion = (podKey: string): EventText =>
  normal("TaintManagerEviction", `Cancelling deletion of Pod ${podKey}`);
