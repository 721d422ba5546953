/** Reads a body up to `most` bytes and lets go of what comes after. */
export async function readBytes(response: Response, most: number): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array();
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let left = most;
  while (left > 0) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts);
    parts.push(value.subarray(0, left));
    left -= value.length;
  }
  void reader.cancel().catch(() => undefined);
  return Buffer.concat(parts);
}
