// From the words a user types for a type of object (`po`, `deploy`, `deployments.apps`, `pods,services`, `all`) to what the server serves.
import type { ServedResource } from "../client/discovery.ts";

export interface ResourceTypes {
  /** Every type that a comma-separated list names; a category stands for its members. Throws in kubectl's words. */
  resolve(words: string): ServedResource[];
  byKind(apiVersion: string, kind: string): ServedResource;
}

export function createResourceTypes(served: readonly ServedResource[]): ResourceTypes {
  const one = (word: string): ServedResource[] => {
    const category = served.filter(({ categories }) => categories.includes(word));
    if (category.length > 0) return category;
    const found = served.find((each) => answersTo(each, word.toLowerCase()));
    if (!found) throw new Error(`the server doesn't have a resource type ${JSON.stringify(word)}`);
    return [found];
  };
  return {
    resolve: (words) => [...new Set(words.split(",").flatMap(one))],
    byKind(apiVersion, kind) {
      const slash = apiVersion.indexOf("/");
      const group = slash < 0 ? "" : apiVersion.slice(0, slash);
      const version = apiVersion.slice(slash + 1);
      const found = served.find(
        ({ resource }) => resource.group === group && resource.version === version && resource.kind === kind,
      );
      if (!found)
        throw new Error(
          `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`,
        );
      return found;
    },
  };
}

/** `pods`, `pod`, `po`, `Pod`; `deployments.apps`, `deployments.v1.apps`. */
function answersTo({ resource, singular, shortNames }: ServedResource, word: string): boolean {
  const dot = word.indexOf(".");
  const name = dot < 0 ? word : word.slice(0, dot);
  const names = [resource.plural, singular, resource.kind.toLowerCase(), ...shortNames];
  if (!names.includes(name)) return false;
  if (dot < 0) return true;
  const rest = word.slice(dot + 1);
  return rest === resource.group || rest === `${resource.version}.${resource.group}`;
}

/** `pod`, `deployment.apps`: how kubectl names an object's type in front of its name. */
export const typeName = ({ resource }: Pick<ServedResource, "resource">): string =>
  resource.group ? `${resource.kind.toLowerCase()}.${resource.group}` : resource.kind.toLowerCase();
