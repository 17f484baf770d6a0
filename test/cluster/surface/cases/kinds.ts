// Commands that make the kinds around a workload: batch, policy, traffic from outside; and what measures them.
import type { SurfaceCase } from "../case.ts";
import { table } from "../case.ts";

export const kindCases: readonly SurfaceCase[] = [
  {
    verb: "create",
    form: "job, cronjob, job --from=cronjob",
    own: true,
    steps: [
      { run: "kubectl create job once --image=busybox -- echo done", out: "job.batch/once created" },
      {
        run: "kubectl wait --for=condition=complete job/once --timeout=60s",
        out: "job.batch/once condition met",
      },
      { run: "kubectl logs job/once", out: "done" },
      {
        run: "kubectl create cronjob yearly --image=busybox --schedule='0 0 1 1 *' -- true",
        out: "cronjob.batch/yearly created",
      },
      {
        run: "kubectl get cronjob yearly --no-headers",
        out: /^yearly +0 0 1 1 \* +<none> +False +0 +<none> +\S+\n$/,
      },
      { run: "kubectl create job now --from=cronjob/yearly", out: "job.batch/now created" },
      { run: "kubectl get job now -o jsonpath='{.metadata.ownerReferences[0].kind}'", out: "CronJob" },
    ],
  },
  {
    verb: "create",
    form: "quota, poddisruptionbudget, ingress",
    own: true,
    steps: [
      { run: "kubectl create quota few --hard=pods=2,services=1", out: "resourcequota/few created" },
      { run: "kubectl describe quota few", out: /\npods +0 +2\nservices +0 +1\n$/, retry: true },
      {
        run: "kubectl create pdb most --selector=app=web --min-available=50%",
        out: "poddisruptionbudget.policy/most created",
      },
      {
        run: "kubectl get pdb",
        out: table("NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE", "most 50% N/A 0 \\S+"),
      },
      {
        run: "kubectl create ingress front --class=kubemu --rule='shop.example.com/*=web:80'",
        out: "ingress.networking.k8s.io/front created",
      },
      { run: "kubectl get ingress front --no-headers", out: /^front +kubemu +shop\.example\.com +/ },
    ],
  },
  {
    verb: "top",
    form: "node, pod (--containers, -l, --sort-by, --no-headers)",
    steps: [
      {
        run: "kubectl top node",
        out: /^NAME +CPU\(cores\) +CPU(%|\(%\)) +MEMORY\(bytes\) +MEMORY(%|\(%\)) *\nnode-1 +\d+m +\d+% +\d+Mi +\d+% *\n/,
        retry: true,
      },
      {
        run: "kubectl top pod shell --containers",
        out: /^POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\nshell +main +\d+m +\d+Mi *\nshell +side +\d+m +\d+Mi *\n$/,
        retry: true,
      },
      {
        run: "kubectl top pod -l app=web --sort-by=memory --no-headers",
        out: /^web-\S+ +\d+m +\d+Mi *\nweb-\S+ +\d+m +\d+Mi *\n$/,
        retry: true,
      },
    ],
  },
];
