// Image names as container runtimes read them (github.com/distribution/reference): registry, path, tag, digest.

export interface ImageReference {
  /** `docker.io/library/nginx`: with registry and, for Docker Hub, `library/`. */
  readonly repository: string;
  /** `nginx`, `kicbase/echo-server`, `registry.k8s.io/e2e-test-images/agnhost`: without Docker Hub's own prefixes. */
  readonly familiar: string;
  /** "latest" where neither tag nor digest is given; undefined where there is a digest only. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const REGISTRY = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;

/** Reads an image name; undefined where it is malformed (the kubelet then says InvalidImageName). */
export function parseImage(name: string): ImageReference | undefined {
  const at = name.indexOf("@");
  const digest = at < 0 ? undefined : name.slice(at + 1);
  const named = at < 0 ? name : name.slice(0, at);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const bare = hasTag ? named.slice(0, colon) : named;
  const slash = bare.indexOf("/");
  const first = slash < 0 ? "" : bare.slice(0, slash);
  const hasRegistry = first.includes(".") || first.includes(":") || first === "localhost";
  const registry = hasRegistry ? first : "docker.io";
  let path = hasRegistry ? bare.slice(slash + 1) : bare;
  if (registry === "index.docker.io" || registry === "docker.io") path = path.replace(/^library\//, "");
  if (!REGISTRY.test(registry) || !PATH.test(path) || (tag !== undefined && !TAG.test(tag))) return undefined;
  if (digest !== undefined && !DIGEST.test(digest)) return undefined;
  const hub = registry === "docker.io" || registry === "index.docker.io";
  return {
    repository: hub ? `docker.io/${path.includes("/") ? path : `library/${path}`}` : `${registry}/${path}`,
    familiar: hub ? path : `${registry}/${path}`,
    tag: tag ?? (digest ? undefined : "latest"),
    digest,
  };
}

/** `docker.io/library/nginx:1.29`: how a runtime names it in messages and in `Node.status.images`. */
export function canonicalImage({ repository, tag, digest }: ImageReference): string {
  return `${repository}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
}
