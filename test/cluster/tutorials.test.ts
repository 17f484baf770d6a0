// Five tutorials on high availability, command by command, with the oldest and the newest kubectl: what they print has the columns, values,
// Events and order that the tutorials show. The manifests are fixtures/tutorials/, a folder for each.
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, fetchText, hasKubectl, kubectlVersions, startCluster } from "./harness.ts";
import { openShell, type Shell } from "./shell.ts";
import { type Step, table } from "./surface/case.ts";
import { runCase } from "./surface/run-case.ts";

const FIXTURES = new URL("../../fixtures/tutorials/", import.meta.url);
const AGE = String.raw`\S+`;
const DEPLOYMENT = "NAME READY UP-TO-DATE AVAILABLE AGE";
const PODS = "NAME READY STATUS RESTARTS AGE";
const running = (name: string) => `${name} 1/1 Running 0 ${AGE}`;
const SERVICES = String.raw`NAME TYPE CLUSTER-IP EXTERNAL-IP PORT\(S\) AGE`;
/** The tutorial shows this once it has come about. */
const shows = (run: string, out: RegExp | string): Step => ({ run, out, retry: true });

const versions = kubectlVersions();

describe.skipIf(!hasKubectl)("a tutorial's commands work as printed", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
  });
  afterAll(() => cluster?.stop());

  /** Types the steps in a namespace of their own, in a folder with the tutorial's files. */
  async function follow(
    tutorial: string,
    version: string | undefined,
    steps: (shell: Shell, run: (...steps: (Step | string)[]) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const namespace = `${tutorial}-${(version ?? "own").replace(".", "-")}`;
    await cluster.kubectl("create", "namespace", namespace);
    const shell = openShell(cluster, { namespace, version });
    try {
      for (const [name, text] of filesOf(tutorial)) shell.file(name, text);
      await steps(shell, (...list) => runCase(shell, { steps: list }));
    } finally {
      await shell.close();
      await cluster.kubectl("delete", "namespace", namespace, "--wait=false");
    }
  }

  const answers = async (shell: Shell, service: string) => {
    const url = await cluster.url(service, shell.env["NS"]);
    const page = await eventually(`${service} answers`, async () => {
      const answer = await fetchText(url);
      return answer.status === 200 && answer;
    });
    return page.text;
  };

  describe.each(versions.length > 1 ? [versions[0], versions.at(-1)] : [undefined])(
    "kubectl %s",
    (version) => {
      test("a Deployment behind a load balancer: delete a pod, scale by file and by command", () =>
        follow("load-balancer", version, async (shell, run) => {
          await run(
            "kubectl run webserver --image=nginx",
            "kubectl apply -f service.yaml",
            "kubectl wait --for=condition=Ready pod/webserver",
            { run: "kubectl delete pod webserver", out: /^pod "webserver" deleted/ },
            {
              run: "kubectl get service",
              out: table(SERVICES, String.raw`nginxservice LoadBalancer [\d.]+ [\d.]+ 80:3\d{4}/TCP ${AGE}`),
            },
            shows("kubectl get endpoints", table("NAME ENDPOINTS AGE", `nginxservice <none> ${AGE}`)),
          );
          const url = await cluster.url("nginxservice", shell.env["NS"]);
          await eventually("nobody answers", async () =>
            fetchText(url).then(
              ({ status }) => status === 503,
              () => true,
            ),
          );
          await run(
            { run: "kubectl apply -f deployment.yaml", out: "deployment.apps/webserver created" },
            shows("kubectl get deployment", table(DEPLOYMENT, `webserver 2/2 2 2 ${AGE}`)),
            {
              run: "kubectl get pods",
              out: table(
                PODS,
                running(String.raw`webserver-\w+-\w{5}`),
                running(String.raw`webserver-\w+-\w{5}`),
              ),
            },
            shows(
              "kubectl get endpoints",
              table("NAME ENDPOINTS AGE", String.raw`nginxservice [\d.]+:80,[\d.]+:80 ${AGE}`),
            ),
          );
          expect(await answers(shell, "nginxservice")).toContain("nginx");
          await run(
            { run: "kubectl get pods -o jsonpath='{.items[0].metadata.name}'", save: "POD" },
            { run: 'kubectl delete po "$POD"', out: /^pod "webserver-\w+-\w{5}" deleted/ },
            {
              run: "kubectl get pods",
              out: table(
                PODS,
                String.raw`webserver-\S+ [01]/1 (Running|ContainerCreating|Pending) 0 ${AGE}`,
                String.raw`webserver-\S+ [01]/1 (Running|ContainerCreating|Pending) 0 ${AGE}`,
              ),
            },
          );
          expect(await answers(shell, "nginxservice")).toContain("nginx");
          await run(
            "sed -i 's/replicas: 2/replicas: 3/' deployment.yaml",
            { run: "kubectl apply -f deployment.yaml", out: "deployment.apps/webserver configured" },
            shows("kubectl get po --no-headers | grep -c Running", "3"),
            {
              run: "kubectl scale deployment webserver --replicas=2",
              out: "deployment.apps/webserver scaled",
            },
            shows(
              "kubectl get po",
              table(PODS, running(String.raw`webserver-\S+`), running(String.raw`webserver-\S+`)),
            ),
          );
        }));

      test("a ReplicationController and a Service, by their long and short names", () =>
        follow("replication-controller", version, async (shell, run) => {
          const controllers = table("NAME DESIRED CURRENT READY AGE", `nginx-controller 2 2 2 ${AGE}`);
          const pods = table(
            PODS,
            running(String.raw`nginx-controller-\w{5}`),
            running(String.raw`nginx-controller-\w{5}`),
          );
          const services = table(SERVICES, String.raw`web-service ClusterIP [\d.]+ <none> 80/TCP ${AGE}`);
          await run(
            {
              run: "kubectl get nodes",
              out: /^NAME +STATUS +ROLES +AGE +VERSION *\nnode-1 +Ready .*\nnode-2 +Ready .*\n$/,
            },
            { run: "kubectl create -f nginx-rc.yml", out: "replicationcontroller/nginx-controller created" },
            shows("kubectl get replicationcontrollers", controllers),
            { run: "kubectl get rc", out: controllers },
            shows("kubectl get pods", pods),
            { run: "kubectl get po", out: pods },
            { run: "kubectl create -f nginx-service.yml", out: "service/web-service created" },
            { run: "kubectl get services", out: services },
            { run: "kubectl get svc", out: services },
            { run: "kubectl get pods -o jsonpath='{.items[0].metadata.name}'", save: "POD" },
            shows('kubectl exec "$POD" -- wget -qO- http://web-service', /nginx/),
            { run: 'kubectl delete pod "$POD"', out: /deleted/ },
            shows("kubectl get rc", controllers),
            { run: "kubectl describe rc nginx-controller", out: /SuccessfulCreate(.*\n)+.*SuccessfulCreate/ },
          );
          expect(shell.env["POD"]).toMatch(/^nginx-controller-\w{5}$/);
        }));

      test("a Deployment's ReplicaSets: create with its cause recorded, describe, set image, edit", () =>
        follow("zero-downtime", version, async (shell, run) => {
          const file = "deploy/go-demo-2-db.yml";
          shell.env["KUBE_EDITOR"] = "true";
          await run(
            {
              run: `kubectl create -f ${file} --record`,
              out: "deployment.apps/go-demo-2-db created",
              err: /Flag --record has been deprecated/,
            },
            shows(`kubectl get -f ${file}`, table(DEPLOYMENT, `go-demo-2-db 1/1 1 1 ${AGE}`)),
            { run: `kubectl describe -f ${file}`, out: DESCRIBED },
            { run: "kubectl get all", out: allOf([["db", 1]]) },
            {
              run: `kubectl set image -f ${file} db=mongo:3.5 --record`,
              out: "deployment.apps/go-demo-2-db image updated",
            },
            shows(
              `kubectl describe -f ${file}`,
              /\nEvents:\n(.*\n)*.* +deployment-controller +Scaled up replica set go-demo-2-db-\w+ (from 0 )?to 1\n.* +deployment-controller +Scaled up replica set go-demo-2-db-\w+ (from 0 )?to 1\n.* +deployment-controller +Scaled down replica set go-demo-2-db-\w+ (from 1 )?to 0\n/,
            ),
            shows(
              "kubectl get all",
              allOf([
                ["db", 1],
                ["db", 0],
              ]),
            ),
            {
              run: `kubectl edit -f ${file}`,
              err: /Edit cancelled, no changes made\./,
            },
            {
              run: "kubectl rollout history deployment go-demo-2-db",
              out: /\n1 +kubectl.* create --filename=deploy\/go-demo-2-db\.yml --record=true\n2 +kubectl.* set image .*db=mongo:3\.5 .*--record=true\n/,
            },
            {
              run: "kubectl create -f deploy/go-demo-2-db-svc.yml --record",
              out: "service/go-demo-2-db created",
            },
          );
        }));

      test("self-healing by a ReplicaSet, then roll out and roll back a Deployment", () =>
        follow("self-healing", version, async (_, run) => {
          const replicaSets = table("NAME DESIRED CURRENT READY AGE", `nginx-replicaset 2 2 2 ${AGE}`);
          await run(
            { run: "kubectl apply -f replica.yaml", out: "replicaset.apps/nginx-replicaset created" },
            shows("kubectl get rs", replicaSets),
            {
              run: "kubectl get po",
              out: table(
                PODS,
                running(String.raw`nginx-replicaset-\w{5}`),
                running(String.raw`nginx-replicaset-\w{5}`),
              ),
            },
            { run: "kubectl get po -o jsonpath='{.items[0].metadata.name}'", save: "POD" },
            { run: 'kubectl delete pod "$POD"', out: /deleted/ },
            shows("kubectl get rs", replicaSets),
            // One too many is taken away again.
            "kubectl run extra --image=nginx:1.21 --labels=app=web",
            shows("kubectl get po --no-headers | grep -v Terminating | wc -l", "2"),
            {
              run: "kubectl get po --show-labels",
              out: /^NAME +READY +STATUS +RESTARTS +AGE +LABELS\n(nginx-replicaset-\w+ +.* +app=web\n)+/,
            },
            {
              run: "kubectl delete all --all",
              out: /pod "nginx-replicaset-\w+" deleted(.*\n)+replicaset\.apps "nginx-replicaset" deleted/,
            },
            {
              run: "kubectl get all",
              retry: true,
              err: /^No resources found in \S+ namespace\.\n$/,
              out: "",
            },
            "kubectl apply -f deployment.yaml",
            { run: "kubectl rollout status deployment/nginx-deployment", out: /successfully rolled out/ },
            {
              run: "kubectl scale --replicas=4 deployment/nginx-deployment",
              out: "deployment.apps/nginx-deployment scaled",
            },
            shows("kubectl get deployment", table(DEPLOYMENT, `nginx-deployment 4/4 4 4 ${AGE}`)),
            "kubectl set image deployment/nginx-deployment nginx=nginx:1.21.3",
            {
              run: "kubectl rollout status deployment/nginx-deployment",
              out: /deployment "nginx-deployment" successfully rolled out/,
            },
            {
              run: "kubectl rollout history deployment/nginx-deployment",
              out: /^deployment\.apps\/nginx-deployment \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n/,
            },
            {
              run: "kubectl rollout undo deployment/nginx-deployment --to-revision=1",
              out: "deployment.apps/nginx-deployment rolled back",
            },
            { run: "kubectl rollout status deployment/nginx-deployment", out: /successfully rolled out/ },
            {
              run: "kubectl get deployment nginx-deployment -o jsonpath='{.spec.template.spec.containers[0].image}'",
              out: "nginx:1.21",
            },
            {
              run: "kubectl rollout history deployment/nginx-deployment",
              out: /\nREVISION +CHANGE-CAUSE\n2 +<none>\n3 +<none>\n/,
            },
          );
        }));
    },
  );

  test("an application and a database on two nodes outlive the loss of one", () =>
    follow("node-loss", versions.at(-1), async (shell, run) => {
      await run(
        "kubectl apply -f my-app.yaml -f database.yaml",
        { run: "kubectl rollout status deployment/my-app", out: /successfully rolled out/ },
        {
          run: "kubectl rollout status statefulset/database",
          out: /partitioned roll out complete|2 pods at revision/,
        },
        {
          run: "kubectl get statefulset",
          out: table("NAME READY AGE", `database 2/2 ${AGE}`),
        },
        {
          run: "kubectl get pods -l app=database",
          out: table(PODS, running("database-0"), running("database-1")),
        },
        {
          run: "kubectl get pods -l app=my-app -o jsonpath='{.items[*].spec.nodeName}'",
          out: /^node-1 node-2$|^node-2 node-1$/,
        },
      );
      await answers(shell, "my-app");
      await cluster.kubemu("node", "kill", "node-2");
      expect(await answers(shell, "my-app")).toContain("nginx");
      await run(
        shows("kubectl get nodes", /\nnode-1 +Ready .*\nnode-2 +NotReady /),
        shows("kubectl get deployment", table(DEPLOYMENT, `my-app 2/2 2 2 ${AGE}`)),
        shows("kubectl get statefulset", table("NAME READY AGE", `database 2/2 ${AGE}`)),
      );
      expect(await answers(shell, "my-app")).toContain("nginx");
      await cluster.kubemu("node", "start", "node-2");
      await run(shows("kubectl get nodes", /\nnode-2 +Ready /));
    }));
});

