import { expect, test } from "bun:test";
import { join } from "node:path";
import { bundledPackages } from "../../scripts/release/bundled-packages.ts";
import { collectLicences } from "../../scripts/release/licences.ts";
import { makeSbom } from "../../scripts/release/sbom.ts";

const packages = await bundledPackages(join(import.meta.dir, "../.."));
const names = packages.map(({ name }) => name);

test("bundledPackages finds what the server, its page and its packages need, and not what tests need", () => {
  expect(names).toEqual(
    expect.arrayContaining(["hono", "valibot", "openai", "preact", "playwright-core", "entities"]),
  );
  for (const name of ["typescript", "fast-check", "@types/bun", "@napi-rs/canvas"])
    expect(names).not.toContain(name);
});

test("makeSbom names each package with its version, its hash and its licence", async () => {
  const { components, ...sbom } = await makeSbom(packages, "1.4.5");
  expect(sbom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
  expect(components).toHaveLength(packages.length + 1);
  expect(new Set(components.map((each) => each["bom-ref"])).size).toBe(components.length);
  for (const component of components) expect(component.licenses).not.toBeEmpty();
  expect(components.find(({ name }) => name === "hono")).toMatchObject({
    purl: expect.stringMatching(/^pkg:npm\/hono@\d+\.\d+\.\d+$/),
    hashes: [{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
    licenses: [{ license: { id: "MIT" } }],
  });
});

test("collectLicences holds the text of each package that brings one", async () => {
  const text = await collectLicences(packages);
  for (const { name, version } of packages) expect(text).toContain(`${name} ${version}\n`);
  expect(text).toContain("Copyright (c) 2021 - present, Yusuke Wada and Hono contributors");
});
