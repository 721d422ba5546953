import type { Connection } from "./connection.ts";

const answerMs = 35_000;

/** Asks the server for an operation and waits for its result. Throws with the server's own sentence when it refuses. */
export async function request(connection: Connection, method: string, params: object): Promise<unknown> {
  const id = crypto.randomUUID();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`The server did not answer ${method} in time.`)),
    answerMs,
  );
  connection.send({ type: "request", id, method, params });
  try {
    for (;;) {
      const envelope = await Promise.race([connection.receive(), late.promise]);
      if (envelope.type !== "response" || envelope.id !== id) continue;
      if (envelope.error !== undefined) throw new Error(envelope.error.message);
      return envelope.result;
    }
  } finally {
    clearTimeout(timer);
  }
}
