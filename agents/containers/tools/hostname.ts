// hostname: the pod's, not the machine's. -f with the domain that the pod's hosts file gives it, -i its address.
import { parseOptions } from "./options.ts";
import type { Tool } from "./tool.ts";

const SPEC = {
  known: ["f", "i", "I", "s", "d"],
  alias: { fqdn: "f", long: "f", "ip-address": "i", "all-ip-addresses": "I", short: "s", domain: "d" },
};

export async function hostname({ args, env, config, print, printError }: Tool): Promise<number> {
  const options = parseOptions(args, SPEC);
  if (options.unknown !== undefined || options.operands.length > 0) {
    printError("hostname: you must be root to change the host name\n");
    return 1;
  }
  const name = env["HOSTNAME"] ?? "localhost";
  const ip = env["POD_IP"] ?? "127.0.0.1";
  const own = [...config.hosts].filter(([, addresses]) => addresses.includes(ip)).map(([each]) => each);
  const full = own.find((each) => each.startsWith(`${name.toLowerCase()}.`)) ?? name;
  if (options.has("i") || options.has("I")) print(`${ip}\n`);
  else if (options.has("f")) print(`${full}\n`);
  else if (options.has("d")) print(`${full.slice(name.length + 1)}\n`);
  else print(`${options.has("s") ? name.split(".")[0] : name}\n`);
  return 0;
}
