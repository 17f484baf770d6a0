// NamespaceLifecycle: the namespaces that the cluster itself needs cannot be deleted. (That nothing is made in a
// terminating one is checked with every create, in rest/create.ts.)
import { namespaces } from "../../api/kinds/namespace.ts";
import { forbidden } from "../../api/status-error.ts";
import type { AdmissionStep } from "./chain.ts";

const IMMORTAL: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

export const namespaceLifecycle: AdmissionStep = {
  name: "NamespaceLifecycle",
  checkDelete({ metadata: { name } }, { kind }) {
    if (kind.resource.group === "" && kind.resource.plural === namespaces.plural && IMMORTAL.has(name))
      throw forbidden(namespaces, name, "this namespace may not be deleted");
  },
};