/** `kubectl get all` of the database's Deployment: pods, the Deployment, and a ReplicaSet of that many pods for each template. */
function allOf(replicaSets: readonly (readonly [string, number])[]): RegExp {
  const counts = replicaSets.map(
    ([, count]) => String.raw`replicaset\.apps/go-demo-2-db-\w+ +${count} +${count} +${count} +\S+\n`,
  );
  const eitherOrder = counts.length > 1 ? `(${counts.join("")}|${counts.toReversed().join("")})` : counts[0];
  return new RegExp(
    String.raw`^NAME +READY +STATUS +RESTARTS +AGE\npod/go-demo-2-db-\w+-\w+ +1/1 +Running +0 +\S+\n\n` +
      String.raw`NAME +READY +UP-TO-DATE +AVAILABLE +AGE\ndeployment\.apps/go-demo-2-db +1/1 +1 +1 +\S+\n\n` +
      String.raw`NAME +DESIRED +CURRENT +READY +AGE\n${eitherOrder}$`,
  );
}

const DESCRIBED = new RegExp(
  [
    "^Name: +go-demo-2-db",
    "Namespace: +\\S+",
    "CreationTimestamp: +\\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d .*",
    "Labels: +<none>",
    "Annotations: +deployment.kubernetes.io/revision: 1",
    " +kubernetes.io/change-cause: kubectl.* create --filename=deploy/go-demo-2-db.yml --record=true",
    "Selector: +service=go-demo-2,type=db",
    "Replicas: +1 desired \\| 1 updated \\| 1 total \\| 1 available \\| 0 unavailable",
    "StrategyType: +RollingUpdate",
    "MinReadySeconds: +0",
    "RollingUpdateStrategy: +25% max unavailable, 25% max surge",
    "Pod Template:",
    "  Labels: +service=go-demo-2",
    " +type=db",
    " +vendor=MongoLabs",
    "  Containers:",
    "   db:",
    "    Image: +mongo:3.3",
    "    Port: +28017/TCP",
    "    Host Port: +0/TCP",
    "    Environment: +<none>",
    "    Mounts: +<none>",
    "  Volumes: +<none>",
    "(?:.*\\n)*?Conditions:",
    "  Type +Status +Reason",
    "  ---- +------ +------",
    "  Available +True +MinimumReplicasAvailable",
    "  Progressing +True +NewReplicaSetAvailable",
    "OldReplicaSets: +<none>",
    "NewReplicaSet: +go-demo-2-db-\\w+ \\(1/1 replicas created\\)",
    "Events:",
    "  Type +Reason +Age +From +Message",
    "  ---- +------ +---- +---- +-------",
    "  Normal +ScalingReplicaSet +\\S+ +deployment-controller +Scaled up replica set go-demo-2-db-\\w+ (from 0 )?to 1\\n$",
  ].join(" *\\n"),
);

/** Path within the tutorial's folder, and text. */
function filesOf(tutorial: string): [string, string][] {
  const folder = new URL(`${tutorial}/`, FIXTURES);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = `${entry.parentPath}/${entry.name}`;
      return [path.slice(folder.pathname.length).replace(/^\//, ""), readFileSync(path, "utf8")];
    });
}
