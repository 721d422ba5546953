import { rm } from "node:fs/promises";
import { extname, join } from "node:path";

const source = join(import.meta.dir, "../src/gateway/web/page");

/**
 * Bundles the chat page into `outDir` as `chat.html.txt`, `chat.js.txt` and `chat.css.txt`. They are texts to the
 * executable that embeds them: under that name no bundler or type checker takes them for anything else.
 */
export async function buildPage(outDir: string): Promise<void> {
  const built = await Bun.build({
    entrypoints: [join(source, "main.tsx"), join(source, "page.css")],
    target: "browser",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  if (!built.success) throw new AggregateError(built.logs, "The chat page does not build.");
  await rm(outDir, { recursive: true, force: true });
  await Bun.write(join(outDir, "chat.html.txt"), Bun.file(join(source, "page.html")));
  for (const output of built.outputs) {
    await Bun.write(join(outDir, `chat${extname(output.path)}.txt`), output);
  }
}

if (import.meta.main) await buildPage(join(import.meta.dir, "../dist/page"));
