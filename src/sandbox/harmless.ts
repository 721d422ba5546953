const controls = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;
/** Colours and the like: they say nothing and cost tokens, so they go. Any other escape sequence is shown. */
const colours = /\x1b\[[\d;:]{0,40}m/g;

/**
 * Signs that draw nothing, or turn the direction of what follows: zero width, fillers, joiners, bidirectional
 * controls, variation selectors and the tags of U+E0000. People do not see what they say, and models do.
 */
const unseen =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]+/gu;
const lineSeparators = /[\u2028\u2029]/g;

const isEmoji = /\p{Emoji}$/u;
const joinsEmoji = /[\p{Extended_Pictographic}\p{Emoji_Modifier}]$/u;
const beginsEmoji = /^\p{Extended_Pictographic}/u;
const isHan = /\p{Script=Han}$/u;
/** A letter of a script whose letters change their form by joiners. */
const joined =
  "[\\p{Script=Arab}\\p{Script=Syrc}\\p{Script=Mong}\\p{Script=Deva}\\p{Script=Beng}\\p{Script=Guru}\\p{Script=Gujr}\\p{Script=Orya}\\p{Script=Taml}\\p{Script=Telu}\\p{Script=Knda}\\p{Script=Mlym}\\p{Script=Sinh}\\p{Script=Khmr}\\p{Script=Mymr}]";
const endsJoined = new RegExp(`${joined}$`, "u");
const beginsJoined = new RegExp(`^${joined}`, "u");

/** What is put for a run of unseen signs: nothing of it where writing needs it, else its number, or how many there are. */
function told(run: string, before: string, after: string): string {
  if ((run === "\ufe0f" || run === "\ufe0e") && isEmoji.test(before)) return run;
  if ((run === "\u200d" || run === "\ufe0f\u200d") && joinsEmoji.test(before) && beginsEmoji.test(after))
    return run;
  if ((run === "\u200c" || run === "\u200d") && endsJoined.test(before) && beginsJoined.test(after))
    return run;
  // A place to break a word, the mark of an encoding, the form of one ideograph: nothing is lost without them.
  if (run === "\u00ad" || (run === "\ufeff" && before === "")) return "";
  const signs = [...run];
  if (signs.length > 1) return `⟨${signs.length} unseen signs⟩`;
  const code = run.codePointAt(0) ?? 0;
  const isForm = (code >= 0xfe00 && code <= 0xfe0d) || (code >= 0xe0100 && code <= 0xe01ef);
  return isForm && isHan.test(before) ? "" : `⟨${code.toString(16).padStart(4, "0")}⟩`;
}

/** Names of the tags by which our own texts, agents around us and templates of chats set their parts apart. */
const tags =
  "agents_md|recalled_notes|system-reminder|tool_results?|tool_calls?|tool_outputs?|tool_response|function_results?|function_calls?|start_of_turn|end_of_turn|start_header_id|end_header_id";
/** What our own notes in a conversation begin with. */
const notes =
  "Summary of the conversation so far|End of the summary|Messages are left out here|The first steps of the work";

/** What a text has behind `<` or `[` where it would look like the end of itself and the beginning of somebody else's. */
const angled = [
  "[|｜][^\\s|｜<>]{1,64}[|｜]>",
  `/?(?:antml:)?(?:${tags})(?=[\\s/>])`,
  "/?(?:s|bos|eos)>",
  "</?SYS>>",
].join("|");
const squared = [
  "/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\\]",
  "/?(?:system(?: (?:message|prompt|note|notice))?|assistant|developer(?: message)?)\\]",
  notes,
].join("|");
const markers = new RegExp(`<(?=${angled})|\\[(?=${squared})`, "gi");

/** What {@link harmless} makes of them, and of unseen signs. */
const altered = new RegExp(`‹(?=(${angled}))|［(?=(${squared}))|⟨([\\da-f]{4,5})⟩`, "gi");

const isPlain = /^[\t\n\x20-\x7e]*$/;

/**
 * A text of unknown origin as text alone, before a model, a log or a page has it: control characters as pictures of
 * them (line breaks and tabs stay), unseen signs as their numbers, and what looks like a part of a conversation with
 * another first sign. Whatever else it says is left, in every language.
 */
export function harmless(text: string): string {
  const shown = isPlain.test(text) ? text : visible(text);
  return shown.replace(markers, (sign) => (sign === "<" ? "‹" : "［"));
}

const visible = (text: string) =>
  text
    .replaceAll("\r\n", "\n")
    .replace(colours, "")
    .replace(controls, (character) => {
      const code = character.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "\u2421" : "\uFFFD";
    })
    .replace(lineSeparators, "\n")
    .toWellFormed()
    .replace(unseen, (run: string, at: number, whole: string) =>
      // Two halves of a pair at most.
      told(
        run,
        lastSign(whole.slice(Math.max(0, at - 2), at)),
        whole.slice(at + run.length, at + run.length + 2),
      ),
    );

const lastSign = (text: string) => [...text].at(-1) ?? "";

/** What of `file` may be meant by itself: its own altered signs with what makes them a marker, and its unseen signs. */
function ownOf(file: string): ReadonlySet<string> {
  const own = new Set<string>();
  for (const [sign, angled, squared] of file.matchAll(altered)) own.add(sign + (angled ?? squared ?? ""));
  for (const [run] of file.matchAll(unseen)) own.add(run);
  return own;
}

/**
 * Turns back what {@link harmless} altered, for a model that writes what it was shown. Of a text that is to be put into
 * `file`, signs that stand there by themselves stay, and only unseen signs that it has become unseen again; without
 * `file` all is turned back. What was left out, or counted, is lost.
 */
export function asMeant(file?: string): (text: string) => string {
  let own: ReadonlySet<string> | undefined;
  return (text) =>
    text.replace(altered, (sign: string, angled?: string, squared?: string, code?: string) => {
      own ??= ownOf(file ?? "");
      if (own.has(sign + (angled ?? squared ?? ""))) return sign;
      if (code === undefined) return sign === "‹" ? "<" : "[";
      const meant = String.fromCodePoint(Number.parseInt(code, 16));
      const isShownSo = harmless(`x${meant}`) === `x${sign}`;
      return isShownSo && (file === undefined || own.has(meant)) ? meant : sign;
    });
}
