// The columns of what makes pods from a template: the kind's own, then the wide ones. Calls that a bundler may drop, so that
// programs that import only a Resource stay small.
import type { PodTemplateSpec } from "../../generated/types.ts";
import type { Column } from "../../kind.ts";

export function templateColumns<T extends { spec?: { template?: PodTemplateSpec } }>(
  own: readonly Column<T>[],
  selector?: (object: T) => string,
): readonly Column<T>[] {
  const containers = (object: T) => object.spec?.template?.spec?.containers ?? [];
  return [
    ...own,
    {
      name: "Containers",
      type: "string",
      priority: 1,
      description: "Names of the template's containers.",
      value: (object) =>
        containers(object)
          .map(({ name }) => name)
          .join(","),
    },
    {
      name: "Images",
      type: "string",
      priority: 1,
      description: "Images of the template's containers.",
      value: (object) =>
        containers(object)
          .map(({ image }) => image)
          .join(","),
    },
    ...(selector
      ? [
          {
            name: "Selector",
            type: "string",
            priority: 1,
            description: "Which pods it counts as its own.",
            value: selector,
          } as const,
        ]
      : []),
  ];
}

export function countColumn<T>(name: string, description: string, count: (object: T) => number): Column<T> {
  return { name, type: "integer", priority: 0, description, value: count };
}
