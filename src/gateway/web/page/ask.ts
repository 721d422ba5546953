import * as v from "valibot";
import type { Socket } from "./socket.ts";

export type Answer<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Asks for an operation and reads its result; one that this page does not understand is an error too. */
export async function ask<Schema extends v.GenericSchema>(
  socket: Socket,
  method: string,
  params: object,
  schema: Schema,
): Promise<Answer<v.InferOutput<Schema>>> {
  const reply = await socket.request(method, params);
  if (!reply.ok) return reply;
  const result = v.safeParse(schema, reply.result);
  if (result.success) return { ok: true, result: result.output };
  return { ok: false, code: "internal", message: `This page does not understand the answer to ${method}.` };
}
