import { join } from "node:path";
import { buildPage } from "./build-page.ts";
import { buildPdfData } from "./build-pdf-data.ts";
import { ensureBuilt } from "./built.ts";
import { type Counts, ensurePrograms, root, runCommand, runTests } from "./test-run.ts";

/** One step of the run as a test of its own. */
async function step(name: string, act: () => Promise<boolean>): Promise<Counts> {
  const passed = await act().catch((error: unknown) => {
    console.error(error);
    return false;
  });
  console.error(`${passed ? "passed" : "FAILED"}: ${name}`);
  return passed ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

const bun = process.execPath;
const words = process.argv.slice(2);
const steps = [
  await step("the chat page builds", () => buildPage(join(root, "dist/page")).then(() => true)),
  await step("the character maps of PDFs are packed", () =>
    buildPdfData(join(root, "dist/pdf/cmaps.bin.txt")).then(() => true),
  ),
  await step("types", async () => (await runCommand([bun, "check"])) === 0),
  await step("format", async () => (await runCommand([bun, "fmt", "--check"])) === 0),
  await step("the executable builds", () => ensureBuilt().then(() => true)),
];
await ensurePrograms();
const all = [...steps, await runTests(words)];
const passed = all.reduce((sum, counts) => sum + counts.passed, 0);
const failed = all.reduce((sum, counts) => sum + counts.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
