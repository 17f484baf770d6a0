// Volumes as kubectl's user meets them: claims, classes, reclaiming, data that outlive pods, nodes and the cluster's own restart.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, fetchText, processesOf, startCluster } from "./harness.ts";

const scratch = () => realpathSync(mkdtempSync(join(tmpdir(), "kubemu-test-")));

const claim = (name: string, more = "") => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name} }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
${more}`;

const volume = (name: string, source: string, more = "") => `
apiVersion: v1
kind: PersistentVolume
metadata: { name: ${name} }
spec:
  capacity: { storage: 5Gi }
  accessModes: [ReadWriteOnce]
  storageClassName: manual
  ${source}
${more}`;

/** A pod that runs \`script\` with the claim at /data. */
const user = (name: string, claimName: string, script: string, more = "") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox
    command: [sh, -c, ${JSON.stringify(script)}]
    volumeMounts: [{ name: data, mountPath: /data }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: ${claimName} } }]
${more}`;

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: nginx
        image: nginx
        ports: [{ containerPort: 80 }]
        volumeMounts: [{ name: html, mountPath: /usr/share/nginx/html, subPath: site }]
      volumes: [{ name: html, persistentVolumeClaim: { claimName: site } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
`;

const database = `
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 80 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: db
        image: busybox
        # Each start of a replica is one more line.
        command: [sh, -c, 'echo "$HOSTNAME" >> "$KUBEMU_ROOT/data/starts"; sleep 100000']
        volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 10Mi } } }
