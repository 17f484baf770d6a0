import { identityOf, type ProcessIdentity } from "../process/identity.ts";

/** This process, as supervisor.json names it. */
export function ownIdentity(): ProcessIdentity {
  const identity = identityOf(process.pid);
  if (!identity) throw new Error("this process cannot find itself in the process table");
  return identity;
}
