// DefaultIngressClass: an Ingress that names no class gets the one that is marked as the default, the newest where there are several.
import type { Ingress, IngressClass } from "../../api/generated/types.ts";
import { CLASS_ANNOTATION } from "../../api/kinds/ingress/validate.ts";
import { ingresses } from "../../api/kinds/ingress.ts";
import { DEFAULT_INGRESS_CLASS, ingressClasses } from "../../api/kinds/ingress-class.ts";
import { groupResourceOf } from "../../api/resource.ts";
import { storePrefix } from "../keys.ts";
import type { AdmissionStep } from "./chain.ts";

export const defaultIngressClass: AdmissionStep = {
  name: "DefaultIngressClass",
  mutateCreate(object, { kind }, { store }) {
    if (groupResourceOf(kind.resource) !== groupResourceOf(ingresses)) return;
    const ingress = object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.[CLASS_ANNOTATION])
      return;
    const [found] = store
      .list(storePrefix(ingressClasses))
      .map((entry) => entry.object as IngressClass)
      .filter(({ metadata }) => metadata.annotations?.[DEFAULT_INGRESS_CLASS] === "true")
      .sort(
        (a, b) =>
          Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp) ||
          (a.metadata.name < b.metadata.name ? -1 : 1),
      );
    if (found) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name };
  },
};
