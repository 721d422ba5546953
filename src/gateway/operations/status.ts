import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { mostItems } from "../../store/page.ts";
import {
  by,
  sessionTotals,
  type Spending,
  totals,
  usageKeys,
  type UsageTotals,
} from "../../store/usage-report.ts";
import { SessionId } from "../ids.ts";
import { ownSession } from "../owned.ts";
import { defineOperation, type Operation } from "./operation.ts";

const statusGet = defineOperation({
  name: "status.get",
  http: "GET /api/status",
  scope: "chat",
  summary: "What this server is, and who asks; for the operator also how it fares.",
  params: v.object({}),
  result: v.looseObject({
    version: v.string(),
    uptimeMs: v.optional(v.number()),
    principal: v.object({ name: v.string(), scope: v.string() }),
  }),
  async run(_, { status, version, startedAt, principal }) {
    const all = await status();
    // How providers, queues and channels fare, and who may write by them, is nothing for who only talks to it.
    if (principal.scope !== "operator") return { model: all.model, version, principal };
    return { ...all, version, uptimeMs: Date.now() - startedAt, principal };
  },
});

const spending = {
  calls: v.number(),
  estimatedCalls: v.number(),
  unpricedCalls: v.number(),
  inputTokens: v.number(),
  outputTokens: v.number(),
  cachedTokens: v.number(),
  reasoningTokens: v.number(),
  costUsd: v.optional(v.number()),
};

const Day = v.pipe(v.string(), v.isoDate("Expected a day in UTC such as 2026-11-23"));

/** Millionths of a dollar as dollars; left out where no price is known, because that is not zero. */
function inDollars<Each extends Spending>({ cost, ...rest }: Each) {
  return { ...rest, ...(cost !== undefined && { costUsd: cost / 1_000_000 }) };
}

const withModels = ({ models, ...all }: UsageTotals) => ({
  ...inDollars(all),
  models: models.map(inDollars),
});

const usageGet = defineOperation({
  name: "usage.get",
  http: "GET /api/usage",
  scope: "chat",
  summary:
    "Tokens that were spent, and what they cost where prices are known: of one session, or (for the operator) of all.",
  params: v.object({
    session: v.optional(SessionId),
    /** Beside the models. */
    by: v.optional(v.picklist(usageKeys)),
    from: v.optional(Day),
    to: v.optional(Day),
  }),
  result: v.object({
    ...spending,
    models: v.array(v.object({ model: v.string(), ...spending })),
    items: v.optional(v.array(v.object({ key: v.string(), ...spending }))),
  }),
  async run({ session, by: key, ...days }, context) {
    const { store, principal } = context;
    if (session !== undefined) {
      await ownSession(context, principal, session);
      return withModels(await store.read((tx) => sessionTotals(tx, session)));
    }
    if (principal.scope !== "operator") {
      throw new AppError(
        "forbidden",
        "Name one of your sessions: what all have spent is for the operator alone.",
        { param: "session" },
      );
    }
    return store.read(async (tx) => ({
      ...withModels(await totals(tx, days)),
      ...(key !== undefined && { items: (await by(tx, key, days, mostItems)).map(inDollars) }),
    }));
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
