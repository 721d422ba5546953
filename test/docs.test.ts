import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { readmePath, renderReadme } from "../scripts/docs.ts";
import { settingRows } from "../src/config/load.ts";

const root = join(import.meta.dir, "..");

describe("renderReadme", () => {
  test("finds README.md up to date: else run `bun run docs`", async () => {
    const text = await Bun.file(readmePath).text();
    expect(await renderReadme(text)).toBe(text);
  });

  test("finds a README.md whose table is stale", async () => {
    const text = (await Bun.file(readmePath).text()).replace("`18789`", "`18790`");
    expect(await renderReadme(text)).not.toBe(text);
  });

  test("refuses a README.md without its markers", async () => {
    await expect(renderReadme("# openclaw")).rejects.toThrow("lacks");
  });
});

describe("README.md", () => {
  test("shows both commands on its first screen", async () => {
    const screen = (await Bun.file(readmePath).text()).split("\n").slice(0, 24).join("\n");
    expect(screen).toContain("npm start");
    expect(screen).toContain("npm test");
  });

  test("names only settings that exist, and so do compose.yaml and the Dockerfile", async () => {
    const known = settingRows().map(({ env }) => env);
    for (const file of ["README.md", "compose.yaml", "Dockerfile"]) {
      const names =
        (await Bun.file(join(root, file)).text()).match(/\b(?:OPENCLAW|MODEL_PROVIDER)(?:_[A-Z]+)+\b/g) ?? [];
      expect(names.length).toBeGreaterThan(1);
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
    }
  });

  test("links only to files that exist", async () => {
    const links = [...(await Bun.file(readmePath).text()).matchAll(/\]\(([^)]+)\)/g)].map(
      ([, to = ""]) => to,
    );
    for (const to of links) expect(await Bun.file(join(root, to)).exists()).toBe(true);
    expect(links.length).toBeGreaterThan(1);
  });
});

test("lock files hold no registry address", async () => {
  for (const file of ["bun.lock", "scripts/bun/package-lock.json"])
    expect(await Bun.file(join(root, file)).text()).not.toContain("://");
});
