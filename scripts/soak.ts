import { ensureBuilt } from "./built.ts";
import { ensurePrograms, runTests } from "./test-run.ts";

// The long form of every suite: what `npm test` samples runs whole here. Tests read it through test/helpers/long.ts.
await ensureBuilt();
await ensurePrograms();
const { passed, failed } = await runTests(process.argv.slice(2), {
  timeoutMs: 900_000,
  env: { OPENCLAW_TEST_LONG: "1" },
});
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
