import { expect, test } from "bun:test";
import { runs } from "../helpers/long.ts";
import { postgresDatabase } from "../helpers/postgres.ts";
import { killRun } from "./kill-run.ts";
import { expectTrueAccount } from "./true-account.ts";

const kills = runs(2, 10);
/** Who is written to is held for a minute by a process that was killed over it: the short form has no time for that. */
const signal = runs(0, 1) === 1 ? "SIGKILL" : "SIGTERM";

test(`two processes on one PostgreSQL, and ${kills} times ${signal} for one or the other: each message is answered, each slot runs once, in order, and twice only where a kill fell between sending and noting`, async () => {
  await using database = await postgresDatabase();
  const run = await killRun({
    kills,
    processes: 2,
    hangs: false,
    signal,
    patienceMs: runs(60_000, 200_000),
    env: { OPENCLAW_DATABASE_URL: database.url, OPENCLAW_LEASE_SECONDS: "0.5" },
  });
  expectTrueAccount(run);
  expect(run.codes).toEqual([0, 0]);
  if (signal === "SIGTERM") expect(run.explained).toBe(0);
  console.log(
    `${run.sent} messages sent, ${run.explained} of them twice, ${run.repeated} deliveries repeated, by ${kills} times ${signal}`,
  );
}, 300_000);
