import { expect, test } from "vitest";
import { services } from "../../../src/api/kinds/service.ts";
import { notFound, statusError } from "../../../src/api/status-error.ts";
import { checkService } from "../../../src/cli/commands/traffic.ts";
import type { Client } from "../../../src/client/client.ts";

const clientThat = (get: () => Promise<unknown>) => ({ get }) as unknown as Pick<Client, "get">;

test("traffic of a Service that is not there is told in one line", async () => {
  const client = clientThat(() => Promise.reject(notFound(services, "nosuch")));
  await expect(checkService(client, "shop/nosuch")).rejects.toThrow(/^there is no Service shop\/nosuch$/);
  await expect(checkService(client, "a/b/c")).rejects.toThrow(/NAME or NAMESPACE\/NAME, not "a\/b\/c"/);
});

test("one that is there is taken, and other errors stay what they are", async () => {
  await checkService(
    clientThat(async () => ({})),
    "shop/web",
  );
  const client = clientThat(() => Promise.reject(statusError("Forbidden", "no")));
  await expect(checkService(client, "shop/web")).rejects.toThrow(/^no$/);
});
