/** What stands where a secret stood. */
const hidden = "***";

/** Shorter values of our own are left: they would be found in words that have nothing to do with them. */
const leastLength = 8;

/** Every pattern is linear in the text: each begins at something fixed, and what may repeat is bounded or eaten. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, hidden],
  [/\b(bearer|basic)(\s{1,4})[\w.~+/=-]{8,}/gi, `$1$2${hidden}`],
  // OpenAI, Anthropic and others, Stripe, GitHub, GitLab, Slack, Google, npm, Tavily, Telegram's bots.
  [/(?<![A-Za-z0-9])(?:sk|pk|rk)[-_][\w-]{16,}/g, hidden],
  [/(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|npm_|tvly-)[\w-]{16,}/g, hidden],
  [/(?<![A-Za-z0-9])AIza[\w-]{30,}/g, hidden],
  [/(?<![A-Za-z0-9])(?:AKIA|ASIA|AROA)[A-Z0-9]{12,}/g, hidden],
  [/(?<!\d)\d{8,10}:AA[\w-]{30,}/g, hidden],
  // JSON Web Tokens.
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.?[\w-]*/g, hidden],
  // User and password of an address, to the last @; a user alone only when it is long enough to be a token.
  [
    /(?<=:\/\/)(?:[^\s/:"'<>\\]{0,256}:[^\s/@"'<>\\]{1,1024}|[^\s/@:"'<>\\]{16,1024})@(?:[^\s/?#@"'<>\\]{0,1024}@)*/g,
    `${hidden}@`,
  ],
  [/\b((?:set-)?cookie\s{0,4}:\s{0,4})[^\r\n"\\]+/gi, `$1${hidden}`],
];

const secretName =
  "pass(?:word|wd|phrase)|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|credentials?|authorization";
const isSecretName = new RegExp(`(?:${secretName})$`, "i");

/** `name=value` and `"name": "value"`, also as text within text, where the quotes are escaped. */
const pairs = new RegExp(
  `(${secretName})(\\\\*["']?\\s{0,4}[:=]\\s{0,4})` +
    `("(?:[^"\\\\]|\\\\[\\s\\S])*|'[^']*|\\\\+"(?:[^"\\\\]|\\\\[^"\\\\])*|[^\\s"'\\\\&,;<>()[\\]{}]+)`,
  "gi",
);
/** `--name value` of a command line. */
const options = new RegExp(`(${secretName})(?<=--[\\w-]{1,60})(\\s{1,4}["']?)[^\\s"'\\\\]+`, "gi");

const quotesOf = (value: string) => /^(?:\\*["'])?/.exec(value)?.[0] ?? "";

const ours = new Set<string>();
let oursAsPattern: RegExp | undefined;

const inJson = (value: string) => JSON.stringify(value).slice(1, -1);

/** Remembers secrets of this server, for as long as the process lives: no text that is masked has them in it. */
export function hideSecrets(values: Iterable<string>): void {
  for (const value of values) {
    if (value.length < leastLength) continue;
    for (const spelling of [value, encodeURIComponent(value.toWellFormed()), inJson(value)])
      ours.add(spelling);
  }
  // The longest first: one may be the beginning of another.
  const spellings = [...ours].sort((a, b) => b.length - a.length);
  oursAsPattern =
    spellings.length === 0
      ? undefined
      : new RegExp(spellings.map((each) => RegExp.escape(each)).join("|"), "g");
}

/** The text without the secrets of this server, and nothing else of it changed. */
export const maskOurs = (text: string, instead = hidden): string =>
  oursAsPattern === undefined ? text : text.replace(oursAsPattern, instead);

/** The text without what looks like a secret, and without those of this server. Linear in its length. */
export function maskSecrets(text: string): string {
  let masked = maskOurs(text);
  for (const [shape, instead] of shapes) masked = masked.replace(shape, instead);
  return masked
    .replace(
      pairs,
      (_, name: string, between: string, value: string) => `${name}${between}${quotesOf(value)}${hidden}`,
    )
    .replace(options, `$1$2${hidden}`);
}

/** JSON of a value in which every text is masked, and every text whose name says that it is a secret is hidden. */
export const maskedJson = (value: unknown): string =>
  JSON.stringify(value, (name, each: unknown) => {
    if (typeof each !== "string") return each;
    return isSecretName.test(name) ? hidden : maskSecrets(each);
  });
