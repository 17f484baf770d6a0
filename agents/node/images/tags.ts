// Which tags of the well-known images exist. Kept as data: a range of releases an image, so that a typing error such as
// nginx:1.161 fails as it does on a real cluster. It says what is plausible, not what a registry holds today.

/** Major → its first and last minor release. */
export type TagRule = Readonly<Record<number, readonly [number, number]>>;

// No image of the table ever had a patch release beyond this.
const LAST_PATCH = 99;

// Tags that name a variant or a channel and no release.
const WORD =
  /^(?:alpine|slim|perl|otel|bookworm|bullseye|trixie|buster|lts|current|edge|stable|mainline|management|rolling|musl|glibc|uclibc)\b/;

export const TAGS: Readonly<Record<string, TagRule>> = {
  nginx: { 1: [7, 31] },
  httpd: { 2: [2, 4] },
  busybox: { 1: [21, 38] },
  alpine: { 2: [6, 7], 3: [1, 24] },
  redis: { 2: [6, 8], 3: [0, 2], 4: [0, 0], 5: [0, 0], 6: [0, 2], 7: [0, 4], 8: [0, 8] },
  mysql: { 5: [5, 7], 8: [0, 4], 9: [0, 7] },
  mariadb: { 5: [5, 5], 10: [0, 11], 11: [0, 8], 12: [0, 3] },
};

/** True when the tag may exist: `latest`, a word, or a release in range with any variant behind a dash. */
export function tagExists(image: string, tag: string): boolean {
  const rule = TAGS[image];
  if (!rule || tag === "latest" || WORD.test(tag)) return true;
  const [, major, minor, patch] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-.+)?$/.exec(tag) ?? [];
  const range = major === undefined ? undefined : rule[Number(major)];
  if (!range) return false;
  if (minor === undefined) return true;
  const inRange = Number(minor) >= range[0] && Number(minor) <= range[1];
  return inRange && (patch === undefined || Number(patch) <= LAST_PATCH);
}
