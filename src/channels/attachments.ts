import { publicError } from "../errors.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import type { Attachment } from "./channel.ts";

/** What may be done with what comes with a message. */
export interface AttachmentParts {
  /**
   * Keeps a file where the agent's tools find it, and says where; throws `conflict` when one of that name is there.
   * Absent when nothing may be written.
   */
  readonly storeFile?: (name: string, bytes: Uint8Array, signal: AbortSignal) => Promise<string>;
  /** True where the model that answers takes pictures. */
  readonly takesImages: () => boolean;
}

/** What a message holds beside its text: lines that tell of it, and pictures as OpenAI content parts. */
export interface Attached {
  readonly lines: readonly string[];
  readonly images: readonly object[];
}

const mostAttachments = 10;
const mostImages = 4;
const largestImage = 5 * 1024 * 1024;
const largestFile = 20 * 1024 * 1024;
/** The provider waits for our answer meanwhile. */
const fetchMs = 20_000;

const shownName = (name: string) =>
  name
    .replace(/[^\p{L}\p{N}._ -]/gu, "_")
    .slice(0, 100)
    .toWellFormed()
    .trim() || "unnamed";

/** The message that something came with. */
export interface Delivered {
  readonly channel: string;
  readonly id: string;
}

/**
 * A path that nobody else chose: the sender's name for it is only its end, without folders, dots at its start, or
 * anything odd. It is the same when the message is delivered again.
 */
function pathFor(name: string, { channel, id }: Delivered, index: number): string {
  const safe = name
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._-]+/g, "_")
    .replace(/^[._-]+/, "")
    .slice(-80);
  const key = new Bun.CryptoHasher("sha256").update(JSON.stringify([channel, id, index])).digest("hex");
  return `inbound/${key.slice(0, 32)}-${safe || "file"}`;
}

const sizeText = (bytes: number) =>
  bytes < 1000
    ? `${bytes} bytes`
    : bytes < 1_000_000
      ? `${Math.round(bytes / 1000)} KB`
      : `${(bytes / 1_000_000).toFixed(1)} MB`;

/** The kind of a picture by its first bytes, whatever its sender says; undefined for what models do not take. */
function imageType(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF8")) return "image/gif";
  if (head.startsWith("RIFF") && head.slice(8) === "WEBP") return "image/webp";
  return undefined;
}

const toPart = (type: string, bytes: Uint8Array) => ({
  type: "image_url",
  image_url: { url: `data:${type};base64,${Buffer.from(bytes).toString("base64")}` },
});

/** Fetches what came with a message and makes of it what the agent can use. What cannot be had is said in a line. */
export async function readAttachments(
  attachments: readonly Attachment[],
  from: Delivered,
  { storeFile, takesImages }: AttachmentParts,
): Promise<Attached> {
  const lines: string[] = [];
  const images: object[] = [];
  const signal = AbortSignal.timeout(fetchMs);

  async function keep(path: string, data: Uint8Array): Promise<string | undefined> {
    try {
      return await storeFile?.(path, data, signal);
    } catch (error) {
      // The message was refused before, behind this, and is delivered again.
      if (publicError(error).code === "conflict") return path;
      throw error;
    }
  }

  async function read({ kind, name, size, bytes }: Attachment, index: number) {
    const shown = shownName(name);
    const told = size === undefined ? "" : `, ${sizeText(size)}`;
    const asImage = kind === "image" && takesImages() && images.length < mostImages;
    if (!asImage && storeFile === undefined) return lines.push(`[${kind}: ${shown}${told}: not stored]`);
    const most = storeFile === undefined ? largestImage : largestFile;
    if (size !== undefined && size > most) return lines.push(`[${kind}: ${shown}${told}: too big]`);
    const data = await bytes(most, signal);
    const type = asImage && data.length <= largestImage ? imageType(data) : undefined;
    const path = await keep(pathFor(name, from, index), data);
    if (type !== undefined) images.push(toPart(type, data));
    const where = path === undefined ? (type === undefined ? ": not stored" : "") : `: stored as ${path}`;
    lines.push(`[${kind}: ${shown}, ${sizeText(data.length)}${where}]`);
  }

  for (const [index, attachment] of attachments.slice(0, mostAttachments).entries()) {
    try {
      await read(attachment, index);
    } catch (error) {
      log.warn("what came with a message could not be had", { kind: attachment.kind, error });
      lines.push(`[${attachment.kind}: ${shownName(attachment.name)}: it could not be fetched or stored]`);
    }
  }
  const left = attachments.length - mostAttachments;
  if (left > 0) lines.push(`[${left} more were left out]`);
  return { lines, images };
}
