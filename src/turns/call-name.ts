/**
 * Names a call within its turn, and the same again after a crash. Its answer's number (`step`) is part of it, because
 * models may use an id again in a later answer; a digest, because such ids may be long.
 */
export const callName = (step: number | undefined, callId: string): string =>
  new Bun.CryptoHasher("sha256")
    .update(JSON.stringify([step ?? 0, callId]))
    .digest("hex")
    .slice(0, 24);
