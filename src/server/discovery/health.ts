// /healthz, /livez and /readyz in the words of apiserver's healthz package. The store goes by the name of what it stands for, as scripts ask for it.
// Unlike Kubernetes: the parts are one process, which ends when one of them does, so what is answered is "ok".

const PATHS = ["healthz", "livez", "readyz"] as const;
const CHECKS = ["ping", "etcd"] as const;

/** Where health can be asked: each path, and each check below it. */
export const healthPaths = (): string[] =>
  PATHS.flatMap((name) => [`/${name}`, ...CHECKS.map((check) => `/${name}/${check}`)]);

/** What is told of `check`, or where it is "" of all that `exclude` does not name; undefined when there is no such check. */
export function health(name: string, check: string, query: URLSearchParams): string | undefined {
  if (check !== "") return CHECKS.some((known) => known === check) ? "ok" : undefined;
  if (!query.has("verbose")) return "ok";
  const excluded = new Set(query.getAll("exclude"));
  const lines = CHECKS.map((known) => `[+]${known}${excluded.delete(known) ? " excluded:" : ""} ok`);
  if (excluded.size > 0) {
    const names = [...excluded].sort().map((each) => JSON.stringify(each));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(",")}`);
  }
  return `${lines.join("\n")}\n${name} check passed\n`;
}
