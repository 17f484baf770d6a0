// dist/preload.js, loaded into every Node program of a container by NODE_OPTIONS: dns.lookup, and with it net, http, tls
// and fetch, first asks the cluster. Costs nothing until the first name is looked up. Unlike Kubernetes: programs that are
// not Node's resolve as the machine does, and so does dns.resolve*.
import dns, { type LookupAddress, type LookupOptions } from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { isIP } from "node:net";

type Callback = (
  error: NodeJS.ErrnoException | null,
  address?: string | LookupAddress[],
  family?: number,
) => void;
type Lookup = (name: string, options: LookupOptions, callback: Callback) => void;

const machineLookup = dns.lookup as Lookup;
const machinePromise = dns.promises.lookup as (name: string, options: LookupOptions) => Promise<unknown>;

/** The cluster's addresses of `name`, or the name to ask the machine for. */
async function ofCluster(name: string): Promise<readonly string[] | string> {
  if (!name || isIP(name) || name.toLowerCase() === "localhost") return name;
  const [{ readConfig }, { resolveName }] = await Promise.all([
    import("./dns/config.ts"),
    import("./dns/resolve.ts"),
  ]);
  try {
    const found = await resolveName(name, readConfig(process.env));
    return found?.alias ?? found?.addresses ?? name;
  } catch {
    // No server answers: the machine may still know the name.
    return name;
  }
}

const optionsOf = (options: unknown): LookupOptions =>
  typeof options === "number" ? { family: options } : { ...(options as LookupOptions | undefined) };

// The cluster's addresses are all of version 4.
const wantsOnly6 = ({ family }: LookupOptions) => family === 6 || family === "IPv6";

function lookup(name: string, options: unknown, callback?: Callback): void {
  const done = (callback ?? options) as Callback;
  const wanted = optionsOf(callback ? options : undefined);
  // The machine's own checks of its arguments come from itself, at once.
  if (typeof done !== "function" || typeof name !== "string" || isIP(name) || wantsOnly6(wanted))
    machineLookup(name, wanted, done);
  else
    void ofCluster(name).then((found) => {
      if (typeof found === "string") machineLookup(found, wanted, done);
      else if (wanted.all) done(null, toAddresses(found));
      else done(null, found[0], 4);
    });
}

async function lookupPromise(name: string, options?: unknown): Promise<unknown> {
  const wanted = optionsOf(options);
  if (typeof name !== "string" || isIP(name) || wantsOnly6(wanted)) return machinePromise(name, wanted);
  const found = await ofCluster(name);
  if (typeof found === "string") return machinePromise(found, wanted);
  return wanted.all ? toAddresses(found) : toAddresses(found)[0];
}

const toAddresses = (addresses: readonly string[]): LookupAddress[] =>
  addresses.map((address) => ({ address, family: 4 }));

if (process.env["KUBEMU_ROOT"]) {
  // What util.promisify and Node itself read off the function.
  for (const symbol of Object.getOwnPropertySymbols(machineLookup))
    Object.defineProperty(
      lookup,
      symbol,
      Object.getOwnPropertyDescriptor(machineLookup, symbol) as PropertyDescriptor,
    );
  Object.assign(dns, { lookup });
  Object.assign(dns.promises, { lookup: lookupPromise });
  syncBuiltinESMExports();
}
