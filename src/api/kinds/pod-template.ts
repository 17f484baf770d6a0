import type { PodTemplate } from "../generated/types.ts";
import { type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { labelsText } from "../selectors.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { validatePodTemplate } from "./pod/validate-template.ts";
import { podWarnings } from "./pod/warnings.ts";

export const podTemplates: Resource<PodTemplate> = {
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  namespaced: true,
};

export const podTemplateKind: KindDefinition<PodTemplate> = {
  resource: podTemplates,
  schema: "io.k8s.api.core.v1.PodTemplate",
  singular: "podtemplate",
  nameRule: "dns-subdomain",
  hasGeneration: true,
  defaults(podTemplate) {
    podTemplate.template ??= {};
    defaultPodTemplate(podTemplate.template);
  },
  validate: ({ template }) => validatePodTemplate(template, "template"),
  warnings: ({ template }) => podWarnings(template, "template"),
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn("Containers", "Names of its containers.", ({ template }) =>
      listed(template, ({ name }) => name),
    ),
    /* @__PURE__ */ textColumn("Images", "Images of its containers.", ({ template }) =>
      listed(template, ({ image }) => image ?? ""),
    ),
    /* @__PURE__ */ textColumn("Pod Labels", "Labels of pods made from it.", ({ template }) =>
      labelsText(template?.metadata?.labels),
    ),
  ],
};

type Template = PodTemplate["template"];
type Container = NonNullable<NonNullable<Template>["spec"]>["containers"][number];

const listed = (template: Template, text: (container: Container) => string): string =>
  (template?.spec?.containers ?? []).map(text).join(",");
