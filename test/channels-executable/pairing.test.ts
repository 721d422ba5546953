import { expect, test } from "bun:test";
import { runExecutable, startExecutable } from "../helpers/executable.ts";
import { startTelegram } from "./telegram-front.ts";
import { token } from "./ticking-jobs.ts";

test("a stranger on Telegram is sent a code, admitted with it on the command line, and answered from then on", async () => {
  const heard: string[] = [];
  await using telegram = await startTelegram({ arrived: (_, text) => heard.push(text) });
  const login = { OPENCLAW_AUTH_TOKEN: token };
  await using server = await startExecutable({ ...telegram.env, ...login });
  const ada = telegram.client(7);
  const hears = async (count: number) => {
    for (const deadline = performance.now() + 15_000; heard.length < count; await Bun.sleep(5))
      if (performance.now() > deadline) throw new Error(`Heard only: ${heard.join("\n")}`);
  };
  const pairing = (...words: string[]) =>
    runExecutable(["pairing", ...words], { ...login, OPENCLAW_BASE_URL: server.url });

  await ada.sendMessage(ada.makeMessage("/help"));
  await ada.sendMessage(ada.makeMessage("Is anybody there?"));
  await hears(1);
  const code = /\b\d{6}\b/.exec(heard[0] ?? "")?.[0] ?? "";
  expect(await pairing("approve", "telegram", code === "000000" ? "000001" : "000000")).toMatchObject({
    code: 1,
    stdout: "",
  });
  expect((await pairing("list")).stdout).toMatch(/^telegram {2}7 {2}open {2}.* {2}TestName\n$/);
  expect(await pairing("approve", "telegram", code)).toMatchObject({
    code: 0,
    stdout: "Admitted 7 on telegram.\n",
  });
  await hears(2);
  expect(heard[1]).toContain("You are admitted now.");
  await ada.sendMessage(ada.makeMessage("/help"));
  await hears(3);
  expect(heard[2]).toContain("Available commands:");
  expect(heard).toHaveLength(3);
  expect(await server.stop()).toBe(0);
}, 60_000);
