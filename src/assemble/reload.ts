import { changesOf, type LiveSettings } from "../config/live.ts";
import type { Loaded } from "../config/load.ts";
import { secretValues } from "../config/secret-values.ts";
import type { Settings } from "../config/settings.ts";
import { AppError, publicError } from "../errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { LiveKeys } from "../llm/live-keys.ts";
import { inferProviders } from "../llm/providers.ts";
import { checkDeclared } from "../scheduler/declared-jobs.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import { log } from "../telemetry/log.ts";
import { hideSecrets } from "../telemetry/mask.ts";

interface ReloadParts {
  readonly live: LiveSettings;
  readonly keys: LiveKeys;
  readonly gateway: Pick<Gateway, "takeTokens">;
  readonly scheduler: Pick<Scheduler, "redeclare">;
  /** The operator's token of the data folder, where that one is in use. */
  readonly keptToken: string | undefined;
  readonly store: Store;
  readonly audit: AuditTrail;
}

/** What was read again: true when it was taken. Never rejects. */
export type Reload = (loaded: Loaded) => Promise<boolean>;

/** Takes settings that were read again, or refuses all of them: then the previous values stay. */
export function createReload(parts: ReloadParts): Reload {
  const { live, store, audit } = parts;
  let last: Promise<unknown> = Promise.resolve();

  /** Everything that can be refused comes before anything that changes. */
  async function take(next: Settings, sources: Loaded["sources"]) {
    const changes = changesOf(live.settings, next);
    const { agents } = next.agent;
    await checkDeclared(next.scheduler.jobs, { agents: agents.map(({ name }) => name) });
    if ((agents.length === 0) !== (live.settings.agent.agents.length === 0))
      throw new AppError("bad_request", "The first agent of OPENCLAW_AGENTS, and none, need a restart.");
    if ((next.gateway.authToken === undefined) !== (live.settings.gateway.authToken === undefined))
      throw new AppError(
        "bad_request",
        "Whether OPENCLAW_AUTH_TOKEN is set at all changes at a restart only.",
      );
    const authToken = next.gateway.authToken ?? parts.keptToken;
    hideSecrets(secretValues(next));
    if (!parts.keys.take(inferProviders(next.llm)))
      throw new AppError(
        "bad_request",
        "OPENCLAW_PROVIDERS differs in more than keys, which needs a restart.",
      );
    live.take({ settings: next, sources });
    parts.gateway.takeTokens({ authToken, clientTokens: next.gateway.clientTokens });
    if (changes.live.includes("OPENCLAW_JOBS")) await parts.scheduler.redeclare();
    return changes;
  }

  const record = (outcome: string, detail: Readonly<Record<string, unknown>>) =>
    store
      .write((tx) => audit.record(tx, { kind: "server", principal: "openclaw", outcome, detail }))
      .catch((error) => log.error("a reload could not be written into the audit trail", { error }));

  async function refuse(why: string) {
    log.error("The settings were read again and refused as a whole: the previous ones stay.", { why });
    await record("reload_refused", { why });
    return false;
  }

  async function reload({ settings, problems, sources }: Loaded): Promise<boolean> {
    if (settings === undefined) return refuse(problems.map(({ text }) => text).join(" "));
    try {
      const { live: taken, afterRestart } = await take(settings, sources);
      log.info("The settings were read again.", { taken, needRestart: afterRestart });
      await record("reloaded", { taken, needRestart: afterRestart });
      return true;
    } catch (error) {
      return refuse(publicError(error).message);
    }
  }

  return (loaded) => {
    const done = last.then(() => reload(loaded));
    last = done;
    return done;
  };
}
