import type { Loaded } from "../config/load.ts";
import type { LiveSettings } from "../config/live.ts";
import type { Patient } from "../doctor/check.ts";
import type { GatewayParts } from "../gateway/parts.ts";
import type { Ledger } from "../llm/ledger.ts";

interface DoctorWiring {
  readonly live: Pick<LiveSettings, "settings" | "sources">;
  readonly notes: Loaded["notes"];
  readonly version: string;
  readonly ledger: Ledger;
  readonly selfTest: Patient["selfTest"];
  readonly now?: () => number;
}

/** Who asks again so soon is told the same: a check costs more than a question. */
const goodForMs = 10_000;
/** For one check: a local model may have to be loaded first. */
const timeoutMs = 60_000;

/** The report of a server about itself. Nothing of it is loaded before it is asked for, and one at a time is made. */
export function createDoctor(wiring: DoctorWiring): NonNullable<GatewayParts["doctor"]> {
  const { now = Date.now } = wiring;

  async function examine(online: boolean) {
    const { live, notes, version, ledger, selfTest } = wiring;
    const { settings } = live;
    const sources = live.sources();
    const { report } = await import("../doctor/report.ts");
    const { offlineChecks } = await import("../doctor/checks.ts");
    const { keptChecks } = await import("../doctor/kept-checks.ts");
    const { toReport, toReportText } = await import("../doctor/show-report.ts");
    const outside = online ? (await import("../doctor/online-checks.ts")).onlineChecks : [];
    const patient = { settings, notes, sources, version, ledger, selfTest, isServing: true };
    const checks = await report([...offlineChecks, ...keptChecks, ...outside], patient, timeoutMs);
    const shown = { version, checks, sources };
    return { json: toReport(shown), text: toReportText(shown) };
  }

  type Report = ReturnType<typeof examine>;
  const made = new Map<boolean, { readonly report: Report; until: number }>();
  return ({ online }) => {
    const known = made.get(online);
    if (known !== undefined && now() < known.until) return known.report;
    const next = { report: examine(online), until: Number.POSITIVE_INFINITY };
    made.set(online, next);
    next.report.then(
      () => (next.until = now() + goodForMs),
      () => made.delete(online),
    );
    return next.report;
  };
}
