// The verbs for a user without kubectl: the common forms, with kubectl's words and flags. Data, like declarations.ts.
import type { CommandDeclaration, OptionDeclaration } from "./command.ts";

const NAMESPACE: OptionDeclaration = {
  flags: "-n, --namespace <NAMESPACE>",
  description: "the namespace (default)",
};
const ALL_NAMESPACES: OptionDeclaration = {
  flags: "-A, --all-namespaces",
  description: "objects of all namespaces",
};
const SELECTOR: OptionDeclaration = {
  flags: "-l, --selector <SELECTOR>",
  description: "labels that objects have",
};
const FIELDS: OptionDeclaration = {
  flags: "--field-selector <SELECTOR>",
  description: "fields that objects have, such as status.phase=Running",
};
const FILES: OptionDeclaration = {
  flags: "-f, --filename <FILE>",
  description: "a manifest, a folder of them, or - for standard input; again for more",
  repeat: true,
};
const FORMAT: OptionDeclaration = {
  flags: "-o, --output <FORMAT>",
  description: "wide, yaml, json, name or jsonpath=TEMPLATE",
};
const ALL: OptionDeclaration = { flags: "--all", description: "every object of the type in the namespace" };
const TIMEOUT: OptionDeclaration = {
  flags: "--timeout <TIME>",
  description: "give up after this, such as 90s",
};
const CONTAINER: OptionDeclaration = { flags: "-c, --container <NAME>", description: "the container" };

export const kubectlVerbs: readonly CommandDeclaration[] = [
  {
    name: "get",
    arguments: "[type] [names...]",
    summary: "show objects: TYPE[,TYPE] [NAME…], TYPE/NAME …, all",
    options: [
      NAMESPACE,
      ALL_NAMESPACES,
      SELECTOR,
      FIELDS,
      FORMAT,
      FILES,
      { flags: "-w, --watch", description: "go on with what changes" },
      { flags: "--show-labels", description: "a column of labels" },
    ],
    load: async () => (await import("./commands/get.ts")).get,
  },
  {
    name: "describe",
    arguments: "[type] [names...]",
    summary: "show objects in detail, with their events",
    options: [NAMESPACE, ALL_NAMESPACES, SELECTOR, FILES],
    load: async () => (await import("./commands/describe.ts")).describe,
  },
  {
    name: "apply",
    summary: "create or change what manifests declare",
    options: [NAMESPACE, FILES, FORMAT],
    load: async () => (await import("./commands/apply.ts")).apply,
  },
  {
    name: "delete",
    arguments: "[type] [names...]",
    summary: "delete objects by name, manifest, label or all of a type",
    options: [
      NAMESPACE,
      ALL_NAMESPACES,
      SELECTOR,
      FIELDS,
      FILES,
      ALL,
      { flags: "-o, --output <FORMAT>", description: "name", choices: ["name"] },
      { flags: "--force", description: "remove it from the API at once" },
      { flags: "--now", description: "with a grace period of one second" },
      { flags: "--grace-period <SECONDS>", description: "how long its processes may take to end" },
      { flags: "--cascade <POLICY>", description: "background, foreground or orphan" },
      { flags: "--ignore-not-found", description: "what is not there is no failure" },
      { flags: "--wait <BOOL>", description: "wait until it is gone (true)", choices: ["true", "false"] },
    ],
    load: async () => (await import("./commands/delete.ts")).remove,
  },
  {
    name: "scale",
    arguments: "[type] [names...]",
    summary: "set how many replicas there are",
    options: [
      NAMESPACE,
      SELECTOR,
      FILES,
      { flags: "--replicas <N>", description: "the number wanted" },
      { flags: "--current-replicas <N>", description: "only if this many are wanted now" },
    ],
    load: async () => (await import("./commands/scale.ts")).scale,
  },
  {
    name: "rollout",
    arguments: "<action> [type] [names...]",
    summary: "status | history | undo | restart | pause | resume TYPE/NAME",
    options: [
      NAMESPACE,
      SELECTOR,
      FILES,
      TIMEOUT,
      { flags: "--revision <N>", description: "history: show this one" },
      { flags: "--to-revision <N>", description: "undo: go back to this one (the last before)" },
      { flags: "-w, --watch [BOOL]", description: "status: wait until it is done (true)" },
    ],
    load: async () => (await import("./commands/rollout.ts")).rollout,
  },
  {
    name: "set",
    arguments: "<what> [arguments...]",
    summary: "image TYPE/NAME CONTAINER=IMAGE …",
    options: [NAMESPACE, SELECTOR, FILES],
    load: async () => (await import("./commands/set.ts")).set,
  },
  {
    name: "logs",
    arguments: "[pod] [container]",
    summary: "show what a pod's container has printed: POD, TYPE/NAME or -l SELECTOR",
    options: [
      NAMESPACE,
      SELECTOR,
      CONTAINER,
      { flags: "-f, --follow", description: "go on with what it prints" },
      { flags: "-p, --previous", description: "of the run before" },
      { flags: "--tail <LINES>", description: "only the last lines" },
      { flags: "--since <TIME>", description: "only what is newer, such as 5m" },
      { flags: "--timestamps", description: "with the time of each line" },
      { flags: "--prefix", description: "with the pod and the container of each line" },
      { flags: "--all-containers", description: "of every container of the pod" },
    ],
    load: async () => (await import("./commands/logs.ts")).logs,
  },
  {
    name: "exec",
    arguments: "<pod> [command...]",
    summary: "run a command in a container: [-it] POD|TYPE/NAME -- COMMAND …",
    options: [
      NAMESPACE,
      CONTAINER,
      { flags: "-i, --stdin", description: "pass standard input on" },
      { flags: "-t, --tty", description: "with a terminal" },
    ],
    load: async () => (await import("./commands/exec.ts")).exec,
  },
  {
    name: "port-forward",
    arguments: "<pod> [ports...]",
    summary: "lead a local port to a pod: POD|TYPE/NAME [LOCAL:]REMOTE …",
    options: [NAMESPACE, { flags: "--address <ADDRESS>", description: "where to listen (127.0.0.1)" }],
    load: async () => (await import("./commands/port-forward.ts")).portForward,
  },
  {
    name: "wait",
    arguments: "[type] [names...]",
    summary: "wait until objects are as wanted: --for=condition=…|delete|create|jsonpath=…",
    options: [
      NAMESPACE,
      ALL_NAMESPACES,
      SELECTOR,
      FIELDS,
      FILES,
      ALL,
      TIMEOUT,
      {
        flags: "--for <CONDITION>",
        description: "condition=Ready, delete, create, jsonpath={.status.phase}=Running",
      },
    ],
    load: async () => (await import("./commands/wait.ts")).wait,
  },
];
