import type { TurnEvent } from "../agent/turn.ts";
import type { Loaded } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import type { Ledger } from "../llm/ledger.ts";

/** What a check found; `fix` says what to do about it. */
export interface Finding {
  readonly state: "ok" | "warn" | "fail";
  readonly text: string;
  readonly fix?: string;
}

/** What the checks look at. */
export interface Patient {
  readonly settings: Settings;
  readonly notes: Loaded["notes"];
  readonly sources: Loaded["sources"];
  readonly version: string;
  /** A server looks at itself: what would keep others waiting is left to the command. */
  readonly isServing?: boolean;
  /** Where a server writes down what asking its providers costs. */
  readonly ledger?: Ledger;
  /** Runs one turn of the demo model with the time tool through the whole pipeline, over a store in memory. */
  selfTest(settings: Settings): Promise<readonly TurnEvent[]>;
}

/** One thing to look at; it changes nothing. What it throws is a failure. */
export interface Check {
  readonly id: string;
  run(patient: Patient): Promise<Finding> | Finding;
}
