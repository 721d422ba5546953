import type { Attachment, Inbound } from "./channel.ts";
import { fetchAttachment } from "./fetch-attachment.ts";
import { basicAuth, type TwilioAccount } from "./twilio-api.ts";
import type { Fields } from "./twilio-signature.ts";

const mostMedia = 10;
/** Where Twilio keeps what came with a message; its own address there redirects to it. */
const mediaHosts = [".twiliocdn.com", ".amazonaws.com"];

export const field = (fields: Fields, name: string) => fields.get(name)?.[0] ?? "";

/** A number as it may stand in the id of a session, which has no `+`. */
const idOf = (number: string) =>
  number
    .replace(/^\+/, "")
    .replace(/[^A-Za-z0-9\-_.:]/g, "-")
    .slice(0, 100);

/** The message of a form that Twilio has signed, or undefined when it is none. */
export function readSms(fields: Fields, account: TwilioAccount): Inbound | undefined {
  const from = field(fields, "From");
  const sid = field(fields, "MessageSid") || field(fields, "SmsSid");
  if (from === "" || sid === "" || from.length > 100 || sid.length > 100) return undefined;
  const { attachments, lines } = readMedia(fields, account);
  return {
    deliveryId: sid,
    sender: { id: from },
    recipient: from,
    sessionId: `sms:${idOf(from)}`,
    principal: `sms:${from}`,
    text: [field(fields, "Body"), ...lines].filter((line) => line !== "").join("\n"),
    ...(attachments.length > 0 && { attachments }),
  };
}

/** What came with it: what lies at the API of the account is fetched when wanted, of the rest a line is told. */
function readMedia(fields: Fields, account: TwilioAccount) {
  const told = Number(field(fields, "NumMedia"));
  const count = Number.isInteger(told) && told > 0 ? told : 0;
  const attachments: Attachment[] = [];
  const lines: string[] = [];
  for (let at = 0; at < Math.min(count, mostMedia); at++) {
    const type = field(fields, `MediaContentType${at}`).slice(0, 100);
    const url = field(fields, `MediaUrl${at}`);
    if (isAt(url, account.api)) attachments.push(attachment({ url, type, name: `media-${at + 1}` }, account));
    else lines.push(`[file: ${type || "of unknown type"}, not at Twilio's API: not fetched]`);
  }
  if (count > mostMedia) lines.push(`[${count - mostMedia} more files: not fetched]`);
  return { attachments, lines };
}

const isAt = (url: string, api: string) => URL.canParse(url) && new URL(url).origin === new URL(api).origin;

const attachment = (
  { url, type, name }: { url: string; type: string; name: string },
  account: TwilioAccount,
): Attachment => ({
  kind: type.startsWith("image/") ? "image" : "file",
  name: `${name}${/^[a-z]+\/[a-z0-9]{1,8}$/.test(type) ? `.${type.slice(type.indexOf("/") + 1)}` : ""}`,
  ...(type !== "" && { type }),
  bytes: (maxBytes, signal) =>
    fetchAttachment({ url, authorization: basicAuth(account), onwards: mediaHosts }, maxBytes, signal),
});
