import { expect, test } from "bun:test";
import { join } from "node:path";
import { openaiFixUps } from "../../scripts/openai-fix-ups.ts";
import { temporaryFolder } from "../helpers/executable.ts";
import { scriptedModel } from "../helpers/model-server.ts";

const root = join(import.meta.dir, "../..");

test("openaiFixUps leaves the resources of openai out, and its core works", async () => {
  await using folder = await temporaryFolder();
  await using model = scriptedModel([{ text: "Nine." }]);
  const entry = join(folder.path, "ask.ts");
  await Bun.write(
    entry,
    `import { OpenAI } from ${JSON.stringify(Bun.resolveSync("openai", root))};
    const sdk = new OpenAI({ apiKey: "none", baseURL: ${JSON.stringify(model.url)} });
    const body = { model: "scripted", messages: [] };
    console.log(JSON.stringify(await sdk.post("/chat/completions", { body })));`,
  );
  const built = await Bun.build({
    entrypoints: [entry],
    outdir: folder.path,
    target: "bun",
    minify: { whitespace: true, syntax: true, identifiers: false },
    metafile: true,
    plugins: [openaiFixUps],
  });
  const inputs = Object.entries(Object.values(built.metafile?.outputs ?? {})[0]?.inputs ?? {});
  const sizeOf = (part: string) =>
    inputs.filter(([path]) => path.includes(part)).reduce((sum, [, each]) => sum + each.bytesInOutput, 0);
  expect(sizeOf("/openai/client.mjs")).toBeGreaterThan(10_000);
  expect(sizeOf("/openai/resources/")).toBeLessThan(30_000);

  const ask = Bun.spawn([process.execPath, join(folder.path, "ask.js")], { stderr: "pipe", timeout: 10_000 });
  const [answer, errors] = await Promise.all([
    new Response(ask.stdout).text(),
    new Response(ask.stderr).text(),
  ]);
  expect({ code: await ask.exited, errors }).toEqual({ code: 0, errors: "" });
  expect(answer).toContain("Nine.");
});
