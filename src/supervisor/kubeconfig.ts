import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The context, cluster and user of a kubemu cluster, as kind names its own. */
export const contextName = (cluster: string): string => `kubemu-${cluster}`;

/** Writes DATA_DIR/kubeconfig, mode 0600, with the admin's certificate inside. Returns its path. */
export function writeKubeconfig(dataDir: string, cluster: string, apiServer: string): string {
  const path = join(dataDir, "kubeconfig");
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, kubeconfigText(dataDir, cluster, apiServer), { mode: 0o600 });
  renameSync(temporary, path);
  return path;
}

function kubeconfigText(dataDir: string, cluster: string, apiServer: string): string {
  const name = contextName(cluster);
  const data = (file: string) => readFileSync(join(dataDir, "pki", file)).toString("base64");
  return `apiVersion: v1
kind: Config
current-context: ${name}
clusters:
- name: ${name}
  cluster:
    server: ${apiServer}
    certificate-authority-data: ${data("ca.crt")}
contexts:
- name: ${name}
  context:
    cluster: ${name}
    user: ${name}
users:
- name: ${name}
  user:
    client-certificate-data: ${data("admin.crt")}
    client-key-data: ${data("admin.key")}
`;
}
