import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { buildPage } from "./build-page.ts";
import { buildPdfData } from "./build-pdf-data.ts";
import type { Arch } from "./bun/install.mjs";
import { openaiFixUps } from "./openai-fix-ups.ts";
import { checkDisarmed, makeTemplate } from "./template.ts";
import { buildWholeModules, wholeModulesFrom } from "./whole-modules.ts";

const root = join(import.meta.dir, "..");
const dist = join(root, "dist");
const targets: Readonly<Record<string, Arch>> = { "linux-x64": "x64", "linux-arm64": "arm64" };

/** Builds the one executable for a processor, with the chat page in it. Either the whole file appears at `outfile`, or none. */
export async function buildExecutable(arch: Arch, outfile: string) {
  await buildPage(join(dist, "page"));
  await buildPdfData(join(dist, "pdf/cmaps.bin.txt"));
  await buildWholeModules(root, join(dist, "whole"));
  await mkdir(dirname(outfile), { recursive: true });
  // The name is part of the bytes, the folder is not: built aside under its own name and moved.
  const aside = await mkdtemp(join(dirname(outfile), ".build-"));
  try {
    const built = join(aside, basename(outfile));
    await compile(arch, built);
    await checkDisarmed(built);
    await rename(built, outfile);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function compile(arch: Arch, outfile: string) {
  const result = await Bun.build({
    // A worker is an entry point of its own.
    entrypoints: [
      "main.ts",
      "sandbox/pdf/pdf-worker.ts",
      "sandbox/databases/database-worker.ts",
      "sandbox/net/page-worker.ts",
    ].map((path) => join(root, "src", path)),
    root,
    target: "bun",
    format: "esm",
    // Names stay as they are, so that a stack trace in a log can be read: 0.4 MB more, and no slower to start.
    minify: { whitespace: true, syntax: true, identifiers: false },
    // Each `await import()` becomes a chunk of its own: what a start does not need is not even parsed.
    splitting: true,
    bytecode: true,
    metafile: true,
    allowUnresolved: [],
    plugins: [openaiFixUps, wholeModulesFrom(join(dist, "whole"))],
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      outfile,
      executablePath: await makeTemplate(arch, join(dist, "template")),
      // Compiling code that runs once costs a start 2 ms: src/cli/compile-hot-code.ts turns it on for what lives on.
      jitPolicy: 20,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  refuseOutside(result.metafile);
}

/** A bare import that is left would be looked up in the folder that the executable is started in: a stranger's code. */
function refuseOutside(metafile: Bun.BuildMetafile | undefined) {
  if (!metafile) throw new Error("Bun.build wrote no metafile, so nothing tells what is not bundled.");
  const outside = Object.entries(metafile.inputs).flatMap(([path, { imports }]) =>
    imports
      // A relative one is of a package that is bundled, where nothing uses what it names.
      .filter(
        ({ external, entryPoint, path }) => external && entryPoint === undefined && !path.startsWith("."),
      )
      .filter((made) => !isBuiltin(made.path))
      .map((made) => `${made.path} (in ${path})`),
  );
  if (outside.length > 0) throw new Error(`Not bundled: ${outside.join(", ")}.`);
}

if (import.meta.main) {
  const host = `linux-${process.arch}`;
  const { values } = parseArgs({ options: { target: { type: "string", default: host } } });
  const arch = targets[values.target];
  if (!arch) {
    console.error(`No target ${values.target}: there are ${Object.keys(targets).join(" and ")}.`);
    process.exit(2);
  }
  const outfile = join(dist, values.target === host ? "openclaw" : `openclaw-${values.target}`);
  await buildExecutable(arch, outfile);
  console.log(`${outfile} ${(Bun.file(outfile).size / 1e6).toFixed(1)} MB`);
}
