import { approvalOperations } from "./approvals.ts";
import { branchOperations } from "./branches.ts";
import { noteOperations } from "./notes.ts";
import type { Operation } from "./operation.ts";
import { sessionOperations } from "./sessions.ts";
import { statusOperations } from "./status.ts";
import { turnOperations } from "./turns.ts";

/** All that a client can ask for. WebSocket requests, HTTP routes and the OpenAPI document are read from this list. */
export const operations: readonly Operation[] = [
  ...statusOperations,
  ...sessionOperations,
  ...branchOperations,
  ...turnOperations,
  ...approvalOperations,
  ...noteOperations,
];
