import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { runExecutable } from "../helpers/executable.ts";
import { failCalls, holdDatabase } from "./inject.ts";
import { faultyPlace, until } from "./served.ts";

interface Fault {
  /** The part that `/health/ready` names. */
  readonly failing: "disk" | "store";
  readonly says: RegExp;
  begin(of: { pid: number; dataDir: string }): Promise<AsyncDisposable> | AsyncDisposable;
  /** Each write waits for seconds before it is refused: one is enough. */
  readonly slow?: true;
}

/** They run side by side, and one of them waits for five seconds when all is well. */
const timeoutMs = 60_000;

/** Bytes at the beginning of the database that hold what tables there are. */
const tables = 16 * 4096;

const writes = "pwrite64,pwritev,ftruncate,fallocate";
const faults: Readonly<Record<string, Fault>> = {
  "the disk is full": {
    failing: "disk",
    says: /full: free some space/,
    begin: ({ pid }) => failCalls(pid, writes, "ENOSPC"),
  },
  "the folder can only be read": {
    failing: "disk",
    says: /./,
    begin: ({ pid }) => failCalls(pid, writes, "EROFS"),
  },
  "fsync fails": {
    failing: "disk",
    says: /disk of the data folder failed/,
    begin: ({ pid }) => failCalls(pid, "fsync,fdatasync", "EIO"),
  },
  "another program holds the database": {
    failing: "store",
    says: /Another program holds the database/,
    begin: ({ dataDir }) => holdDatabase(dataDir),
    slow: true,
  },
};

function integrityOf(dataDir: string) {
  const database = new Database(join(dataDir, "openclaw.db"), { readonly: true });
  try {
    return database.query("PRAGMA integrity_check").values();
  } finally {
    database.close();
  }
}

for (const [name, { failing, says, begin, slow }] of Object.entries(faults))
  test.concurrent(
    `openclaw refuses messages while ${name}, and goes on afterwards without having lost one`,
    async () => {
      await using place = await faultyPlace();
      const server = await place.start();
      await server.say("1").mine("assistant_done");
      {
        await using _ = await begin({ pid: server.pid, dataDir: place.dataDir });
        const refused = server.say("2");
        expect(await server.ready()).toEqual({ status: 503, body: { status: "unavailable", failing } });
        expect((await server.call("/health/live")).status).toBe(200);
        expect(await refused.mine("error")).toMatchObject({
          code: "unavailable",
          text: expect.stringMatching(says),
        });
        await refused.mine("typing_stop");
        if (slow === undefined) {
          const posted = await server.post("3");
          expect(posted.status).toBe(503);
          expect(await posted.json()).toMatchObject({ error: { message: expect.stringMatching(says) } });
        }
        expect(await server.history()).toEqual(["text 1", "re: text 1"]);
      }
      await until(async () => (await server.ready()).status === 200, "the server is ready again");
      await server.say("4").mine("assistant_done");
      await server.kill();

      await using again = await place.start();
      const told = ["text 1", "re: text 1", "text 4", "re: text 4"];
      expect(await again.history()).toEqual(told);
      expect(integrityOf(place.dataDir)).toEqual([["ok"]]);
    },
    timeoutMs,
  );

test.concurrent(
  "openclaw ends a turn that it cannot store, and goes on with its session when the disk works again",
  async () => {
    const { promise: full, resolve: answer } = Promise.withResolvers<void>();
    let asked = 0;
    await using place = await faultyPlace((text) => {
      asked += 1;
      return text === "text 1" ? { text: ["so ", "long"], gate: () => full } : { text: `re: ${text}` };
    });
    const server = await place.start();
    const cut = server.say("1");
    const { turnId } = await cut.mine("accepted");
    await until(async () => asked === 1, "the model is asked");
    {
      await using _ = await failCalls(server.pid, writes, "ENOSPC");
      answer();
      expect(await cut.mine("error")).toMatchObject({
        code: "unavailable",
        text: expect.stringMatching(/full: free some space/),
      });
      await cut.mine("typing_stop");
    }
    const next = server.say("2");
    await next.mine("assistant_done");
    const state = async () => (await (await server.call(`/api/turns/${turnId}`)).json()).state;
    expect(await state()).toBe("failed");
    // What the model had said is kept.
    const told = ["text 1", "so long", "text 2", "re: text 2"];
    expect(await server.history()).toEqual(told);
    await server.kill();

    await using again = await place.start();
    const repeated = again.say("1");
    expect(await repeated.mine("error")).toMatchObject({ code: "unavailable" });
    expect(await again.history()).toEqual(told);
    expect(asked).toBe(2);
  },
  timeoutMs,
);

test.concurrent(
  "openclaw says that its database is damaged, and works again when a backup is put back",
  async () => {
    await using place = await faultyPlace();
    const database = join(place.dataDir, "openclaw.db");
    const first = await place.start();
    for (let n = 0; n < 5; n++) await first.say(`${n}`, "x".repeat(8000)).mine("assistant_done");
    await first.end();
    const backup = await Bun.file(database).bytes();
    const server = await place.start();
    // All but the first pages, which say what tables there are.
    const file = await open(database, "r+");
    await file.write(new Uint8Array(backup.length).fill(0x55), 0, backup.length - tables, tables);
    await file.close();

    const refused = server.say("6");
    expect(await refused.mine("error")).toMatchObject({
      code: "unavailable",
      text: expect.stringMatching(/The database is damaged: stop the server and put a backup back/),
    });
    expect(await server.ready()).toEqual({ status: 503, body: { status: "unavailable", failing: "store" } });
    await server.kill();

    for (const rest of ["-wal", "-shm"]) await rm(`${database}${rest}`, { force: true });
    await Bun.write(database, backup);
    await using again = await place.start();
    await again.say("7").mine("assistant_done");
    expect((await again.history()).length).toBe(12);
  },
  timeoutMs,
);

test.concurrent("openclaw does not start on a database that is none, and leaves it as it is", async () => {
  await using place = await faultyPlace();
  const database = join(place.dataDir, "openclaw.db");
  await Bun.write(database, "something else ".repeat(1000));
  const { code, stderr } = await runExecutable([], place.env);
  expect(code).toBe(1);
  expect(stderr).toContain("The file openclaw.db is no database: move it away, or put a backup back.");
  expect(await Bun.file(database).text()).toBe("something else ".repeat(1000));
});
