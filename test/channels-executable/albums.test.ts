import { expect, test } from "bun:test";
import { join } from "node:path";
import { startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { recordArrivals } from "./arrivals.ts";
import { anUpdate, startTelegram } from "./telegram-front.ts";

const albums = runs(4, 20);
const chat = 101;
const parts = [0, 1, 2];

test(
  `${albums} SIGKILLs between the updates of albums: each picture is in one message and one answer, in order`,
  async () => {
    await using folder = await temporaryFolder();
    const arrivals = recordArrivals();
    await using telegram = await startTelegram({ arrived: arrivals.arrived });
    await using model = scriptedModel(({ messages }) => {
      const asked = messages.findLast(({ role }) => role === "user")?.content;
      return {
        text: `saw ${
          JSON.stringify(asked)
            .match(/photo-\d+/g)
            ?.join(" ") ?? "nothing"
        }`,
      };
    });
    const start = () =>
      startExecutable({
        ...telegram.env,
        OPENCLAW_PUBLIC_URL: "https://agent.test",
        OPENCLAW_TELEGRAM_DM_POLICY: "open",
        OPENCLAW_DATA_DIR: join(folder.path, "data"),
        MODEL_PROVIDER_ENDPOINT: model.url,
        MODEL_PROVIDER_MODEL: "scripted",
      });
    let server = await start();
    const idOf = (album: number, part: number) => 1000 + album * 10 + part;

    /** As Telegram does: the next is told when the last was taken. */
    async function tell(album: number, part: number) {
      const id = idOf(album, part);
      const more = { media_group_id: `album-${album}`, photo: [{ file_id: `f${id}`, file_size: 10 }] };
      for (const deadline = performance.now() + 30_000; performance.now() < deadline; await Bun.sleep(5)) {
        const answer = await fetch(`${server.url}/telegram/inbound`, anUpdate({ id, chat, more })).catch(
          () => undefined,
        );
        if (answer?.ok) return;
      }
      throw new Error(`The update ${id} was not taken.`);
    }

    async function restart() {
      await server.stop("SIGKILL");
      await telegram.heardOut();
      arrivals.died();
      await server[Symbol.asyncDispose]();
      server = await start();
    }

    try {
      for (let album = 0; album < albums; album++)
        for (const part of parts) {
          await tell(album, part);
          if (part === album % parts.length) await restart();
          // Whatever an earlier process took is known.
          await tell(album, part);
        }
      const all = Array.from({ length: albums }, (_, album) => parts.map((part) => idOf(album, part))).flat();
      const seen = () => arrivals.heardBy(`${chat}`).flatMap((text) => text.match(/\d+/g)?.map(Number) ?? []);
      for (const deadline = performance.now() + 60_000; performance.now() < deadline; await Bun.sleep(10))
        if (seen().length >= all.length) break;
      expect(await server.stop()).toBe(0);
      expect(seen()).toEqual(all);
      expect(arrivals.doubles().unexplained).toEqual([]);
      // A part that came more than a moment later, as a server took long to start, is a message of its own.
      console.log(`${arrivals.heardBy(`${chat}`).length} answers to ${albums} albums of three pictures`);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  },
  albums * 30_000 + 90_000,
);
