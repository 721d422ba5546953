import { join } from "node:path";
import { parseArgs } from "node:util";
import packageFile from "../package.json" with { type: "json" };
import { buildExecutable } from "./build.ts";
import { ensureBuilt } from "./built.ts";
import type { Arch } from "./bun/install.mjs";
import { type Packing, type WrittenImage, writeLayout } from "./image/layout.ts";
import { readDockerfile } from "./image/read-dockerfile.ts";
import { imageRoot, layOut } from "./image/root.ts";
import { makeTar, type TarEntry } from "./image/tar.ts";

const project = join(import.meta.dir, "..");
const architectures = { x64: "amd64", arm64: "arm64" } as const;

/** The image of these entries in an OCI layout at `folder`, in each packing: see `writeLayout`. */
export async function writeImage(
  entries: readonly TarEntry[],
  { arch, folder, packings }: { arch: Arch; folder: string; packings: readonly Packing[] },
): Promise<readonly WrittenImage[]> {
  const { name, version, license } = packageFile;
  return writeLayout({
    folder,
    name,
    architecture: architectures[arch],
    config: readDockerfile(await Bun.file(join(project, "Dockerfile")).text()),
    annotations: {
      "org.opencontainers.image.title": name,
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.licenses": license,
    },
    tar: new Uint8Array(makeTar(entries)),
    packings,
  });
}

/** The executable for a processor: dist/openclaw, where it is this one's, built when it is stale. */
export async function executableFor(arch: Arch): Promise<string> {
  if (arch === process.arch) return ensureBuilt();
  const path = join(project, `dist/openclaw-linux-${arch}`);
  await buildExecutable(arch, path);
  return path;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

/** One line about an image, with its size. */
export const describeImage = ({ tag, compression, level, layerBytes, digest }: WrittenImage) =>
  `${tag.padEnd(12)} ${compression} -${level}  ${megabytes(layerBytes)}  ${digest}`;

/** How it is called, where the levels take seconds; `release.ts` takes minutes for a sixth less. */
const options = {
  target: { type: "string", default: `linux-${process.arch}` },
  sysroot: { type: "string" },
  out: { type: "string", default: join(project, "dist/image") },
  root: { type: "string" },
  zstd: { type: "string", default: "6" },
  gzip: { type: "string", default: "6" },
} as const;

async function main() {
  const { values } = parseArgs({ options });
  const { target, sysroot, out: folder, root } = values;
  const arch = target.replace(/^linux-/, "");
  if (arch !== "x64" && arch !== "arm64")
    throw new Error(`No target ${target}: there are linux-x64 and linux-arm64.`);
  const entries = await imageRoot({ arch, executable: await executableFor(arch), sysroot });
  if (root !== undefined) return layOut(entries, root);
  const files = entries.flatMap(({ bytes }) => bytes ?? []);
  const images = await writeImage(entries, {
    arch,
    folder,
    packings: [
      { tag: "latest", compression: "zstd", level: Number(values.zstd) },
      { tag: "latest-gzip", compression: "gzip", level: Number(values.gzip) },
    ],
  });
  const unpacked = files.reduce((sum, { length }) => sum + length, 0);
  console.log(`${folder}: ${target}, ${files.length} files, ${megabytes(unpacked)} unpacked`);
  for (const image of images) console.log(describeImage(image));
}

if (import.meta.main)
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
