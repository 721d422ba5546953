import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { type Arch, bunVersion } from "./bun/install.mjs";
import { describeImage, executableFor, writeImage } from "./image.ts";
import type { Packing } from "./image/layout.ts";
import { imageRoot } from "./image/root.ts";
import { bundledPackages } from "./release/bundled-packages.ts";
import { collectLicences } from "./release/licences.ts";
import { makeSbom } from "./release/sbom.ts";

// All that a release holds, into dist/release: both executables, their images as OCI archives (zstd, and gzip for older
// engines), what is in them, and checksums. Takes minutes: the layers are packed as small as they get.
const project = join(import.meta.dir, "..");
const release = join(project, "dist/release");
const { name, version } = packageFile;
const limitBytes = 48_000_000;

const packings: readonly Packing[] = [
  { tag: version, compression: "zstd", level: 19 },
  { tag: `${version}-gzip`, compression: "gzip", level: 12 },
];

async function releaseFor(arch: Arch) {
  const executable = await executableFor(arch);
  const entries = await imageRoot({ arch, executable });
  await copyFile(executable, join(release, `${name}-${version}-linux-${arch}`));
  for (const packing of packings) {
    const folder = join(project, "dist/release-image");
    const [image] = await writeImage(entries, { arch, folder, packings: [packing] });
    if (!image) throw new Error("No image was written.");
    console.log(`linux-${arch} ${describeImage(image)}`);
    if (packing.compression === "zstd" && image.layerBytes > limitBytes)
      throw new Error(
        `The layer has ${image.layerBytes} bytes, and may have ${limitBytes}: see scripts/whole-modules.ts.`,
      );
    await archive(folder, join(release, `${name}-${version}-linux-${arch}.${packing.compression}.oci.tar`));
    await rm(folder, { recursive: true });
  }
}

/** A layout as one file, as `docker load`, `podman load` and `skopeo` read it; the same bytes for the same layout. */
async function archive(folder: string, file: string) {
  const plain = [
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=u=rwX,go=rX",
  ];
  const tar = Bun.spawn(["tar", ...plain, "-C", folder, "-cf", file, "."], {
    stdin: "ignore",
    stderr: "inherit",
  });
  if ((await tar.exited) !== 0) throw new Error(`tar could not write ${file}.`);
}

async function writeChecksums() {
  const names = (await readdir(release)).sort();
  const lines = await Promise.all(
    names.map(async (file) => {
      const bytes = await Bun.file(join(release, file)).bytes();
      return `${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}  ${file}\n`;
    }),
  );
  await Bun.write(join(release, "SHA256SUMS"), lines.join(""));
}

await rm(release, { recursive: true, force: true });
await mkdir(release, { recursive: true });
for (const arch of ["x64", "arm64"] as const) await releaseFor(arch);
const packages = await bundledPackages(project);
await Bun.write(
  join(release, "sbom.cdx.json"),
  JSON.stringify(await makeSbom(packages, bunVersion), null, 2),
);
await Bun.write(join(release, "LICENCES.txt"), await collectLicences(packages));
await writeChecksums();
console.log(await Bun.file(join(release, "SHA256SUMS")).text());
