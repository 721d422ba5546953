import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { BunPlugin } from "bun";
import { pdfFixUps } from "./pdf-fix-ups.ts";
import { playwrightFixUps } from "./playwright-fix-ups.ts";

/**
 * Big packages that few servers ever load, with what we use of them. Each is bundled by itself and kept as packed text,
 * which is compiled when it is first imported: as part of the bundle their bytecode alone took 8 MB of the compressed
 * image, and made them no faster.
 */
const wholeModules: Readonly<Record<string, readonly string[]>> = {
  "@jitl/quickjs-wasmfile-release-sync": ["default"],
  "linkedom/worker": ["parseHTML"],
  "node-html-markdown": ["NodeHtmlMarkdown"],
  "grammy/web": ["Api"],
  "@mozilla/readability": ["Readability"],
  marked: ["lexer"],
  nodemailer: ["createTransport"],
  "playwright-core": ["chromium"],
  "quickjs-emscripten-core": ["newQuickJSWASMModuleFromVariant", "newVariant"],
  "pdfjs-dist/legacy/build/pdf.mjs": ["getDocument", "OPS", "VerbosityLevel"],
  "pdfjs-dist/legacy/build/pdf.worker.mjs": ["WorkerMessageHandler"],
  // One of ours, from the folder of the project: what the packages that it names have in common is in it once.
  "./src/telemetry/otlp-packages.ts": [
    "AggregationTemporality",
    "createOtlpHttpExportDelegate",
    "DataPointType",
    "httpAgentFactoryFromOptions",
    "LogsExporterMetricsHelper",
    "MetricsExporterMetricsHelper",
    "ProtobufLogsSerializer",
    "ProtobufMetricsSerializer",
    "ProtobufTraceSerializer",
    "resourceFromAttributes",
    "SeverityNumber",
    "SpanKind",
    "SpanStatusCode",
    "TraceExporterMetricsHelper",
    "TraceFlags",
    "ValueType",
  ],
};

const isOurs = (name: string) => name.startsWith("./");

const fileOf = (folder: string, name: string) =>
  join(folder, `${name.replaceAll(/[^a-z0-9]+/g, "-")}.cjs.zst`);

async function bundle(root: string, folder: string, name: string) {
  const result = await Bun.build({
    entrypoints: [Bun.resolveSync(name, root)],
    // OpenTelemetry's packages have modules too, of which what nobody uses is left out.
    conditions: isOurs(name) ? ["module"] : [],
    target: "bun",
    format: "cjs",
    minify: { whitespace: true, syntax: true, identifiers: false },
    allowUnresolved: [],
    plugins: [playwrightFixUps, pdfFixUps],
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const [output] = result.outputs;
  if (output === undefined || result.outputs.length !== 1)
    throw new Error(`${name} did not become one file.`);
  const packed = Bun.zstdCompressSync(await output.text(), { level: 19 });
  await Bun.write(fileOf(folder, name), packed);
}

/** Bundles each into a file of `folder`. `root` is the folder of the project. */
export async function buildWholeModules(root: string, folder: string) {
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.keys(wholeModules).map((name) => bundle(root, folder, name)));
}

const exportOf = (name: string) =>
  name === "default"
    ? "export default module.exports.default;"
    : `export const ${name} = module.exports.${name};`;

/** A module whose exports are those of the text, which may use nothing but what Bun has built in. */
const loaderOf = (path: string, name: string, names: readonly string[]) => `
import path from ${JSON.stringify(path)} with { type: "file" };
import { readFileSync } from "node:fs";
const builtin = (name) => {
  const found = process.getBuiltinModule(name);
  if (found === undefined) throw new Error(${JSON.stringify(`${name} asks for a module that is not in this build: `)} + name);
  return found;
};
const module = { exports: {} };
(0, eval)(Bun.zstdDecompressSync(readFileSync(path)).toString())(module.exports, builtin, module, path, "/");
${names.map(exportOf).join("\n")}
`;

/** What is written where it is imported: one of ours goes by the name of its file. */
const importOf = (name: string) =>
  new RegExp(isOurs(name) ? `/${RegExp.escape(basename(name))}$` : `^${RegExp.escape(name)}$`);

/** Puts the files of `folder` in the place of these packages. */
export const wholeModulesFrom = (folder: string): BunPlugin => ({
  name: "whole-modules",
  setup(build) {
    for (const [name, names] of Object.entries(wholeModules)) {
      build.onResolve({ filter: importOf(name) }, () => ({ path: name, namespace: "whole" }));
      build.onLoad({ filter: new RegExp(`^${RegExp.escape(name)}$`), namespace: "whole" }, () => ({
        contents: loaderOf(fileOf(folder, name), name, names),
        loader: "js",
      }));
    }
  },
});
