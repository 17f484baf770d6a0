// The command line, as data. main.ts reads it, the tests read it, and so could a completion script.
import { type CommandDeclaration, OUTPUT } from "./command.ts";
import { kubectlVerbs } from "./kubectl-verbs.ts";

export const commands: readonly CommandDeclaration[] = [
  {
    name: "up",
    arguments: "[folders...]",
    summary: "start a cluster and keep it in line with each folder of manifests",
    options: [
      { flags: "--nodes <N>", description: "how many nodes (3 for a new cluster, else as many as it had)" },
      {
        flags: "--profile <profile>",
        description:
          "fast: timers of the cluster's own machinery are divided by 10; kubernetes: the real ones",
        choices: ["fast", "kubernetes"],
      },
      { flags: "--api-port <P>", description: "port of the API server on 127.0.0.1 (0: any free)" },
      {
        flags: "--endpoint-lag <duration>",
        description: "proxies act on changes of endpoints that much later, and no pod waits for them to",
      },
      {
        flags: "--proxy-mode <mode>",
        description:
          "who carries Services' connections: userspace (default), the kernel, or auto: whichever may",
        choices: ["userspace", "nftables", "auto"],
      },
      { flags: "--detach", description: "return once the nodes are Ready and the folders applied" },
      { flags: "--in-memory", description: "keep nothing when the cluster is stopped" },
      { flags: "--single-address", description: "use 127.0.0.1 only: every pod gets ports of its own" },
      { flags: "--no-merge", description: "leave $KUBECONFIG or ~/.kube/config alone" },
    ],
    load: async () => (await import("./commands/up.ts")).up,
  },
  {
    name: "down",
    summary: "stop everything of the cluster",
    options: [{ flags: "--delete", description: "remove its data as well" }],
    load: async () => (await import("./commands/down.ts")).down,
  },
  {
    name: "status",
    summary: "show the cluster's parts with their pids",
    options: [OUTPUT],
    load: async () => (await import("./commands/status.ts")).status,
  },
  {
    name: "node",
    arguments: "<action> [name]",
    summary: "list | kill | pause | resume | partition | heal | start | stop | add | remove NAME",
    options: [OUTPUT],
    load: async () => (await import("./commands/node.ts")).node,
  },
  {
    name: "services",
    summary: "show each Service with the URLs that can be curled",
    options: [OUTPUT],
    load: async () => (await import("./commands/services.ts")).services,
  },
  {
    name: "pods",
    summary: "show each pod with its node, address, ports and the pid to kill",
    options: [OUTPUT],
    load: async () => (await import("./commands/pods.ts")).pods,
  },
  {
    name: "traffic",
    arguments: "[service]",
    summary:
      "show what went through a Service (NAME or NAMESPACE/NAME): sums, or with -f each connection and request",
    options: [{ flags: "-f, --follow", description: "show each as it ends, until interrupted" }, OUTPUT],
    load: async () => (await import("./commands/traffic.ts")).traffic,
  },
  {
    name: "drill",
    arguments: "<action> [drill]",
    summary: "run FILE|NAME | list | show NAME | schema: traffic, faults, and what must hold meanwhile",
    options: [
      { flags: "--seed <N>", description: "decides what chance decides, instead of the drill's own" },
      { flags: "--keep", description: "leave the objects that the drill has made" },
      { flags: "--json <FILE>", description: "write the report as JSON" },
      { flags: "--junit <FILE>", description: "write what was expected as JUnit XML" },
      { flags: "--html <FILE>", description: "write the report as one page, with the timeline drawn" },
    ],
    load: async () => (await import("./commands/drill.ts")).drill,
  },
  {
    name: "env",
    summary: "print `export KUBECONFIG=…` for this cluster",
    load: async () => (await import("./commands/env.ts")).env,
  },
  {
    name: "kubectl",
    arguments: "[arguments...]",
    summary: "run the kubectl on the PATH with this cluster's kubeconfig",
    passThrough: true,
    load: async () => (await import("./commands/kubectl.ts")).kubectl,
  },
  ...kubectlVerbs,
];
