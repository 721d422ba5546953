import TelegramServer from "telegram-test-api";
import { freePort } from "../helpers/free-port.ts";

/** A Bot API that nobody here wrote, on a port that is free. */
export async function startTelegramServer(settings: { readonly storeTimeout?: number } = {}) {
  const server = new TelegramServer({ ...settings, port: freePort(), host: "127.0.0.1" });
  await server.start();
  return server;
}
