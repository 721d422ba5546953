import { join } from "node:path";
import * as v from "valibot";
import packageFile from "../../package.json" with { type: "json" };
import type { BundledPackage } from "./bundled-packages.ts";

const PackageFile = v.object({ license: v.optional(v.string()) });

/** A bill of what is in the executable, in the words of CycloneDX 1.6. `bunVersion` is that of the engine. */
export async function makeSbom(packages: readonly BundledPackage[], bunVersion: string) {
  const { name, version, license } = packageFile;
  const components = await Promise.all(packages.map(describe));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": name, name, version, licenses: licenseOf(license) },
    },
    components: [
      ...components,
      { type: "application", "bom-ref": "bun", name: "bun", version: bunVersion, licenses: licenseOf("MIT") },
    ],
  };
}

async function describe({ name, version, integrity, folder }: BundledPackage) {
  const { license } = v.parse(PackageFile, await Bun.file(join(folder, "package.json")).json());
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const hash = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  return {
    type: "library",
    "bom-ref": `${purl}#${hash.slice(0, 8)}`,
    name,
    version,
    purl,
    hashes: [{ alg: "SHA-512", content: hash }],
    ...(license !== undefined && { licenses: licenseOf(license) }),
  };
}

/** One name of SPDX, or an expression of several. */
const licenseOf = (text: string) =>
  /^[\w.+-]+$/.test(text) ? [{ license: { id: text } }] : [{ expression: text.replaceAll(/^\(|\)$/g, "") }];
