// Which tags of the well-known images exist. Kept as data: a range of releases an image, so that a typing error such as
// nginx:1.161 fails as it does on a real cluster. It says what is plausible, not what a registry holds today.

/** Releases `major.minor` with the last minor of each major, and words that stand for no release. */
export interface TagRule {
  /** major → [first minor, last minor]. */
  readonly minors: Readonly<Record<number, readonly [number, number]>>;
  /** True: a bare `1.29` exists; with patch: any patch up to 40. */
  readonly words?: readonly string[];
}

const SUFFIX =
  /^(?:alpine|slim|perl|otel|bookworm|bullseye|buster|stretch|trixie|jammy|noble|focal|windowsservercore|nanoserver|management|debian|musl|glibc|uclibc)?[\w.-]*$/;
const VARIANTS =
  /^(?:alpine|slim|perl|alpine-perl|alpine-slim|bookworm|bullseye|trixie|buster|lts|current|edge|stable|mainline|stable-alpine|mainline-alpine|management|rolling|unstable|testing|sid|musl|glibc|uclibc)/;

export const TAGS: Readonly<Record<string, TagRule>> = {
  nginx: { minors: { 1: [7, 31] } },
  httpd: { minors: { 2: [2, 4] } },
  busybox: { minors: { 1: [21, 38] } },
  alpine: { minors: { 2: [6, 7], 3: [1, 24] } },
  redis: { minors: { 2: [6, 8], 3: [0, 2], 4: [0, 0], 5: [0, 0], 6: [0, 2], 7: [0, 4], 8: [0, 8] } },
  mysql: { minors: { 5: [5, 7], 8: [0, 4], 9: [0, 7] } },
  mariadb: { minors: { 5: [5, 5], 10: [0, 11], 11: [0, 8], 12: [0, 3] } },
};

/** True when the tag may exist: `latest`, a word, a release in range, with a variant behind a dash. */
export function tagExists(image: string, tag: string): boolean {
  const rule = TAGS[image];
  if (!rule || tag === "latest" || VARIANTS.test(tag) || rule.words?.includes(tag)) return true;
  const [, major, minor, patch, variant] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(.+))?$/.exec(tag) ?? [];
  if (major === undefined) return false;
  const range = rule.minors[Number(major)];
  if (!range || (variant !== undefined && !SUFFIX.test(variant))) return false;
  if (minor === undefined) return true;
  const inRange = Number(minor) >= range[0] && Number(minor) <= range[1];
  // No image of the table ever had a patch release beyond this.
  return inRange && (patch === undefined || Number(patch) <= 99);
}
