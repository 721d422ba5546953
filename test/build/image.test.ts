import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeImage } from "../../scripts/image.ts";
import type { WrittenImage } from "../../scripts/image/layout.ts";
import { imageRoot } from "../../scripts/image/root.ts";
import type { TarEntry } from "../../scripts/image/tar.ts";
import { executable, temporaryFolder } from "../helpers/executable.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { type Container, runInImage, startContainer } from "../helpers/container.ts";

const token = "a-token-for-the-image";
const packings = [
  { tag: "latest", compression: "zstd", level: 6 },
  { tag: "latest-gzip", compression: "gzip", level: 1 },
] as const;

const Descriptor = v.object({ mediaType: v.string(), digest: v.string(), size: v.number() });
const Manifest = v.object({ config: Descriptor, layers: v.tuple([Descriptor]) });
const Index = v.object({ manifests: v.array(Descriptor) });
const Config = v.object({
  rootfs: v.object({ diff_ids: v.tuple([v.string()]) }),
  config: v.object({
    Env: v.array(v.string()),
    Entrypoint: v.tuple([v.string()]),
    User: v.literal("10001:10001"),
    Healthcheck: v.object({ Test: v.tuple([v.literal("CMD"), v.string(), v.string()]) }),
  }),
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let entries: readonly TarEntry[] = [];
let images: readonly WrittenImage[] = [];
let container: Container;
let healthCheck: readonly string[] = [];

const layout = () => join(folder.path, "layout");
const blob = (digest: string) => Bun.file(join(layout(), "blobs", digest.replace(":", "/")));
const sha256 = (bytes: Uint8Array) => `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;

/** Follows the layout as an engine does, from its index to the layer of its first image. */
async function readLayout() {
  const index = v.parse(Index, await Bun.file(join(layout(), "index.json")).json());
  const manifests = await Promise.all(
    index.manifests.map(async ({ digest }) => v.parse(Manifest, await blob(digest).json())),
  );
  const [first] = manifests;
  if (!first) throw new Error("The layout holds no image.");
  return { index, manifests, config: v.parse(Config, await blob(first.config.digest).json()) };
}

beforeAll(async () => {
  folder = await temporaryFolder();
  entries = await imageRoot({
    arch: process.arch === "arm64" ? "arm64" : "x64",
    executable: await executable(),
  });
  images = await writeImage(entries, { arch: "x64", folder: layout(), packings });
  const { config, manifests } = await readLayout();
  const root = join(folder.path, "root");
  const work = join(folder.path, "work");
  await Promise.all([mkdir(root), mkdir(work)]);
  const tar = await Bun.zstdDecompress(await blob(manifests[0]?.layers[0].digest ?? "").bytes());
  const untar = Bun.spawnSync(["tar", "-xp", "--same-owner", "-C", root], { stdin: tar });
  if (!untar.success) throw new Error(untar.stderr.toString());
  await Bun.write(join(work, "note.txt"), "The boat leaves at nine.");
  healthCheck = config.config.Healthcheck.Test.slice(1);
  container = {
    root,
    work,
    entrypoint: config.config.Entrypoint,
    user: 10001,
    env: Object.fromEntries(config.config.Env.map((line) => line.split(/=(.*)/s).slice(0, 2))),
  };
}, 180_000);
afterAll(() => folder[Symbol.asyncDispose]());

const withModel = (endpoint: string, env: Record<string, string> = {}): Container => ({
  ...container,
  env: {
    ...container.env,
    OPENCLAW_AUTH_TOKEN: token,
    MODEL_PROVIDER_ENDPOINT: endpoint,
    MODEL_PROVIDER_MODEL: "scripted",
    ...env,
  },
});
const nowhere = "http://127.0.0.1:9/v1";

describe("the image", () => {
  test("holds the executable, five libraries and two folders to write to, and nothing else", () => {
    const files = entries.filter(({ bytes }) => bytes).map(({ path }) => path.split("/").at(-1));
    const library = /^(ld-linux-.*|libc|libdl|libm|libpthread)\.so\.\d$/;
    expect(files.filter((name) => !library.test(name ?? ""))).toEqual(["openclaw"]);
    expect(files).toHaveLength(6);
    expect(entries.filter(({ uid }) => uid !== 0)).toEqual([
      { path: "data", mode: 0o700, uid: 10001, gid: 10001 },
    ]);
  });

  test("is a layout whose digests hold, zstd and gzip being the same layer", async () => {
    const { index, manifests, config } = await readLayout();
    const layers = manifests.map((manifest) => manifest.layers[0]);
    for (const { digest, size } of [...index.manifests, ...layers]) {
      const bytes = await blob(digest).bytes();
      expect({ digest: sha256(bytes), size: bytes.length }).toEqual({ digest, size });
    }
    expect(layers.map(({ mediaType }) => mediaType)).toEqual([
      "application/vnd.oci.image.layer.v1.tar+zstd",
      "application/vnd.oci.image.layer.v1.tar+gzip",
    ]);
    const tar = Bun.gunzipSync(await blob(layers[1]?.digest ?? "").bytes());
    expect(sha256(tar)).toBe(config.rootfs.diff_ids[0]);
  }, 60_000);

  test("is the same image when it is written again", async () => {
    const again = join(folder.path, "again");
    const [first] = await writeImage(entries, { arch: "x64", folder: again, packings: packings.slice(0, 1) });
    expect(first?.digest).toBe(images[0]?.digest ?? "");
  }, 60_000);

  test("is no bigger packed in seconds than lets zstd -19 stay below 48 MB", () => {
    const [zstd] = images;
    console.error(
      images.map(({ tag, level, layerBytes }) => `${tag} -${level}: ${layerBytes} bytes`).join(", "),
    );
    // Level 6 is 1.17 times level 19 on this file.
    expect(zstd?.layerBytes).toBeLessThan(56_000_000);
  });

  test("passes --check as its user, read-only but for the data folder", async () => {
    const { code, stdout, stderr } = await runInImage(withModel(nowhere), ["--check"]);
    expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: "" });
    expect(stdout).toContain("/data");
  });

  test("as the first process serves, works on files, is healthy, leaves no zombie and stops on SIGTERM", async () => {
    await using model = scriptedModel([
      { calls: [{ name: "read_file", arguments: { path: "note.txt" } }] },
      { calls: [{ name: "write_file", arguments: { path: "answer.txt", content: "Nine." } }] },
      { text: "At nine." },
    ]);
    await using server = await startContainer(
      withModel(model.url, {
        OPENCLAW_PORT: "0",
        OPENCLAW_WORKSPACE: "/work",
        OPENCLAW_ALLOWED_READ_ROOTS: ".",
        OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
        OPENCLAW_AUTONOMY: "full",
      }),
    );
    server.leaveOrphan();
    expect((await fetch(`${server.url}/api/status`)).status).toBe(401);
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: "openclaw",
        messages: [{ role: "user", content: "When does it leave?" }],
      }),
    });
    expect(await answer.text()).toContain("At nine.");
    expect(model.requests[1]?.raw).toContain("The boat leaves at nine.");
    expect(await Bun.file(join(container.work, "answer.txt")).text()).toBe("Nine.");

    const env = { OPENCLAW_PORT: new URL(server.url).port };
    expect(await server.exec(healthCheck, env)).toBe(0);
    await server.orphansGone();
    expect(await server.stop()).toBe(0);
    // It looks for orphans every ten seconds.
  }, 90_000);

  test("refuses to serve on every address without a token", async () => {
    const { code, stderr } = await runInImage(withModel(nowhere, { OPENCLAW_AUTH_TOKEN: "" }), []);
    expect(stderr).toContain("OPENCLAW_AUTH_TOKEN");
    expect(code).toBe(2);
  });
});
