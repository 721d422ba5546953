import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { listOutbox } from "../../store/outbox-list.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

const OutboxId = v.pipe(v.string(), v.regex(/^[0-9a-f-]{1,64}$/, "This is not the id of a delivery."));

const list = defineOperation({
  name: "deliveries.list",
  http: "GET /api/deliveries",
  scope: "operator",
  summary:
    "What channels could not deliver and gave up (`dead`), or what still waits (`waiting`), newest first.",
  params: v.object({
    state: v.optional(v.picklist(["dead", "waiting"]), "dead"),
    cursor: PageCursor,
    limit: Limit,
  }),
  result: pageSchema(
    v.object({
      id: v.string(),
      channel: v.string(),
      recipient: v.string(),
      turnId: v.string(),
      kind: v.string(),
      part: v.number(),
      state: v.string(),
      attempts: v.number(),
      createdAt: v.number(),
      endedAt: v.optional(v.number()),
      lastError: v.optional(v.string()),
    }),
  ),
  run: ({ state, ...page }, { store }) => store.read((tx) => listOutbox(tx, { state, ...pageOf(page) })),
});

const retry = defineOperation({
  name: "deliveries.retry",
  http: "POST /api/deliveries/:delivery/retry",
  scope: "operator",
  summary: "Tries again to deliver what was given up, before all else that waits for its recipient.",
  params: v.object({ delivery: OutboxId }),
  result: v.object({ id: v.string() }),
  async run({ delivery: id }, { channels }) {
    if (channels !== undefined && (await channels.retry(id))) return { id };
    throw new AppError("not_found", `There is no delivery ${id} that was given up.`);
  },
});

export const deliveryOperations: readonly Operation[] = [list, retry];
