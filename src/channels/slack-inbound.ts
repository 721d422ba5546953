import * as v from "valibot";
import type { Attachment, Inbound } from "./channel.ts";
import { fetchAttachment } from "./fetch-attachment.ts";
import { writeRecipient } from "./slack-recipient.ts";
import { unescapeText } from "./slack-text.ts";

const id = v.pipe(v.string(), v.regex(/^[A-Z][A-Z0-9]{1,31}$/));
const ts = v.pipe(v.string(), v.regex(/^\d{1,12}\.\d{1,8}$/));
const mostFiles = 10;

const File = v.object({
  name: v.nullish(v.string()),
  mimetype: v.nullish(v.string()),
  url_private_download: v.nullish(v.string()),
});

/** A message, or a mention of the bot, in the fields that are read of it. */
const MessageEvent = v.object({
  type: v.picklist(["message", "app_mention"]),
  subtype: v.nullish(v.string()),
  channel_type: v.nullish(v.string()),
  channel: id,
  user: v.nullish(id),
  bot_id: v.nullish(v.string()),
  text: v.nullish(v.string()),
  ts,
  thread_ts: v.nullish(ts),
  files: v.nullish(v.array(File)),
});
type MessageEvent = v.InferOutput<typeof MessageEvent>;

/** What Slack posts to the address of the app's events. */
export const SlackEvent = v.variant("type", [
  v.object({ type: v.literal("url_verification"), challenge: v.pipe(v.string(), v.maxLength(1000)) }),
  v.object({
    type: v.literal("event_callback"),
    event_id: v.pipe(v.string(), v.nonEmpty(), v.maxLength(100)),
    event: v.looseObject({ type: v.string() }),
    authorizations: v.nullish(v.array(v.looseObject({ user_id: v.nullish(v.string()) }))),
  }),
]);
export type SlackEvent = v.InferOutput<typeof SlackEvent>;

/** What people write themselves; edits, deletions, joins and the like have other subtypes. */
const ownWords = new Set<string | null | undefined>([undefined, null, "file_share", "thread_broadcast"]);

/** Where files lie that may be shown the bot's token. */
const fileHost = "files.slack.com";

/**
 * The message of an event that is for us: one in a direct conversation, or a mention elsewhere; never a bot's.
 * Elsewhere a thread is one session of all who write in it, and the question of a tool is only for who asked.
 */
export function readMessage(
  callback: Extract<SlackEvent, { type: "event_callback" }>,
  { token, api }: { token: string; api: string },
): Inbound | undefined {
  const parsed = v.safeParse(MessageEvent, callback.event);
  if (!parsed.success) return undefined;
  const event = parsed.output;
  const { user, channel } = event;
  const self = callback.authorizations?.[0]?.user_id ?? undefined;
  if (user == null || event.bot_id != null || user === self || !ownWords.has(event.subtype)) return undefined;
  const isDirect = event.channel_type === "im" || (event.channel_type == null && channel.startsWith("D"));
  // Of a mention in a channel a `message` is told as well.
  if (isDirect !== (event.type === "message")) return undefined;
  const thread = event.thread_ts ?? (isDirect ? undefined : event.ts);
  const sessionId = isDirect ? `slack:${channel}` : `slack:${channel}:${thread}`;
  const { attachments, lines } = readFiles(event, { token, api });
  const said = unescapeText(
    self === undefined ? (event.text ?? "") : (event.text ?? "").replaceAll(`<@${self}>`, ""),
  );
  const text = [said.trim(), ...lines].filter((line) => line !== "").join("\n");
  if (text === "" && attachments.length === 0) return undefined;
  return {
    deliveryId: callback.event_id,
    sender: { id: user },
    recipient: writeRecipient({ channel, asker: user, ...(thread !== undefined && { thread }) }),
    sessionId,
    principal: isDirect ? `slack:${user}` : sessionId,
    text,
    ...(attachments.length > 0 && { attachments }),
  };
}

function readFiles({ files }: MessageEvent, { token, api }: { token: string; api: string }) {
  const attachments: Attachment[] = [];
  const lines: string[] = [];
  for (const { name, mimetype, url_private_download } of (files ?? []).slice(0, mostFiles)) {
    const url = url_private_download ?? "";
    const called = (name ?? "file").slice(0, 200);
    const type = (mimetype ?? "").slice(0, 100);
    if (!mayShowToken(url, api)) {
      lines.push(`[file: ${called}, not at Slack: not fetched]`);
      continue;
    }
    attachments.push({
      kind: type.startsWith("image/") ? "image" : "file",
      name: called,
      ...(type !== "" && { type }),
      bytes: (maxBytes, signal) =>
        fetchAttachment({ url, authorization: `Bearer ${token}`, onwards: [] }, maxBytes, signal),
    });
  }
  const more = (files?.length ?? 0) - mostFiles;
  if (more > 0) lines.push(`[${more} more files: not fetched]`);
  return { attachments, lines };
}

function mayShowToken(url: string, api: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host, origin } = new URL(url);
  return (protocol === "https:" && host === fileHost) || origin === new URL(api).origin;
}
