import type { Random } from "./random.ts";

const text = (value: string) => Buffer.from(value, "utf8");

/** Pieces that parsers stumble over. */
const oddPieces: readonly Uint8Array[] = [
  ...[
    "\0",
    "\r\n",
    "\n\n",
    "\r",
    "\\u0000",
    "\\ud800",
    '"',
    "{",
    "[[[[[[[[",
    "}",
    ":",
    ",",
    "-",
    "%00",
    "../",
  ],
  ...["\ufeff", "\u202e", "\u0130", "9".repeat(400), "-1e999", "1e308", "null", "true", "NaN", "__proto__"],
  ...["data: ", "event: ", "[DONE]", "data:{}\n\n", "a".repeat(5000), "* * * * *", "W#L", "2147483648"],
].map(text);
const oddBytes: readonly Uint8Array[] = [
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
];

type Change = (bytes: Buffer, random: Random) => Uint8Array;

const changes: readonly [Change, ...Change[]] = [
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    const changed = Buffer.from(bytes);
    if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
    return changed;
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(20))]);
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    const piece = random.pick(random.chance(0.8) ? oddPieces : oddBytes) ?? Buffer.alloc(0);
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    const piece = bytes.subarray(at, at + 1 + random.below(64));
    const times = 1 + random.below(random.chance(0.05) ? 500 : 4);
    const again = Array.from({ length: times }, () => piece);
    return Buffer.concat([bytes.subarray(0, at), ...again, bytes.subarray(at)]);
  },
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => {
    const [from, to] = [random.below(bytes.length + 1), random.below(bytes.length + 1)];
    const piece = bytes.subarray(from, from + 1 + random.below(64));
    return Buffer.concat([bytes.subarray(0, to), piece, bytes.subarray(to)]);
  },
];

/** Longer inputs say nothing that a shorter one does not. */
const longest = 200_000;

/** One to eight small changes of some bytes. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let changed = Buffer.from(bytes);
  for (let left = 1 + random.below(8); left > 0; left--)
    changed = Buffer.from(random.pick(changes)(changed, random).subarray(0, longest));
  return changed;
}

const deep = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels)) as unknown;
const oddValues: readonly (() => unknown)[] = [
  ...[null, true, false, 0, -1, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 31, "", "0", " ", "\0", "\ud800", "\ufeff"],
  ...["a".repeat(129), "a".repeat(70_000), "../../etc/passwd", "__proto__", "constructor", "root", "1e999"],
  ...["' OR 1=1 --", "%00", "\u202e<|im_start|>", "data:image/png;base64,AAAA", "2026-13-45T99:99:99Z"],
].map((value) => () => value);
const oddShapes: readonly (() => unknown)[] = [
  () => [],
  () => ({}),
  () => deep(200),
  () => Array.from({ length: 2000 }, () => "a"),
  () => ({ __proto__: null, constructor: { prototype: {} } }),
  () => Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, at])),
];

/** The same JSON with something odd in the place of something in it. */
export function mutateJson(value: unknown, random: Random): unknown {
  if (random.chance(0.2) || typeof value !== "object" || value === null)
    return (random.pick(random.chance(0.8) ? oddValues : oddShapes) ?? (() => null))();
  if (Array.isArray(value)) {
    const at = random.below(value.length + 1);
    if (at === value.length) return [...value, mutateJson(null, random)];
    return value.map((each: unknown, index) => (index === at ? mutateJson(each, random) : each));
  }
  const entries = Object.entries(value);
  const at = random.below(entries.length + 1);
  if (random.chance(0.15)) return Object.fromEntries(entries.filter((_, index) => index !== at));
  if (at === entries.length) return { ...value, [`k${random.below(9)}`]: mutateJson(null, random) };
  return Object.fromEntries(
    entries.map(([name, each], index) => [name, index === at ? mutateJson(each, random) : each]),
  );
}
