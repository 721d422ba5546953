import * as v from "valibot";
import { AppError } from "../../errors.ts";
import * as usage from "../../store/usage.ts";
import { SessionId } from "../ids.ts";
import { ownSession } from "../owned.ts";
import { defineOperation, type Operation } from "./operation.ts";

const statusGet = defineOperation({
  name: "status.get",
  http: "GET /api/status",
  scope: "chat",
  summary: "What this server is, and who asks.",
  params: v.object({}),
  result: v.looseObject({
    version: v.string(),
    uptimeMs: v.number(),
    principal: v.object({ name: v.string(), scope: v.string() }),
  }),
  run: async (_, { status, version, startedAt, principal }) => ({
    ...status(),
    version,
    uptimeMs: Date.now() - startedAt,
    principal,
  }),
});

const tokens = {
  calls: v.number(),
  inputTokens: v.number(),
  outputTokens: v.number(),
  cachedTokens: v.number(),
  reasoningTokens: v.number(),
};

const usageGet = defineOperation({
  name: "usage.get",
  http: "GET /api/usage",
  scope: "chat",
  summary: "Tokens that were spent: of one session, or (for the operator) of all.",
  params: v.object({ session: v.optional(SessionId) }),
  result: v.object({
    ...tokens,
    models: v.array(v.object({ model: v.string(), ...tokens })),
  }),
  async run({ session }, context) {
    if (session !== undefined) {
      await ownSession(context, context.principal, session);
      return context.store.read((tx) => usage.sessionTotals(tx, session));
    }
    if (context.principal.scope === "operator") return context.store.read((tx) => usage.totals(tx, {}));
    throw new AppError(
      "forbidden",
      "Name one of your sessions: what all have spent is for the operator alone.",
      {
        param: "session",
      },
    );
  },
});

const modelsList = defineOperation({
  name: "models.list",
  http: "GET /api/models",
  scope: "chat",
  summary: "The models on offer, the default one first.",
  params: v.object({}),
  result: v.object({
    items: v.array(v.object({ id: v.string(), provider: v.string() })),
  }),
  run: async (_, { models, signal }) => ({ items: await models.list(signal) }),
});

const toolsList = defineOperation({
  name: "tools.list",
  http: "GET /api/tools",
  scope: "chat",
  summary: "The tools that are switched on.",
  params: v.object({}),
  result: v.object({
    items: v.array(
      v.object({
        name: v.string(),
        description: v.string(),
        needs: v.array(v.string()),
        inputSchema: v.unknown(),
      }),
    ),
  }),
  run: async (_, { tools }) => ({ items: tools }),
});

export const statusOperations: readonly Operation[] = [statusGet, usageGet, modelsList, toolsList];
