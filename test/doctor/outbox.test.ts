import { expect, test } from "bun:test";
import { inspectOutbox } from "../../src/doctor/outbox.ts";
import { migrations } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/open.ts";
import * as outbox from "../../src/store/outbox.ts";
import { withFolder } from "../store/with-folder.ts";
import { loadSettings } from "../../src/config/load.ts";

function settingsOf(dataDir: string) {
  const { settings } = loadSettings({ HOME: "/home/x", OPENCLAW_DATA_DIR: dataDir }, "/");
  if (!settings) throw new Error("There are no settings.");
  return settings.store;
}

test("inspectOutbox names what was given up with its reason, also while the server runs", () =>
  withFolder(async (dataDir) => {
    const settings = settingsOf(dataDir);
    expect(await inspectOutbox(settings)).toEqual({ state: "ok", text: "there is no database yet" });
    const store = await openStore({ dataDir });
    try {
      const of = { channel: "sms", recipient: "+1555", kind: "answer", pieces: ["{}"], now: 1 };
      await store.write((tx) => outbox.enqueue(tx, { ...of, turnId: "t1" }));
      expect((await inspectOutbox(settings)).text).toBe("waiting to be sent: 1, given up: none");
      await store.write((tx) => outbox.enqueue(tx, { ...of, turnId: "t2", dead: "It said STOP." }));

      expect(await inspectOutbox(settings)).toMatchObject({
        state: "warn",
        text: "given up: 1 (sms +1555: It said STOP.)",
        fix: expect.stringContaining("/api/deliveries"),
      });
    } finally {
      await store.close();
    }
  }));

test("inspectOutbox leaves a database that the next start will migrate alone", () =>
  withFolder(async (dataDir) => {
    await (await openStore({ dataDir, migrations: migrations.slice(0, 1) })).close();
    expect(await inspectOutbox(settingsOf(dataDir))).toEqual({
      state: "ok",
      text: "not looked at: the database has version 1",
    });
  }));
