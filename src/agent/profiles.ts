import { AppError } from "../errors.ts";
import type { Llm, Models } from "../llm/llm.ts";
import type { Turn, TurnRequest } from "./turn.ts";

/** A specialist of OPENCLAW_AGENTS. */
export interface Profile {
  readonly name: string;
  readonly description: string;
  readonly systemPrompt?: string | undefined;
  readonly model?: string | undefined;
  /** Names of the tools that it may use, of those that are granted; all of them when absent. */
  readonly tools?: readonly string[] | undefined;
  readonly maxSteps?: number | undefined;
  /** Tokens that one turn of it may take. */
  readonly tokens?: number | undefined;
  readonly timeoutSeconds?: number | undefined;
}

export interface Profiles {
  readonly list: readonly Profile[];
  find(name: string): Profile | undefined;
}

export const createProfiles = (list: readonly Profile[]): Profiles => {
  const byName = new Map(list.map((profile) => [profile.name, profile]));
  return { list, find: (name) => byName.get(name) };
};

/** A model of this name is a profile, to which a client then talks directly. */
const prefix = "openclaw/";

const modelOf = ({ name }: Profile) => prefix + name;

const profileOfModel = (model: string | undefined) =>
  model?.startsWith(prefix) === true ? model.slice(prefix.length) : undefined;

const namedInErrors = 20;

export function namesOf(profiles: readonly { readonly name: string }[]): string {
  const more = profiles.length > namedInErrors ? ` and ${profiles.length - namedInErrors} more` : "";
  const named = profiles.slice(0, namedInErrors).map(({ name }) => name);
  return `${named.join(", ") || "none"}${more}`;
}

const unknown = (name: string, profiles: Profiles) =>
  new AppError(
    "model_not_found",
    `There is no agent \`${name.slice(0, 100)}\` (OPENCLAW_AGENTS). There are: ${namesOf(profiles.list.map((each) => ({ name: modelOf(each) })))}.`,
    { param: "model" },
  );

/** The smaller one of two limits, where there is any. */
function least(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

/** What both lists allow; a list that is absent allows all. */
export function bothAllow(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): readonly string[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.filter((name) => b.includes(name));
}

/** The profile that answers a turn, by `agent` or by the model that was asked for. */
export const agentOf = ({ agent, model }: TurnRequest): string | undefined => agent ?? profileOfModel(model);

/**
 * The turn with what its profile says: its model where none was asked for, and only less of tools, steps and tokens than
 * the turn had. Throws `model_not_found` for a profile that is not there (any more).
 */
export function asProfile(turn: Turn, profiles: Profiles): Turn {
  const name = agentOf(turn.request);
  if (name === undefined) return turn;
  const profile = profiles.find(name);
  if (profile === undefined) throw unknown(name, profiles);
  const { model: asked, ...request } = turn.request;
  const model = asked === undefined || profileOfModel(asked) !== undefined ? profile.model : asked;
  const onlyTools = bothAllow(request.onlyTools, profile.tools);
  const maxSteps = least(request.maxSteps, profile.maxSteps);
  const maxTokens = least(request.maxTokens, profile.tokens);
  return {
    ...turn,
    request: {
      ...request,
      agent: name,
      ...(model !== undefined && { model }),
      ...(onlyTools !== undefined && { onlyTools }),
      ...(maxSteps !== undefined && { maxSteps }),
      ...(maxTokens !== undefined && { maxTokens }),
    },
  };
}

/** A model that knows profiles by their names: it is asked as the one that the profile has. For calls beside the agent. */
export const withProfileModels =
  (llm: Llm, profiles: Profiles): Llm =>
  (request) => {
    const name = profileOfModel(request.model);
    if (name === undefined) return llm(request);
    const { model: _, ...rest } = request;
    const model = profiles.find(name)?.model;
    return llm(model === undefined ? rest : { ...rest, model });
  };

/** The models on offer, and the profiles behind them. */
export function withProfilesListed(models: Models, profiles: Profiles): Models {
  if (profiles.list.length === 0) return models;
  return {
    async list(signal) {
      const ours = profiles.list.map((profile) => ({ id: modelOf(profile), provider: "openclaw" }));
      return [...(await models.list(signal)), ...ours];
    },
    async check(id, signal) {
      const name = profileOfModel(id);
      if (name !== undefined && profiles.find(name) !== undefined) return;
      try {
        await models.check(id, signal);
      } catch (error) {
        if (name !== undefined && error instanceof AppError && error.code === "model_not_found")
          throw unknown(name, profiles);
        throw error;
      }
    },
  };
}