`;

describe("a cluster with storage", () => {
  let cluster: Cluster;
  const hostDirectory = scratch();
  const phase = (what: string, name: string) =>
    cluster.kubectl("get", what, name, "-o", "jsonpath={.status.phase}");
  const isPhase = (what: string, name: string, wanted: string) =>
    eventually(`${what} ${name} is ${wanted}`, async () => (await phase(what, name)) === wanted);
  const describePod = (name: string) => cluster.kubectl("describe", "pod", name);
  const directoryOf = async (claimName: string) => {
    const name = await cluster.kubectl("get", "pvc", claimName, "-o", "jsonpath={.spec.volumeName}");
    return cluster.kubectl("get", "pv", name, "-o", "jsonpath={.spec.hostPath.path}");
  };

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(hostDirectory, { recursive: true, force: true });
  });

  test("has a default class, and a claim is bound at once", async () => {
    expect(await cluster.kubectl("get", "sc")).toMatch(
      /^NAME +PROVISIONER +RECLAIMPOLICY +VOLUMEBINDINGMODE +ALLOWVOLUMEEXPANSION +AGE\nstandard \(default\) +kubemu.dev\/directory +Delete +Immediate +true +\d+s\n$/,
    );
    await cluster.apply(claim("site"));
    await isPhase("pvc", "site", "Bound");
    expect(await cluster.kubectl("get", "pvc")).toMatch(
      /^NAME +STATUS +VOLUME +CAPACITY +ACCESS MODES +STORAGECLASS +VOLUMEATTRIBUTESCLASS +AGE\nsite +Bound +pvc-[-0-9a-f]{36} +1Gi +RWO +standard +<unset> +\d+s\n$/,
    );
    expect(await cluster.kubectl("get", "pv", "-o", "wide")).toMatch(
      /pvc-\S+ +1Gi +RWO +Delete +Bound +default\/site +standard +<unset> +\d+s +Filesystem\n$/,
    );
    const described = await eventually("the events are told", async () => {
      const text = await cluster.kubectl("describe", "pvc", "site");
      return text.includes("ProvisioningSucceeded") && text;
    });
    expect(described).toMatch(/Finalizers: +\[kubernetes.io\/pvc-protection\]/);
    expect(described).toMatch(/pv.kubernetes.io\/bind-completed: yes/);
    expect(described).toMatch(/Normal +Provisioning .*is provisioning volume for claim "default\/site"/);
    expect(described).toMatch(/Normal +ProvisioningSucceeded .*Successfully provisioned volume pvc-/);
  });

  test("what one pod writes its replacement on another node reads", async () => {
    await cluster.apply(web);
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    const script = 'mkdir -p "$KUBEMU_ROOT/data/site"; echo from-a-pod > "$KUBEMU_ROOT/data/site/index.html"';
    await cluster.apply(user("writer", "site", script));
    await isPhase("pod", "writer", "Succeeded");
    const url = await cluster.url("web");
    expect((await fetchText(url)).text).toBe("from-a-pod\n");
    const nodeOf = () =>
      cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.nodeName}");
    const first = await nodeOf();
    await cluster.kubectl("cordon", first);
    await cluster.kubectl("delete", "pod", "-l", "app=web");
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    expect(await nodeOf()).not.toBe(first);
    expect((await fetchText(url)).text).toBe("from-a-pod\n");
    await cluster.kubectl("uncordon", first);
  });

  test("a claim grows where its class lets it, and shrinks never", async () => {
    const resize = (size: string) =>
      cluster.tryKubectl([
        "patch",
        "pvc",
        "site",
        "-p",
        `{"spec":{"resources":{"requests":{"storage":"${size}"}}}}`,
      ]);
    expect((await resize("3Gi")).code).toBe(0);
    await eventually(
      "the claim shows its new size",
      async () =>
        (await cluster.kubectl("get", "pvc", "site", "-o", "jsonpath={.status.capacity.storage}")) === "3Gi",
    );
    expect((await resize("2Gi")).stderr).toContain("field can not be less than status.capacity");
    const changed = await cluster.tryKubectl([
      "patch",
      "pvc",
      "site",
      "-p",
      '{"spec":{"volumeName":"other"}}',
    ]);
    expect(changed.stderr).toContain("spec is immutable after creation except resources.requests");
  });

  test("a claim in use is kept until its pods are gone, and its directory goes with it", async () => {
    const directory = await directoryOf("site");
    expect(readFileSync(join(directory, "site/index.html"), "utf8")).toBe("from-a-pod\n");
    await cluster.kubectl("delete", "pvc", "site", "--wait=false");
    expect(await cluster.kubectl("get", "pvc", "site")).toContain("Terminating");
    expect(existsSync(directory)).toBe(true);
    await cluster.kubectl("delete", "deployment/web", "service/web", "pod/writer");
    await cluster.kubectl("wait", "--for=delete", "pvc/site", "--timeout=60s");
    await eventually("the volume is gone", async () => (await cluster.kubectl("get", "pv")) === "");
    expect(existsSync(directory)).toBe(false);
  });

  test("Retain keeps the directory and the volume, Released", async () => {
    await cluster.apply(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: kept }
provisioner: rancher.io/local-path
reclaimPolicy: Retain
volumeBindingMode: WaitForFirstConsumer
---${claim("kept", "  storageClassName: kept")}`);
    await eventually("the claim waits for a pod", async () =>
      (await cluster.kubectl("describe", "pvc", "kept")).includes(
        "waiting for first consumer to be created before binding",
      ),
    );
    await cluster.apply(user("keeper", "kept", 'echo kept > "$KUBEMU_ROOT/data/file"'));
    await isPhase("pod", "keeper", "Succeeded");
    const name = await cluster.kubectl("get", "pvc", "kept", "-o", "jsonpath={.spec.volumeName}");
    const directory = await directoryOf("kept");
    const node = await cluster.kubectl("get", "pod", "keeper", "-o", "jsonpath={.spec.nodeName}");
    expect(await cluster.kubectl("get", "pvc", "kept", "-o", "yaml")).toContain(
      `volume.kubernetes.io/selected-node: ${node}`,
    );
    await cluster.kubectl("delete", "pod/keeper", "pvc/kept");
    await isPhase("pv", name, "Released");
    expect(readFileSync(join(directory, "file"), "utf8")).toBe("kept\n");
    await cluster.kubectl("delete", "pv", name);
    expect(existsSync(directory)).toBe(true);
  });

  test("a hostPath volume made by hand is bound by class and mounted", async () => {
    mkdirSync(join(hostDirectory, "mnt"));
    writeFileSync(join(hostDirectory, "mnt/greeting"), "hello\n");
    await cluster.apply(volume("by-hand", `hostPath: { path: ${join(hostDirectory, "mnt")} }`));
    await isPhase("pv", "by-hand", "Available");
    await cluster.apply(claim("by-hand", "  storageClassName: manual"));
    await isPhase("pvc", "by-hand", "Bound");
    expect(await cluster.kubectl("get", "pvc", "by-hand")).toMatch(
      /by-hand +Bound +by-hand +5Gi +RWO +manual/,
    );
    await cluster.apply(user("reader", "by-hand", 'cat "$KUBEMU_ROOT/data/greeting"'));
    await isPhase("pod", "reader", "Succeeded");
    expect(await cluster.kubectl("logs", "reader")).toBe("hello\n");
  });

  test("a pod says why it waits: no such claim, and a claim without a volume", async () => {
    await cluster.apply(user("orphan", "nowhere", "true"));
    await eventually("the missing claim is named", async () =>
      (await describePod("orphan")).includes(
        '0/2 nodes are available: persistentvolumeclaim "nowhere" not found. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
      ),
    );
    await cluster.apply(claim("nowhere", '  storageClassName: ""'));
    await eventually("the claim is not bound", async () =>
      (await describePod("orphan")).includes("pod has unbound immediate PersistentVolumeClaims"),
    );
    expect(await cluster.kubectl("describe", "pvc", "nowhere")).toContain(
      "no persistent volumes available for this claim and no storage class is set",
    );
    await cluster.apply(
      volume("late", `hostPath: { path: ${join(hostDirectory, "late")} }`).replace("manual", '""'),
    );
    await isPhase("pod", "orphan", "Succeeded");
  });

  test("a StatefulSet's data are with its replica again after the node was killed", async () => {
    await cluster.apply(database);
    await cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=60s");
    const first = await directoryOf("data-db-0");
    const second = await directoryOf("data-db-1");
    expect(first).not.toBe(second);
    const startsIn = (directory: string) => readFileSync(join(directory, "starts"), "utf8");
    await eventually("both have written", () => existsSync(join(first, "starts")) && startsIn(second) !== "");
    const nodeOf = () => cluster.kubectl("get", "pod", "db-0", "-o", "jsonpath={.spec.nodeName}");
    const lost = await nodeOf();
    await cluster.kubemu("node", "kill", lost);
    await eventually("db-0 has started elsewhere", () => startsIn(first) === "db-0\ndb-0\n");
    expect(await nodeOf()).not.toBe(lost);
    expect(await directoryOf("data-db-0")).toBe(first);
    await cluster.kubemu("node", "start", lost);
    await cluster.kubectl("delete", "statefulset,service", "db");
    expect(await phase("pvc", "data-db-0")).toBe("Bound");
    await cluster.kubectl("delete", "pvc", "data-db-0", "data-db-1");
    await eventually("the directories are gone", () => !existsSync(first) && !existsSync(second));
  });

  test("a StatefulSet's claims go as its retention policy says, and with them the data", async () => {
    const policy = (whenScaled: string, whenDeleted: string) => `
  persistentVolumeClaimRetentionPolicy: { whenScaled: ${whenScaled}, whenDeleted: ${whenDeleted} }
`;
    const claims = () => cluster.kubectl("get", "pvc", "-l", "app=db", "-o", "name");
    const startsAre = (directory: string, starts: string) =>
      eventually(`${directory} has seen: ${starts}`, () => {
        const file = join(directory, "starts");
        return existsSync(file) && readFileSync(file, "utf8") === starts;
      });
    await cluster.apply(database.trimEnd() + policy("Delete", "Retain"));
    await cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=60s");
    const [first, second] = [await directoryOf("data-db-0"), await directoryOf("data-db-1")];
    await startsAre(second, "db-1\n");
    await cluster.kubectl("delete", "pod", "db-1");
    await startsAre(second, "db-1\ndb-1\n");

    await cluster.kubectl("scale", "statefulset/db", "--replicas=1");
    await cluster.kubectl("wait", "--for=delete", "pvc/data-db-1", "--timeout=60s");
    await eventually("the surplus replica's data are gone", () => !existsSync(second));
    expect(await claims()).toBe("persistentvolumeclaim/data-db-0\n");
    await cluster.kubectl("scale", "statefulset/db", "--replicas=2");
    await cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=60s");
    await startsAre(await directoryOf("data-db-1"), "db-1\n");

    await cluster.kubectl("delete", "statefulset", "db");
    await cluster.kubectl("wait", "--for=delete", "pod", "-l", "app=db", "--timeout=60s");
    expect(await claims()).toBe("persistentvolumeclaim/data-db-0\npersistentvolumeclaim/data-db-1\n");
    await cluster.apply(database.trimEnd() + policy("Retain", "Delete"));
    await cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=60s");
    await startsAre(first, "db-0\ndb-0\n");
    await eventually("the claims are the set's", async () => {
      const owners = await cluster.kubectl(
        "get",
        "pvc",
        "-l",
        "app=db",
        "-o",
        "jsonpath={.items[*].metadata.ownerReferences[*].kind}",
      );
      return owners === "StatefulSet StatefulSet";
    });
    await cluster.kubectl("delete", "statefulset,service", "db");
    await eventually("the claims are gone", async () => (await claims()) === "");
    await eventually("the data are gone", () => !existsSync(first));
  });

  test("an ephemeral volume has a claim that lives and dies with its pod", async () => {
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: scratch }
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox
    command: [sh, -c, 'echo x > "$KUBEMU_ROOT/tmp/x"; sleep 1000']
    volumeMounts: [{ name: tmp, mountPath: /tmp }]
  volumes:
  - name: tmp
    ephemeral:
      volumeClaimTemplate:
        spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 10Mi } } }
