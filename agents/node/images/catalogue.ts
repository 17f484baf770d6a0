// What stands behind an image name. Image objects (kubemu.dev/v1alpha1) come first, then the table below, then the
// fallback: kubemu cannot know which other names a registry would have, so every other well-formed name can be pulled.
import type { Image, ImageSpec } from "../../../src/api/kinds/image.ts";
import { canonicalImage, type ImageReference, parseImage } from "./reference.ts";
import { tagExists } from "./tags.ts";

/** A program to run for an image. Exactly one of `builtin` and `command` is given. */
export interface ImageProgram {
  /** A name in agents/containers/programs.ts. */
  readonly builtin?: string;
  /** Put before a container's args for a built-in program (the subcommand that an image's entry point names). */
  readonly builtinArgs?: readonly string[];
  /** What a manifest calls a built-in program where it names the command itself. */
  readonly entryPoints?: readonly string[];
  /** The entry point on the host; empty for a base image, which has only `args`. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly { name: string; value?: string }[];
  /** Ports it listens on where the manifest declares none. */
  readonly ports?: readonly number[];
}

export interface ResolvedImage {
  /** `docker.io/library/nginx:1.29` */
  readonly name: string;
  /** "latest" where there is none. */
  readonly tag: string;
  readonly program: ImageProgram;
  /** How long a pull takes. */
  readonly pullMs: number;
  readonly sizeBytes: number;
  /** An Image object stands for it: it counts as loaded onto the node. */
  readonly present: boolean;
  /** Why it cannot be pulled, in the runtime's words. */
  readonly error?: string;
}

const builtin = (name: string, ports: readonly number[], builtinArgs?: readonly string[]): ImageProgram => ({
  builtin: name,
  ports,
  ...(builtinArgs ? { builtinArgs } : {}),
});
/** An image with a default command and no entry point: a container's args take the command's place. */
const base = (...args: string[]): ImageProgram => ({ command: [], args });
/** The images of languages start their interpreter for what is not a program itself: `args: [server.js]`. */
const interpreter = (program: string): ImageProgram => ({
  command: [
    "/bin/sh",
    "-c",
    `case "$1" in -*) ;; *) command -v "$1" >/dev/null && exec "$@" ;; esac; exec ${program} "$@"`,
    program,
  ],
  args: [program],
});

/** By the last part of the name, whatever the registry: mirrors of an image are the same image. Two that only share that part: by all of it. */
const BY_NAME: Readonly<Record<string, ImageProgram>> = {
  nginx: builtin("nginx", [80]),
  "nginx-slim": builtin("nginx", [80]),
  httpd: builtin("httpd", [80]),
  "kubernetes-bootcamp": builtin("kubernetes-bootcamp", [8080]),
  agnhost: { ...builtin("agnhost", []), entryPoints: ["/agnhost", "agnhost"] },
  liveness: builtin("agnhost", [8080], ["liveness"]),
  "serve-hostname": builtin("agnhost", [9376], ["serve-hostname"]),
  serve_hostname: builtin("agnhost", [9376], ["serve-hostname"]),
  "test-webserver": builtin("agnhost", [80], ["test-webserver"]),
  netexec: builtin("agnhost", [8080], ["netexec"]),
  "echo-server": builtin("echo-server", [8080]),
  "ealen/echo-server": builtin("echo-server", [80]),
  echoserver: builtin("echo-server", [8080]),
  "http-echo": {
    ...builtin("http-echo", [5678]),
    env: [{ name: "ECHO_TEXT", value: "hello-world" }],
    entryPoints: ["/http-echo"],
  },
  "hello-app": builtin("hello-app", [8080]),
  "node-hello": builtin("hello-app", [8080]),
  "hpa-example": builtin("hpa-example", [80]),
  pause: { ...builtin("pause", []), entryPoints: ["/pause"] },
  "pause-amd64": builtin("pause", []),
  redis: builtin("listener", [6379]),
  postgres: builtin("listener", [5432]),
  mysql: builtin("listener", [3306]),
  mariadb: builtin("listener", [3306]),
  mongo: builtin("listener", [27017]),
  memcached: builtin("listener", [11211]),
  busybox: base("sh"),
  alpine: base("/bin/sh"),
  ubuntu: base("/bin/bash"),
  debian: base("bash"),
  centos: base("/bin/bash"),
  fedora: base("/bin/bash"),
  bash: interpreter("bash"),
  node: interpreter("node"),
  python: base("python3"),
  perl: base("perl"),
  ruby: base("irb"),
  golang: base("bash"),
  curl: { command: ["curl"] },
  "jessie-dnsutils": base("sleep", "infinity"),
  dnsutils: base("sleep", "infinity"),
};

const FALLBACK = builtin("fallback", []);

/** What `name` stands for; undefined where the name is malformed. */
export function resolveImage(name: string, objects: readonly Readonly<Image>[]): ResolvedImage | undefined {
  const reference = parseImage(name);
  if (!reference) return undefined;
  const known = {
    name: canonicalImage(reference),
    tag: reference.tag ?? "latest",
    present: false,
    sizeBytes: sizeOf(reference.repository),
  };
  const object = objects.find(({ spec }) => spec.names.some((pattern) => matches(pattern, name, reference)));
  if (object) return { ...known, present: true, ...fromObject(object.spec, reference, known.name) };
  const last = reference.familiar.slice(reference.familiar.lastIndexOf("/") + 1);
  const program = BY_NAME[reference.familiar] ?? BY_NAME[last];
  const official = reference.familiar === last;
  if (program && official && reference.tag && !reference.digest && !tagExists(last, reference.tag))
    return { ...known, program, pullMs: 0, error: notFound(known.name) };
  return { ...known, program: program ?? FALLBACK, pullMs: 0 };
}

function fromObject(spec: ImageSpec, reference: ImageReference, name: string) {
  const missing =
    spec.tags && reference.tag && !spec.tags.includes(reference.tag) ? notFound(name) : undefined;
  const error = spec.pull?.error ?? missing;
  const program: ImageProgram = {
    ...(spec.builtin ? { builtin: spec.builtin } : { command: spec.command ?? [] }),
    ...(spec.args ? { args: spec.args } : {}),
    ...(spec.workingDir ? { workingDir: spec.workingDir } : {}),
    ...(spec.env ? { env: spec.env } : {}),
    ports: spec.ports?.map((port) => port.containerPort) ?? [],
  };
  return { program, pullMs: spec.pull?.delayMs ?? 0, ...(error ? { error } : {}) };
}

const notFound = (name: string) =>
  `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${name}: not found`;

/** `*` stands for any run of characters; a pattern without a tag for every tag. Compared as written and in full form. */
function matches(pattern: string, name: string, reference: ImageReference): boolean {
  const tagged = pattern.lastIndexOf(":") > pattern.lastIndexOf("/") || pattern.includes("@");
  const tag = `${reference.tag ? `:${reference.tag}` : ""}${reference.digest ? `@${reference.digest}` : ""}`;
  const wanted = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*")}$`);
  const forms = [reference.familiar, reference.repository, name.replace(/(:[^/:@]+)?(@.*)?$/, "")];
  return forms.some((form) => wanted.test(tagged ? `${form}${tag}` : form));
}

/** A size that stays the same for one image: kubemu pulls nothing, and `kubectl describe` shows a number. */
function sizeOf(repository: string): number {
  let hash = 2166136261;
  for (const char of repository) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  return 5_000_000 + ((hash >>> 0) % 60_000_000);
}
