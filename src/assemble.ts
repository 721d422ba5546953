import { createChannels } from "./assemble/channels.ts";
import { createCore } from "./assemble/core.ts";
import { createDoctor } from "./assemble/doctor.ts";
import { createGauges } from "./assemble/gauges.ts";
import { grant } from "./assemble/grant.ts";
import { createJobs } from "./assemble/jobs.ts";
import { createReload, type Reload } from "./assemble/reload.ts";
import { selfTest } from "./assemble/self-test.ts";
import { startTidying } from "./assemble/tidy-memory.ts";
import { startTelemetry } from "./assemble/telemetry.ts";
import { couldCallItself, refuseUnconfined } from "./config/exposure.ts";
import { secretValues } from "./config/secret-values.ts";
import { createLiveSettings } from "./config/live.ts";
import type { Loaded } from "./config/load.ts";
import type { Settings } from "./config/settings.ts";
import { AppError } from "./errors.ts";
import { createGateway } from "./gateway/gateway.ts";
import type { Listening } from "./gateway/serve.ts";
import { withLiveKeys } from "./llm/live-keys.ts";
import { inferProviders } from "./llm/providers.ts";
import { checkDeclared } from "./scheduler/declared-jobs.ts";
import { openRoots } from "./sandbox/files/roots.ts";
import { ensureAuditKey } from "./store/audit-key.ts";
import { createAuditTrail } from "./store/audit-trail.ts";
import { doorToken } from "./store/kept-token.ts";
import { openStore } from "./store/open.ts";
import { recordStarted, recordStopped } from "./store/server-rows.ts";
import { log } from "./telemetry/log.ts";
import { hideSecrets } from "./telemetry/mask.ts";
import type { Phases } from "./telemetry/phases.ts";
import { startRetention } from "./turns/retention.ts";
import type { Turns } from "./turns/turns.ts";

/** What is being sent at a stop may end, or it would be sent again at the next start. */
const sendGraceMs = 2000;
/** How long the first health check comes before what a start has left to do: a commit, a look at the jobs. */
const answerFirstMs = 5;

/** A server that is put together, and not yet listening. */
export interface App {
  listen(): Promise<{ url: string; port: number }>;
  /** Takes settings that were read again, or refuses them as a whole. */
  readonly reload: Reload;
  /** Resolves when a commit can be made, else rejects, within 2 s. */
  check(): Promise<void>;
  /** Refuses new turns, lets the running ones finish for `drainMs`, then closes the connections and the store. */
  stop(drainMs: number): Promise<void>;
  readonly warnings: readonly string[];
  /** Model and provider, for people. */
  readonly model: string;
  readonly tools: readonly string[];
  /** Channels that are on, with who may write by them. */
  readonly channels: readonly string[];
  readonly dataDir: string;
  /** The operator's token when this start made one. */
  readonly madeToken?: string;
  /** Where that token is kept, when one of an earlier start is in use. */
  readonly tokenFile?: string;
}

interface Of {
  readonly version: string;
  /** How the settings were read; absent in tests that are not about it. */
  readonly loaded?: Pick<Loaded, "notes" | "sources">;
  /** Hears how long the store and the grants took. */
  readonly phases?: Phases;
}

