import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ImageConfig } from "./read-dockerfile.ts";

export type Compression = "zstd" | "gzip";

/** One way to pack the layer, and the tag under which the image with it is found. */
export interface Packing {
  readonly tag: string;
  readonly compression: Compression;
  /** zstd: 1 to 22 (above 19 unpacking takes much memory); gzip: 0 to 12. */
  readonly level: number;
}

export interface LayoutOptions {
  /** Emptied first. */
  readonly folder: string;
  readonly name: string;
  readonly architecture: "amd64" | "arm64";
  readonly config: ImageConfig;
  readonly annotations: Readonly<Record<string, string>>;
  /** The one layer. */
  readonly tar: Uint8Array<ArrayBuffer>;
  readonly packings: readonly Packing[];
}

export interface WrittenImage extends Packing {
  /** Digest of the manifest: what pins the image. */
  readonly digest: string;
  readonly layerBytes: number;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const type = (name: string) => `application/vnd.oci.image.${name}`;
const sha256 = (bytes: Uint8Array) => `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
const compress = {
  zstd: (bytes: Uint8Array<ArrayBuffer>, level: number) => Bun.zstdCompressSync(bytes, { level }),
  // zlib's gzip at its best is 1.5 MB bigger.
  gzip: (bytes: Uint8Array<ArrayBuffer>, level: number) =>
    Bun.gzipSync(bytes, { level: gzipLevel(level), library: "libdeflate" }),
} as const;

const gzipLevels = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const;
function gzipLevel(level: number) {
  const found = gzipLevels.find((each) => each === level);
  if (found === undefined) throw new Error(`gzip has no level ${level}: it is 0 to 12.`);
  return found;
}

/**
 * Writes an OCI image layout, with one image for each packing of the same layer; the same inputs give the same bytes.
 * `manifest.json` is beside what the specification says: by it every Docker reads a tar of the folder.
 */
export async function writeLayout(options: LayoutOptions): Promise<readonly WrittenImage[]> {
  const { folder, name, architecture, config, annotations, tar, packings } = options;
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "blobs/sha256"), { recursive: true });
  const blob = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    const digest = sha256(bytes);
    await Bun.write(blobPath(folder, digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (mediaType: string, value: object) => blob(mediaType, Buffer.from(JSON.stringify(value)));

  const configBlob = await json(type("config.v1+json"), {
    // A moment in it would make each build another image.
    created: "1970-01-01T00:00:00Z",
    architecture,
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: [sha256(tar)] },
  });
  const images = [];
  for (const packing of packings) {
    const { compression, level } = packing;
    const layer = await blob(type(`layer.v1.tar+${compression}`), compress[compression](tar, level));
    const manifest = await json(type("manifest.v1+json"), {
      schemaVersion: 2,
      mediaType: type("manifest.v1+json"),
      config: configBlob,
      layers: [layer],
      annotations,
    });
    images.push({ packing, layer, manifest });
  }
  const write = (file: string, value: object) => Bun.write(join(folder, file), JSON.stringify(value));
  await write("oci-layout", { imageLayoutVersion: "1.0.0" });
  await write("index.json", {
    schemaVersion: 2,
    mediaType: type("index.v1+json"),
    manifests: images.map(({ packing: { tag }, manifest }) => ({
      ...manifest,
      platform: { architecture, os: "linux" },
      annotations: {
        "org.opencontainers.image.ref.name": tag,
        "io.containerd.image.name": `docker.io/library/${name}:${tag}`,
      },
    })),
  });
  await write(
    "manifest.json",
    images.map(({ packing: { tag }, layer }) => ({
      Config: blobPath("", configBlob.digest),
      RepoTags: [`${name}:${tag}`],
      Layers: [blobPath("", layer.digest)],
    })),
  );
  return images.map(({ packing, layer, manifest }) => ({
    ...packing,
    digest: manifest.digest,
    layerBytes: layer.size,
  }));
}

const blobPath = (folder: string, digest: string) => join(folder, "blobs", digest.replace(":", "/"));
