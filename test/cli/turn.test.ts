import { expect, test } from "bun:test";
import type { Answer } from "../../src/cli/approve.ts";
import { connect, type Envelope } from "../../src/cli/connection.ts";
import { takeTurn } from "../../src/cli/turn.ts";
import { temporaryFolder } from "../helpers/executable.ts";
import { operatorToken, startInProcess } from "../helpers/in-process.ts";
import { scriptedModel } from "../helpers/model-server.ts";

const alice = "alices-very-own-token";

/** A server whose model writes so many files, for which it has to ask, and then answers. */
async function startAsking(files = 1) {
  const work = await temporaryFolder();
  const model = scriptedModel(({ messages }) =>
    messages.at(-1)?.role === "tool"
      ? { text: "the real answer" }
      : {
          calls: Array.from({ length: files }, (_, at) => ({
            name: "write_file",
            arguments: { path: `${at}.txt`, content: "x" },
          })),
        },
  );
  const server = await startInProcess({
    OPENCLAW_CLIENT_TOKENS: `alice=${alice}`,
    OPENCLAW_WORKSPACE: work.path,
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
  });
  return {
    /** Takes turns over one connection; `answers` are given to the questions in their order, the last one to all others. */
    async take(token: string, turns: number, answers: readonly Answer[]) {
      using connection = await connect(server.url, token);
      const shown: Envelope[] = [];
      const notes: string[] = [];
      const asked: Envelope[] = [];
      const screen = {
        show: async (envelope: Envelope) => void shown.push(envelope),
        note: (text: string) => void notes.push(text),
      };
      const ends: boolean[] = [];
      for (let turn = 0; turn < turns; turn++)
        ends.push(
          await takeTurn(connection, screen, {
            text: "do it",
            sessionId: "asked",
            onStart: () => {},
            async approve(question) {
              asked.push(question);
              return answers[asked.length - 1] ?? answers.at(-1) ?? { approved: false };
            },
          }),
        );
      const text = shown.filter(({ type }) => type === "assistant_chunk").map((each) => each.text);
      return { ends, notes, asked: asked.map(({ approvalId }) => approvalId), text: text.join("") };
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await model.close();
      await work[Symbol.asyncDispose]();
    },
  };
}

test("takeTurn goes on to the answer behind a decision, in the turns after it too", async () => {
  await using it = await startAsking();
  const { ends, text, notes, asked } = await it.take(operatorToken, 2, [
    { approved: false },
    { approved: true },
  ]);
  expect(ends).toEqual([true, true]);
  expect(text).toBe("the real answerthe real answer");
  expect(notes).toEqual([
    `Tool approval recorded: ${asked[0]} = denied`,
    `Tool approval recorded: ${asked[1]} = approved`,
  ]);
});

test("takeTurn asks again when the server refuses a decision", async () => {
  await using it = await startAsking();
  const { ends, text, notes, asked } = await it.take(alice, 1, [
    { approved: true, scope: "always" },
    { approved: true, scope: "session" },
  ]);
  expect(ends).toEqual([true]);
  expect(text).toBe("the real answer");
  expect(asked).toHaveLength(2);
  expect(asked[0]).toBe(asked[1]);
  expect(notes[0]).toContain("that is the operator's");
});

test("takeTurn asks about each of several calls at once until its decision is taken", async () => {
  await using it = await startAsking(2);
  const always: Answer = { approved: true, scope: "always" };
  const { ends, text, notes, asked } = await it.take(alice, 1, [
    { approved: true },
    always,
    { approved: false },
  ]);
  expect(ends).toEqual([true]);
  expect(text).toBe("the real answer");
  expect(asked).toHaveLength(3);
  expect(asked[1]).toBe(asked[2]);
  expect(notes.filter((note) => note.startsWith("Tool approval recorded"))).toEqual([
    `Tool approval recorded: ${asked[0]} = approved`,
    `Tool approval recorded: ${asked[1]} = denied`,
  ]);
});

test("takeTurn cancels the turn when one decision after the other is refused", async () => {
  await using it = await startAsking();
  const { ends, notes, asked } = await it.take(alice, 1, [{ approved: true, scope: "always" }]);
  expect(ends).toEqual([false]);
  expect(asked).toHaveLength(5);
  expect(notes.at(-1)).toBe("The turn is cancelled: 5 decisions were refused.");
});