/** Puts the server together from its settings, once, by hand. Throws `AppError` naming the setting that is at fault. */
export async function assemble(given: Settings, of: Of): Promise<App> {
  const { version, phases } = of;
  const live = createLiveSettings(given, of.loaded?.sources);
  const { settings } = live;
  const { dataDir } = settings.store;
  hideSecrets(secretValues(settings));
  const keys = withLiveKeys(inferProviders(settings.llm));
  const { providers } = keys;
  const [provider] = providers;
  await checkDeclared(settings.scheduler.jobs, { agents: settings.agent.agents.map(({ name }) => name) });
  const roots = openRoots(settings.sandbox);
  const store = await openStore(settings.store);
  phases?.end("store");
  let listening: Listening | undefined;
  let tidying: { stop(): void } | undefined;
  const ownPort = () => listening?.port;
  const accept: Turns["accept"] = (turn, listener) => core.turns.accept(turn, listener);
  const grants = await grant({
    settings,
    provider,
    store,
    roots,
    ownPort,
    accept,
    jobs: (caller) => jobs.lend(caller),
  });
  phases?.end("grants");
  const fault = refuseUnconfined(settings, grants.host?.works ?? false);
  if (fault !== undefined) {
    await grants.close();
    await store.close();
    roots.close();
    throw new AppError("bad_request", fault);
  }
  const audit = createAuditTrail();
  const channels = await createChannels({
    settings,
    store,
    audit,
    lend: grants.lend,
    takesImages: () => provider.name !== "demo",
  });
  const deliver = channels.deliveries;
  const jobs = createJobs({ settings, store, audit, deliver, channels: channels.ids, core: () => core });
  const core = createCore(settings, providers, store, roots, grants, {
    audit,
    deliver,
    more: jobs.commands,
  });
  const connected = await channels.connect(core);
  const model = `${provider.model ?? "the first model listed"} (${provider.name})`;
  const { authToken, ...tokenTold } = doorToken(settings.gateway.authToken, {
    needed: couldCallItself(settings),
    dataDir,
  });
  if (authToken !== undefined) hideSecrets([authToken]);
  const gauges = createGauges({
    settings,
    version,
    store,
    slots: core.slots,
    breakers: core.breakers,
    runningJobs: jobs.scheduler.load,
    connections: () => gateway.connections(),
  });
  const gateway = createGateway({
    gauges,
    settings: { ...settings.gateway, authToken },
    version,
    startedAt: Date.now(),
    store,
    audit,
    turns: core.turns,
    slots: core.slots,
    run: core.run,
    approvals: core.approvals,
    channels: connected.desk,
    jobs: jobs.jobs,
    isMemoryShort: core.memory.isOver,
    ...(of.loaded && {
      doctor: createDoctor({ live, notes: of.loaded.notes, version, ledger: core.ledger, selfTest }),
    }),
    models: core.models,
    get tools() {
      return core.sandbox.describe();
    },
    status: async () => ({
      provider: provider.name,
      model: provider.model,
      breakers: core.breakers(),
      turns: { running: core.slots.running, waiting: core.slots.waiting },
      autonomy: settings.agent.autonomy,
      jobs: { running: jobs.scheduler.load() },
      ...(await channels.status()),
    }),
  });

  const { autonomy } = settings.agent;
  const auditKey = () => settings.store.auditKey ?? ensureAuditKey(dataDir);
  const sweepOthers = async (until: AbortSignal) => {
    await channels.sweep(until);
    await jobs.sweep(until);
  };
  const { scheduler } = jobs;
  const keptToken = settings.gateway.authToken === undefined ? authToken : undefined;
  const telemetry = await startTelemetry(settings.telemetry, { version, gauges });
  const retention = startRetention(store, { ...settings.turns, auditKey, others: sweepOthers });
  return {
    reload: createReload({ live, keys, gateway, scheduler, keptToken, store, audit }),
    check: store.check,
    async listen() {
      listening = gateway.serve();
      // Who asked while there was no port yet is answered before the rest begins; new messages wait for the recovery.
      const answered = Bun.sleep(answerFirstMs);
      core.turns
        .recover(answered)
        .catch((error) => log.error("the turns of an earlier process could not be read", { error }));
      await answered;
      recordStarted(store, audit, {
        version,
        autonomy,
        tools: core.sandbox.names,
        grants: settings.sandbox,
      });
      tidying = startTidying({ isBusy: () => core.slots.running + core.slots.waiting > 0 });
      await connected.start();
      jobs.scheduler.start().catch((error) => log.error("the jobs could not be started", { error }));
      return listening;
    },
    async stop(drainMs) {
      const until = performance.now() + drainMs;
      tidying?.stop();
      gateway.drain();
      channels.drain();
      jobs.scheduler.pause();
      await core.turns.drain(drainMs);
      await jobs.scheduler.stop();
      await listening?.stop(Math.max(0, until - performance.now()));
      await channels.stop(Math.max(sendGraceMs, until - performance.now()));
      await grants.close();
      await retention.stop();
      await gateway.close();
      await recordStopped(store, audit);
      await telemetry.stop();
      await store.close();
      roots.close();
    },
    warnings: grants.warnings,
    model,
    tools: core.sandbox.names,
    channels: channels.names,
    dataDir,
    ...tokenTold,
  };
}
