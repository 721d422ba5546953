import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright";
import type { Command } from "../../../src/agent/commands.ts";
import { connectEnvelopes, type EnvelopeClient } from "../../helpers/envelope-client.ts";
import { launchBrowser, say, untilIdle, watchedPage } from "./browser.ts";
import { answer, callTool, type Script, type ServedTurns, serveTurns } from "./served-turns.ts";

setDefaultTimeout(90_000);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const sessionId = "chat-joined";
const open = (page: Page) => page.goto(`/chat#${sessionId}`);
const users = (page: Page) => page.locator(".user").allInnerTexts();

type Gates = Record<"first" | "second", PromiseWithResolvers<void>>;

interface Scene {
  readonly page: Page;
  /** Another client of the same session. */
  readonly other: EnvelopeClient;
  readonly server: ServedTurns;
  readonly gates: Gates;
  /** How often the page connected. */
  connections(): number;
}

const tell = (client: EnvelopeClient, text: string) =>
  client.send({ type: "user_message", text, sessionId, messageId: `other: ${text}` });

/** A page that has not been opened yet; what waits at a gate goes on at the end in any case. */
async function withScene(
  make: (gates: Gates) => { script: Script; commands?: readonly Command[] },
  act: (scene: Scene) => Promise<void>,
) {
  const gates = { first: Promise.withResolvers<void>(), second: Promise.withResolvers<void>() };
  const { script, commands } = make(gates);
  await using server = await serveTurns(script, undefined, commands);
  await using watched = await watchedPage(browser, server.url);
  using other = await connectEnvelopes(server.url);
  let opened = 0;
  watched.page.on("websocket", () => opened++);
  try {
    await act({ page: watched.page, other, server, gates, connections: () => opened });
  } finally {
    for (const gate of Object.values(gates)) gate.resolve();
  }
  expect(watched.faults).toEqual([]);
}

test("the page joins a turn that fills pages of the history already", async () => {
  const make = (gates: Gates) => ({
    script: async function* () {
      for (let n = 0; n < 60; n++) {
        const call = { id: `c${n}`, name: "time", args: {}, output: "noon" };
        yield* callTool(call, async function* () {});
      }
      await gates.first.promise;
      yield* answer("All sixty.");
    } satisfies Script,
  });
  await withScene(make, async ({ page, other, gates, connections }) => {
    tell(other, "do it");
    await other.next("tool_result", ({ callId }) => callId === "c59");
    await open(page);
    await page.locator(".user").waitFor();
    await page.locator("details.tool").nth(59).waitFor();
    expect(await users(page)).toEqual(["do it"]);

    gates.first.resolve();
    await page.getByText("All sixty.").waitFor();
    await untilIdle(page);
    expect(await page.locator("details.tool").count()).toBe(60);
    expect(connections()).toBe(1);
  });
});

const status: Command = { name: "status", doc: "", when: "now", run: async () => "All is well." };

test("the page hears a command of another window without reading the history for ever", async () => {
  const make = (gates: Gates) => {
    const compact: Command = {
      name: "compact",
      doc: "",
      when: "in_turn",
      async *run() {
        yield { type: "status", code: "compacting", text: "summing up" };
        await gates.first.promise;
        yield { type: "notice", text: "Compacted." };
      },
    };
    const script: Script = (turn) =>
      answer(`You said ${turn.text}.`, (index) =>
        turn.text === "slow" && index === 1 ? gates.second.promise : undefined,
      );
    return { script, commands: [compact, status] };
  };
  await withScene(make, async ({ page, other, gates, connections }) => {
    tell(other, "first");
    await other.next("assistant_done");
    await open(page);
    await page.getByText("You said first.").waitFor();

    tell(other, "/compact");
    await page.getByText("summing up").waitFor();
    gates.first.resolve();
    await page.getByText("Compacted.").waitFor();

    tell(other, "slow");
    await page.getByText("You", { exact: true }).waitFor();
    tell(other, "/status");
    await other.next("assistant_message", ({ text }) => text === "All is well.");
    gates.second.resolve();
    await page.getByText("You said slow.").waitFor();
    await untilIdle(page);
    expect(await users(page)).toEqual(["first", "slow"]);
    // At first, and for each of the three that it did not know; again where one of them was not on disk yet.
    expect(connections()).toBeLessThan(9);
  });
});

test("the page begins anew when its session was deleted while it was away", async () => {
  const make = () => ({ script: ((turn) => answer(`You said ${turn.text}.`)) satisfies Script });
  await withScene(make, async ({ page, other, server }) => {
    await open(page);
    for (const text of ["one", "two", "three"]) {
      await say(page, text);
      await page.getByText(`You said ${text}.`).waitFor();
      await untilIdle(page);
    }
    await page.context().setOffline(true);
    server.breakConnections();
    await page.getByText("Connecting to the server").waitFor();
    await other.close();
    using another = await connectEnvelopes(server.url);
    const deleted = await fetch(`${server.url}/api/sessions/${sessionId}`, { method: "DELETE" });
    expect(deleted.status).toBe(200);
    tell(another, "anew");
    await another.next("assistant_done");
    await page.context().setOffline(false);

    await page.getByText("You said anew.").waitFor();
    expect(await users(page)).toEqual(["anew"]);
    tell(another, "and on");
    await page.getByText("You said and on.").waitFor();
    expect(await page.getByText("is not of session").count()).toBe(0);
  });
});

test("the page stays awake over emphasis that nothing ends", async () => {
  const script: Script = () => answer(`**before**\n\n${"*a_".repeat(27_000)}\n\n**behind**`);
  await withScene(
    () => ({ script }),
    async ({ page }) => {
      await open(page);
      await say(page, "hi");
      await page.locator("strong", { hasText: "behind" }).waitFor();
      await untilIdle(page);
    },
  );
});
