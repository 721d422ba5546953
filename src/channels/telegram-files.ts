import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { Attachment } from "./channel.ts";
import type { TelegramApi } from "./telegram-api.ts";
import type { Message } from "./telegram-update.ts";

/** A photo comes in several sizes; one that is larger is not looked at. */
const mostPhotoBytes = 5 * 1024 * 1024;

const FilePath = v.object({
  file_size: v.optional(v.number(), 0),
  /** A Bot API server of one's own may tell a path on its disk, which is none to ask for. */
  file_path: v.pipe(v.string(), v.regex(/^[\w.-]+(?:\/[\w.-]+)*$/), v.excludes("..")),
});

async function fetchFile(api: TelegramApi, fileId: string, maxBytes: number, signal: AbortSignal) {
  const told = await api.call("getFile", { file_id: fileId }, signal);
  const found = v.safeParse(FilePath, told);
  if (!found.success) throw new AppError("provider_error", "Telegram told no path for a file.");
  const { file_path, file_size } = found.output;
  if (file_size > maxBytes) {
    throw new AppError("payload_too_large", `The file has ${file_size} bytes, and ${maxBytes} are allowed.`);
  }
  return api.download(file_path, maxBytes, signal);
}

interface Stored {
  readonly file_id: string;
  readonly file_size?: number | undefined;
}

/** The largest size of a photo that is small enough; where none is known to be, the smallest. */
export function bestPhoto<Size extends Stored>(sizes: readonly Size[]): Size | undefined {
  const rising = sizes.toSorted((a, b) => (a.file_size ?? 0) - (b.file_size ?? 0));
  return rising.findLast(({ file_size = 0 }) => file_size <= mostPhotoBytes) ?? rising[0];
}

/** The photo and the document of a message. */
export function readAttachments(api: TelegramApi, message: Message): readonly Attachment[] {
  const attach = (file: Stored, of: Pick<Attachment, "kind" | "name" | "type">): Attachment => ({
    ...of,
    ...(file.file_size !== undefined && { size: file.file_size }),
    bytes: (maxBytes, signal) => fetchFile(api, file.file_id, maxBytes, signal),
  });
  const photo = bestPhoto(message.photo ?? []);
  // An animation comes as a document too, for older programs.
  const document = message.animation === undefined ? message.document : undefined;
  const type = document?.mime_type;
  return [
    ...(photo === undefined
      ? []
      : [attach(photo, { kind: "image", name: `photo-${message.message_id}.jpg`, type: "image/jpeg" })]),
    ...(document === undefined
      ? []
      : [
          attach(document, {
            kind: type?.startsWith("image/") ? "image" : "file",
            name: document.file_name,
            ...(type !== undefined && { type }),
          }),
        ]),
  ];
}
