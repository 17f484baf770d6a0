// nslookup as busybox 1.28 prints it, which is what tutorials show: server, name and numbered addresses, each with its own
// name. With -type, records in the words of later ones.
import dns from "node:dns/promises";
import { isIP } from "node:net";
import type { DnsRecord } from "../dns/ask.ts";
import { candidates, type NameServer } from "../dns/config.ts";
import { askAny, resolveName, reverseName } from "../dns/resolve.ts";
import { parseOptions } from "./options.ts";
import type { Tool } from "./tool.ts";

export async function nslookup(tool: Tool): Promise<number> {
  // -type=SRV and -query=SRV have one dash.
  const args = tool.args.map((arg) => arg.replace(/^-(type|query|debug|timeout|port)\b/, "--$1"));
  const spec = { known: ["type:", "debug", "timeout:", "port:"], alias: { query: "type", q: "type" } };
  const options = parseOptions(args, spec);
  const [name, server] = options.operands;
  if (options.unknown !== undefined || name === undefined || options.operands.length > 2) {
    tool.printError("Usage: nslookup [-type=QUERY_TYPE] HOST [SERVER]\n");
    return 1;
  }
  const servers = server === undefined ? tool.config.servers : await serverOf(tool, server);
  if (!servers) {
    tool.printError(`nslookup: can't resolve '${server}'\n`);
    return 1;
  }
  const asked: Tool = { ...tool, config: { ...tool.config, servers } };
  await printServer(asked);
  const type = options.value("type");
  return type === undefined ? printAddresses(asked, name) : printRecords(asked, name, type.toUpperCase());
}

async function serverOf({ config }: Tool, server: string): Promise<NameServer[] | undefined> {
  const known = config.servers.find(({ address }) => address === server);
  if (known) return [known];
  const address = isIP(server)
    ? server
    : (await resolveName(server, config).catch(() => undefined))?.addresses[0];
  const listed = config.servers.find((each) => each.address === address);
  return address === undefined ? undefined : [listed ?? { address, host: address, port: 53 }];
}

async function printServer({ config, print }: Tool): Promise<void> {
  const [server] = config.servers;
  if (!server) return;
  print(`Server:    ${server.address}\n`);
  print(`${await addressLine(1, server.address, config)}\n\n`);
}

async function addressLine(number: number, address: string, config: Tool["config"]): Promise<string> {
  const name = await reverseName(address, config);
  return `Address ${number}: ${address}${name ? ` ${name}` : ""}`;
}

async function printAddresses({ config, print, printError }: Tool, name: string): Promise<number> {
  const addresses = await addressesOf(name, config).catch(() => []);
  if (addresses.length === 0) {
    printError(`nslookup: can't resolve '${name}'\n`);
    return 1;
  }
  print(`Name:      ${name}\n`);
  const lines = addresses.map((address, index) => addressLine(index + 1, address, config));
  print(`${(await Promise.all(lines)).join("\n")}\n`);
  return 0;
}

async function addressesOf(name: string, config: Tool["config"]): Promise<readonly string[]> {
  const found = await resolveName(name, config);
  if (found && !found.alias) return found.addresses;
  const machine = await dns.lookup(found?.alias ?? name.replace(/\.$/, ""), { all: true });
  return [...new Set(machine.map(({ address }) => address))];
}

const WORDS: Readonly<Record<string, (data: never) => string>> = {
  A: (data: string) => `Address: ${data}`,
  CNAME: (data: string) => `canonical name = ${data}`,
  PTR: (data: string) => `name = ${data}`,
  TXT: (data: readonly Buffer[]) => `text = "${data.join("")}"`,
  SRV: ({ priority, weight, port, target }: Readonly<Record<string, string | number>>) =>
    `service = ${priority} ${weight} ${port} ${target}`,
};

async function printRecords(
  { config, print, printError }: Tool,
  name: string,
  type: string,
): Promise<number> {
  const reversed = isIP(name) === 4 ? `${name.split(".").reverse().join(".")}.in-addr.arpa.` : name;
  try {
    for (const candidate of candidates(reversed, config)) {
      const answers = await askAny(candidate, type, config);
      if (!answers) continue;
      if (answers.length === 0) print(`*** Can't find ${name}: No answer\n`);
      for (const answer of answers) print(recordText(answer));
      return 0;
    }
    print(`** server can't find ${name}: NXDOMAIN\n`);
  } catch (error) {
    printError(`;; ${error instanceof Error ? error.message : String(error)}\n`);
  }
  return 1;
}

function recordText({ type, name, data }: DnsRecord): string {
  if (type === "A") return `Name:\t${name}\nAddress: ${data}\n`;
  return `${name}\t${WORDS[type]?.(data as never) ?? `${type} ${JSON.stringify(data)}`}\n`;
}
