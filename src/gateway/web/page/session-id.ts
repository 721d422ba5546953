const pattern = /^[A-Za-z0-9_.:-]{1,128}$/;
const name = "openclaw.session";

/** A random UUID; `crypto.randomUUID` is missing where the page is served over plain HTTP on a network. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte, index) => {
    const marked = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte;
    return marked.toString(16).padStart(2, "0");
  }).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export const newSessionId = () => `chat-${uuid()}`;

/** The session that the address names, else the one that was open last, else a new one. */
export function readSessionId(hash: string, storage: Pick<Storage, "getItem">): string {
  const kept = () => storage.getItem(name) ?? "";
  return [hash.slice(1), kept()].find((id) => pattern.test(id)) ?? newSessionId();
}

/** Remembers the open session in the address and for the next visit. */
export function keepSessionId(id: string, storage: Storage) {
  storage.setItem(name, id);
  if (location.hash !== `#${id}`) history.replaceState(null, "", `#${id}`);
}
