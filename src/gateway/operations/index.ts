import { approvalOperations } from "./approvals.ts";
import { auditOperations } from "./audit.ts";
import { branchOperations } from "./branches.ts";
import { deliveryOperations } from "./deliveries.ts";
import { jobOperations } from "./jobs.ts";
import { noteOperations } from "./notes.ts";
import type { Operation } from "./operation.ts";
import { pairingOperations } from "./pairing.ts";
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
  ...jobOperations,
  ...noteOperations,
  ...pairingOperations,
  ...deliveryOperations,
  ...auditOperations,
];
