import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { BundledPackage } from "./bundled-packages.ts";

/** The licences of the packages as one text; of one that brings none, its name and where it says so. */
export async function collectLicences(packages: readonly BundledPackage[]): Promise<string> {
  const parts = await Promise.all(
    packages.map(async ({ name, version, folder }) => {
      const files = (await readdir(folder))
        .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
        .sort();
      const texts = await Promise.all(files.map((file) => Bun.file(join(folder, file)).text()));
      const text =
        texts.map((each) => each.trim()).join("\n\n") || "No text of its own: see its package.json.";
      return `${"=".repeat(72)}\n${name} ${version}\n\n${text}\n`;
    }),
  );
  return parts.join("\n");
}
