/** What a person can press under a question, and how far it reaches. */
const verbs = {
  y: { label: "✅ Approve", approved: true, scope: "once" },
  s: { label: "✅ For this session", approved: true, scope: "session" },
  n: { label: "❌ Deny", approved: false, scope: "once" },
} as const;

type Verb = keyof typeof verbs;

/** What a pressed button says, once it was proved to be ours and its presser's. */
export interface Pressed {
  readonly approvalId: string;
  readonly approved: boolean;
  readonly scope: "once" | "session";
}

/** Bytes that Telegram takes as the data of a button. */
const mostDataBytes = 64;

/**
 * The data under a button names who may press it. A client may send any data with any button, so it is signed; without
 * that somebody in a group could name himself.
 */
function sign(key: string, unsigned: string, chat: string): string {
  const mac = new Bun.CryptoHasher("sha256", key).update(`button ${unsigned} ${chat}`).digest();
  return Buffer.from(mac.subarray(0, 12)).toString("base64url");
}

interface Question {
  readonly approvalId: string;
  /** Id of the user who is asked. */
  readonly asked: string;
  readonly chat: string;
}

/** The buttons under a question; undefined where the id is none of ours. */
export function writeButtons(key: string, { approvalId, asked, chat }: Question) {
  const button = (verb: Verb) => {
    const unsigned = `${verb}.${approvalId}.${asked}`;
    return { text: verbs[verb].label, callback_data: `${unsigned}.${sign(key, unsigned, chat)}` };
  };
  const rows = [[button("y"), button("n")], [button("s")]];
  const fits = rows.flat().every(({ callback_data }) => Buffer.byteLength(callback_data) <= mostDataBytes);
  return fits ? { inline_keyboard: rows } : undefined;
}

const shape = /^([ysn])\.([\w-]{1,40})\.(\d{1,16})\.([\w-]{16})$/;

const isVerb = (word: string): word is Verb => Object.hasOwn(verbs, word);

/** Reads the data of a button that `presser` pressed in `chat`. */
export function readButton(
  key: string,
  data: string,
  { presser, chat }: { presser: string; chat: string },
): Pressed | "not_ours" | "not_yours" {
  const [, verb = "", approvalId = "", asked = "", mac = ""] = shape.exec(data) ?? [];
  if (!isVerb(verb)) return "not_ours";
  const expected = Buffer.from(sign(key, `${verb}.${approvalId}.${asked}`, chat));
  if (!crypto.timingSafeEqual(Buffer.from(mac), expected)) return "not_ours";
  if (asked !== presser) return "not_yours";
  const { approved, scope } = verbs[verb];
  return { approvalId, approved, scope };
}
