import * as v from "valibot";
import type { Principal } from "../../agent/turn.ts";
import { AppError } from "../../errors.ts";
import type { Accepted, Listener, NewTurn, Unsubscribe } from "../../turns/turns.ts";
import { check } from "../check.ts";
import { SessionId, TurnId } from "../ids.ts";
import { ownSession, ownTurn } from "../owned.ts";
import type { GatewayParts } from "../parts.ts";

/** How long an operation that answers may take. */
const operationTimeoutMs = 30_000;

/** Who asks, and by which door. */
export interface Asked {
  readonly principal: Principal;
  readonly channel: "http" | "websocket";
  /** `traceparent` of the request. */
  readonly trace?: string | undefined;
  /** Ends when the caller is gone; the time-out of an operation is added to it. */
  readonly gone?: AbortSignal;
  /** Accepts a message by a door that goes on to tell its turn; absent where who asks comes back for it. */
  readonly accept?: (turn: NewTurn) => Promise<Accepted>;
}

/** All that an operation may use. */
export interface OperationContext extends GatewayParts, Asked {
  readonly signal: AbortSignal;
}

/** What an operation is handed for one call. What costs something to make is made when it is asked for. */
export const contextOf = (parts: GatewayParts, asked: Asked): OperationContext => ({
  ...asked,
  settings: parts.settings,
  version: parts.version,
  startedAt: parts.startedAt,
  store: parts.store,
  turns: parts.turns,
  run: parts.run,
  approvals: parts.approvals,
  ...(parts.channels && { channels: parts.channels }),
  ...(parts.jobs && { jobs: parts.jobs }),
  models: parts.models,
  status: () => parts.status(),
  get tools() {
    return parts.tools;
  },
  get signal() {
    return timeLimited(asked.gone);
  },
});

/** Ends with `gone`, and in any case when an operation has taken too long. */
export const timeLimited = (gone?: AbortSignal): AbortSignal => {
  const late = AbortSignal.timeout(operationTimeoutMs);
  return gone === undefined ? late : AbortSignal.any([gone, late]);
};

/**
 * `chat`: everybody who came in; `own-session`, `own-turn`: who may address what the parameter `session` or `turn`
 * names, which is checked before anything runs; `operator`: the operator alone.
 */
export type Scope = "chat" | "own-session" | "own-turn" | "operator";

export type Method = "GET" | "POST" | "PUT" | "DELETE";
type Http = `${Method} /api/${string}`;
export type ParamsSchema = v.ObjectSchema<v.ObjectEntries, undefined>;
export type AnySchema = v.GenericSchema<unknown, unknown>;

/** What nobody may change on its way out. */
type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

interface Declared<Params extends ParamsSchema> {
  readonly name: `${string}.${string}`;
  readonly http: Http;
  readonly scope: Scope;
  readonly summary: string;
  readonly params: Params;
}

/** Events that are being told. */
export interface Following {
  readonly stop: Unsubscribe;
  /** True when all was told already and nothing more will come. */
  readonly over: boolean;
}

/** Content types by the name of a format. */
export type Formats = Readonly<Record<string, string>>;

interface Common {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly params: ParamsSchema;
}

/** An operation as the doors use it: it checks its own parameters and who asks. */
export type Operation = Common &
  (
    | {
        readonly kind: "answer";
        readonly result: AnySchema;
        run(input: unknown, context: OperationContext): Promise<unknown>;
      }
    | {
        readonly kind: "events";
        follow(input: unknown, context: OperationContext, listener: Listener): Promise<Following>;
      }
    | {
        readonly kind: "lines";
        /** What it may be written as; the parameter `format` chooses, the first is the default. */
        readonly formats: Formats;
        lines(input: unknown, context: OperationContext): AsyncIterable<string>;
      }
  );

/** Throws unless the scope lets the principal do it; what a name is missing from, its schema says later. */
async function checkScope(
  scope: Scope,
  name: string,
  params: unknown,
  context: OperationContext,
): Promise<void> {
  const { principal } = context;
  if (scope === "own-session") {
    await ownSession(context, principal, check(v.object({ session: SessionId }), params).session);
  } else if (scope === "own-turn") {
    await ownTurn(context, principal, check(v.object({ turn: TurnId }), params).turn);
  } else if (scope === "operator" && principal.scope !== "operator") {
    throw new AppError("forbidden", `${name} is for the operator alone.`);
  }
}

async function admit<Params extends ParamsSchema>(
  { params, scope, name }: Declared<Params>,
  input: unknown,
  context: OperationContext,
): Promise<v.InferOutput<Params>> {
  const checked = check(params, input);
  await checkScope(scope, name, checked, context);
  return checked;
}

function common<Params extends ParamsSchema>({ http, ...rest }: Declared<Params>): Common {
  const [method = "", path = ""] = http.split(" ");
  return { ...rest, method, path };
}

/** An operation that answers once. What it answers with is cut down to `result`, so that nothing else gets out. */
export function defineOperation<Params extends ParamsSchema, Result extends AnySchema>(
  declared: Declared<Params> & {
    readonly result: Result;
    run(params: v.InferOutput<Params>, context: OperationContext): Promise<Immutable<v.InferInput<Result>>>;
  },
): Operation {
  const { result, run, ...rest } = declared;
  return {
    ...common(rest),
    kind: "answer",
    result,
    run: async (input, context) => v.parse(result, await run(await admit(rest, input, context), context)),
  };
}

/** An operation that goes on telling: server-sent events over HTTP, envelopes over a WebSocket. */
export function defineEvents<Params extends ParamsSchema>(
  declared: Declared<Params> & {
    follow(params: v.InferOutput<Params>, context: OperationContext, listener: Listener): Promise<Following>;
  },
): Operation {
  const { follow, ...rest } = declared;
  return {
    ...common(rest),
    kind: "events",
    follow: async (input, context, listener) => follow(await admit(rest, input, context), context, listener),
  };
}

/** An operation whose answer may be long: text in one of several formats, over HTTP only. */
export function defineLines<Params extends ParamsSchema>(
  declared: Declared<Params> & {
    readonly formats: Formats;
    lines(params: v.InferOutput<Params>, context: OperationContext): AsyncIterable<string>;
  },
): Operation {
  const { lines, formats, ...rest } = declared;
  return {
    ...common(rest),
    kind: "lines",
    formats,
    async *lines(input, context) {
      yield* lines(await admit(rest, input, context), context);
    },
  };
}