`);
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/scratch", "--timeout=60s");
    const directory = await directoryOf("scratch-tmp");
    await eventually("the pod has written", () => existsSync(join(directory, "x")));
    await cluster.kubectl("delete", "pod", "scratch");
    await cluster.kubectl("wait", "--for=delete", "pvc/scratch-tmp", "--timeout=60s");
    await eventually("the directory is gone", () => !existsSync(directory));
  });

  test("a full disk, and a volume that cannot be mounted, are their pods' problems only", async () => {
    await cluster.apply(
      volume("full", "hostPath: { path: /dev/full, type: CharDevice }").replace("manual", "full"),
    );
    await cluster.apply(claim("full", "  storageClassName: full"));
    await cluster.apply(user("filler", "full", 'cat /proc/version > "$KUBEMU_ROOT/data"'));
    await isPhase("pod", "filler", "Failed");
    expect(await cluster.kubectl("logs", "filler")).toMatch(/No space left on device/i);
    await cluster.apply(volume("remote", "nfs: { server: 192.0.2.1, path: / }").replace("manual", "nfs"));
    await cluster.apply(claim("remote", "  storageClassName: nfs"));
    await cluster.apply(user("mounter", "remote", "true"));
    await eventually("the event says why", async () =>
      (await describePod("mounter")).includes("kubemu mounts hostPath and local volumes only, not nfs"),
    );
    const nodes = await cluster.kubectl("get", "nodes");
    expect(nodes.match(/ Ready /g)).toHaveLength(2);
    await cluster.apply(claim("fine"));
    await cluster.apply(user("fine", "fine", 'echo fine > "$KUBEMU_ROOT/data/x"'));
    await isPhase("pod", "fine", "Succeeded");
  });
});

test("data are there again after down and up", async () => {
  const dataDir = join(scratch(), "data");
  const first = await startCluster({ dataDir, nodes: 1, inMemory: false });
  await first.apply(`${claim("data")}\n---\n${user("writer", "data", 'echo kept > "$KUBEMU_ROOT/data/x"')}`);
  const succeeded = (cluster: Cluster, name: string) =>
    eventually(
      `${name} succeeds`,
      async () =>
        (await cluster.kubectl("get", "pod", name, "-o", "jsonpath={.status.phase}")) === "Succeeded",
    );
  await succeeded(first, "writer");
  await first.kubemu("down");
  const second = await startCluster({ dataDir, nodes: 1, inMemory: false });
  expect(await second.kubectl("get", "pvc", "data", "-o", "jsonpath={.status.phase}")).toBe("Bound");
  await second.apply(user("reader", "data", 'cat "$KUBEMU_ROOT/data/x"'));
  await succeeded(second, "reader");
  expect(await second.kubectl("logs", "reader")).toBe("kept\n");
  expect(readdirSync(join(dataDir, "volumes"))).toHaveLength(1);
  await second.kubemu("down", "--delete");
  expect(existsSync(dataDir)).toBe(false);
  expect(processesOf(dataDir)).toEqual([]);
  rmSync(dirname(dataDir), { recursive: true });
});
