// Every case, in the order of the table in docs/compatibility.md.
import type { SurfaceCase } from "./case.ts";
import { aboutCases } from "./cases/about.ts";
import { applyCases } from "./cases/apply.ts";
import { changeCases } from "./cases/change.ts";
import { createCases } from "./cases/create.ts";
import { debugCases } from "./cases/debug.ts";
import { describeCases } from "./cases/describe.ts";
import { getCases } from "./cases/get.ts";
import { kindCases } from "./cases/kinds.ts";
import { nodeCases } from "./cases/nodes.ts";
import { removeCases } from "./cases/remove.ts";
import { rolloutCases } from "./cases/rollout.ts";
import { streamCases } from "./cases/streams.ts";

export const surfaceCases: readonly SurfaceCase[] = [
  ...getCases,
  ...describeCases,
  ...createCases,
  ...kindCases,
  ...applyCases,
  ...changeCases,
  ...rolloutCases,
  ...removeCases,
  ...streamCases,
  ...debugCases,
  ...nodeCases,
  ...aboutCases,
];
