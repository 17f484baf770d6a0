// Steps on the way between Services and their pods: Fault objects (docs/faults.md), which every proxy acts on while they exist.
import { type FaultSpec, faults } from "../../api/kinds/fault.ts";
import { hasReason } from "../../api/status-error.ts";
import { insist } from "../cluster.ts";
import type { SingleAction } from "../plan-steps.ts";
import { chooseNode, choosePods } from "./choose.ts";
import type { StepContext } from "./context.ts";
import type { Performed } from "./perform.ts";

type Of<Verb extends SingleAction["verb"]> = Extract<SingleAction, { verb: Verb }>;

export async function degrade(context: StepContext, action: Of<"degrade">, draw: number): Promise<Performed> {
  const { service, pod, node, latency, jitter, loss, cut } = action;
  const [chosen] = pod === undefined ? [] : await choosePods(context, pod, { count: 1, draw });
  const machine = node === undefined ? undefined : await chooseNode(context, node, draw);
  context.lastNode = machine ?? context.lastNode;
  const spec: FaultSpec = {
    namespace: context.namespace,
    ...(service === undefined ? {} : { service }),
    ...(chosen ? { pod: chosen.name } : {}),
    ...(machine === undefined ? {} : { node: machine }),
    ...(latency === undefined ? {} : { latency: `${latency}ms` }),
    ...(jitter === undefined ? {} : { jitter: `${jitter}ms` }),
    ...(loss === undefined ? {} : { loss }),
    ...(cut === undefined ? {} : { cut }),
  };
  await addFault(context, spec);
  const where = [service && `service ${service}`, chosen?.name, machine].filter(Boolean).join(", ");
  return { text: `degraded the way to ${where || "every pod"}` };
}

export async function delayEndpoints(
  context: StepContext,
  { lag, service }: Of<"delayEndpoints">,
): Promise<Performed> {
  const spec = { namespace: context.namespace, endpointLag: `${lag}ms` };
  await addFault(context, service === undefined ? spec : { ...spec, service });
  return { text: `delayed changes of endpoints by ${lag} ms` };
}

export async function restore(context: StepContext): Promise<Performed> {
  const ours = [...context.broken].filter(([key]) => key.startsWith(PREFIX));
  for (const [key, { heal }] of ours) {
    await heal();
    context.broken.delete(key);
  }
  return { text: `restored ${ours.length === 1 ? "the link" : `${ours.length} links`}` };
}

const PREFIX = "restore fault ";

async function addFault(context: StepContext, spec: FaultSpec): Promise<void> {
  const { client } = context.cluster;
  context.faultsMade++;
  const name = `drill-${process.pid}-${context.faultsMade}`;
  context.broken.set(`${PREFIX}${name}`, {
    healed: `restored a link (fault ${name})`,
    heal: () =>
      insist(async () => {
        try {
          await client.delete(faults, { name });
        } catch (error) {
          if (!hasReason(error, "NotFound")) throw error;
        }
      }),
  });
  await insist(async () => {
    try {
      await client.create(faults, { metadata: { name }, spec });
    } catch (error) {
      // An answer that was lost: the first try made it.
      if (!hasReason(error, "AlreadyExists")) throw error;
    }
  });
}
