import { expect, test } from "bun:test";
import { runs } from "../helpers/long.ts";
import { killRun } from "./kill-run.ts";
import { expectTrueAccount } from "./true-account.ts";

const kills = runs(8, 50);

test(
  `${kills} SIGKILLs while Telegram, SMS, webhooks and jobs are at work: each message is answered, each slot runs once, in order, and twice only where a kill fell between sending and noting`,
  async () => {
    const run = await killRun({
      kills,
      processes: 1,
      hangs: runs(0, 1) === 1,
      patienceMs: 60_000,
    });
    expectTrueAccount(run);
    expect(run.codes).toEqual([0]);
    console.log(
      `${run.sent} messages sent, ${run.explained} of them twice, ${run.repeated} deliveries repeated, by ${kills} kills`,
    );
  },
  kills * 10_000 + 90_000,
);
