import { expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { nameOf, reachServer } from "../../../src/store/postgres/server.ts";
import { sharedCluster, startCluster } from "../../helpers/postgres.ts";

test("nameOf tells the database and the host, and nothing of who asks", () => {
  expect(nameOf("postgres://user:secret@db.example:5433/claw?sslmode=require")).toBe(
    'database "claw" at db.example:5433',
  );
  expect(nameOf("postgresql://user@[::1]/a%20b")).toBe('database "a%20b" at [::1]');
  expect(nameOf("postgres://user:secret@db.example")).toBe('database "user" at db.example');
});

/** A certificate of its own for `localhost`, made by openssl. */
async function makeCertificate(folder: string) {
  const args = ["req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost"];
  const names = ["-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", join(folder, "server.key"), "-out", join(folder, "server.crt")];
  const made = Bun.spawnSync(["openssl", ...args, ...names, ...files], { stderr: "pipe", timeout: 10_000 });
  if (!made.success) throw new Error(`openssl: ${made.stderr}`);
  await chmod(join(folder, "server.key"), 0o600);
}

test("reachServer encrypts where the server can, and checks its certificate as the URL says", async () => {
  let files = "";
  await using cluster = await startCluster(
    { ssl: "on", ssl_cert_file: "../server.crt", ssl_key_file: "../server.key" },
    async (folder) => {
      files = folder;
      await makeCertificate(folder);
    },
  );
  // The files belong to the user of the server now.
  const root = join(files, "server.crt");
  const encrypted = async (query: string, host = "localhost") => {
    const url = cluster.url("postgres", { query }).replace("127.0.0.1", host);
    const sql = (await reachServer(url, 0)).open({ max: 1, timeoutMs: 1000 });
    try {
      return (await sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`)[0].ssl;
    } finally {
      await sql.close({ timeout: 0 });
    }
  };
  expect(await encrypted("")).toBe(true);
  expect(await encrypted("?sslmode=disable")).toBe(false);
  expect(await encrypted("?sslmode=require")).toBe(true);
  expect(await encrypted(`?sslmode=verify-full&sslrootcert=${root}`)).toBe(true);
  expect(await encrypted(`?sslmode=verify-ca&sslrootcert=${root}`, "127.0.0.1")).toBe(true);
  for (const [query, host] of [
    ["?sslmode=verify-full", "localhost"],
    [`?sslmode=verify-full&sslrootcert=${root}`, "127.0.0.1"],
  ] as const)
    await expect(encrypted(query, host)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("certificate of the database server was refused"),
    });
  await expect(encrypted("?sslmode=verify-full&sslrootcert=/nowhere.crt")).rejects.toThrow("caFile");
  await expect(encrypted("?sslmode=maybe")).rejects.toThrow("sslmode");
});

test("reachServer takes a server without encryption, unless the URL asks for it", async () => {
  const cluster = await sharedCluster();
  const server = await reachServer(cluster.url(), 0);
  await using sql = server.open({ max: 1, timeoutMs: 1234, readOnly: true });
  const [row] = await sql`
    SELECT current_setting('statement_timeout') AS wait, current_setting('transaction_read_only') AS only`;
  expect(row).toEqual({ wait: "1234ms", only: "on" });
  const insisting = reachServer(cluster.url("postgres", { query: "?sslmode=require" }), 0);
  await expect(insisting).rejects.toMatchObject({ code: "unavailable" });
});
