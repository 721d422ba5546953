import { AppError } from "../errors.ts";
import { excerpt, type ForeignObject, parseJson, readList, readObject, readText } from "./foreign-json.ts";
import { createJsonScan, type JsonScan } from "./json-scan.ts";
import type { ToolCall } from "./message.ts";
import { readOpaque } from "./opaque.ts";

const maxCalls = 128;
const maxCallChars = 8 * 1024 * 1024;
const maxIdChars = 128;

interface Piece {
  readonly index: number | undefined;
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  readonly opaque: ForeignObject | undefined;
}

/** A call while its pieces come in. */
interface Draft {
  readonly index: number | undefined;
  id: string;
  name: string;
  arguments: string;
  scan: JsonScan;
  opaque: ForeignObject | undefined;
}

export interface CallAssembler {
  /** Takes the `tool_calls` of one delta or message, whatever it is. */
  push(toolCalls: unknown): void;
  /** Characters of all the calls so far. */
  size(): number;
  finish(): ToolCall[];
  /** What stood beside each call for the provider's own use, in their order. */
  opaque(): readonly (ForeignObject | undefined)[];
}

/** Puts streamed tool calls together, whatever the provider makes of `index` and `id`; throws `provider_error` when there are too many. */
export function createCallAssembler(): CallAssembler {
  const drafts: Draft[] = [];
  let size = 0;

  function begin(index: number | undefined): Draft {
    if (drafts.length === maxCalls) {
      throw new AppError("provider_error", `The model asked for more than ${maxCalls} tool calls at once.`);
    }
    const draft = { index, id: "", name: "", arguments: "", scan: createJsonScan(), opaque: undefined };
    drafts.push(draft);
    return draft;
  }

  function add(piece: Piece) {
    size += piece.id.length + piece.name.length + piece.arguments.length;
    if (piece.opaque) size += JSON.stringify(piece.opaque).length;
    if (size > maxCallChars) {
      throw new AppError(
        "provider_error",
        `The model sent tool calls of more than ${maxCallChars} characters.`,
      );
    }
    const found = findDraft(drafts, piece);
    extend(found && continues(found, piece) ? found : begin(piece.index), piece);
  }

  return {
    push(toolCalls) {
      const items = readList(toolCalls);
      for (const [at, item] of items.entries()) add(readPiece(item, items.length > 1 ? at : undefined));
    },
    size: () => size,
    opaque: () => drafts.map((draft) => draft.opaque),
    finish() {
      const taken = new Set<string>();
      return drafts.map((draft) => {
        const usable = draft.id !== "" && draft.id.length <= maxIdChars && !taken.has(draft.id);
        const id = usable ? draft.id : `call_${crypto.randomUUID().replaceAll("-", "")}`;
        taken.add(id);
        return { id, name: draft.name || "unnamed", ...readArguments(draft.arguments) };
      });
    },
  };
}

/** `position` stands in for an index where one delta holds several calls. */
function readPiece(item: unknown, position: number | undefined): Piece {
  const call = readObject(item);
  const fn = readObject(call?.function);
  const given = fn?.arguments;
  return {
    index: typeof call?.index === "number" ? call.index : position,
    id: readText(call?.id),
    name: readText(fn?.name),
    arguments: typeof given === "object" && given !== null ? JSON.stringify(given) : readText(given),
    opaque: call && readOpaque(call),
  };
}

/** The call that a piece may belong to: by its id, else by its index, else the last one. */
function findDraft(drafts: readonly Draft[], piece: Piece): Draft | undefined {
  const near = (draft: Draft) =>
    draft.index === undefined || piece.index === undefined || draft.index === piece.index;
  const sameId = (draft: Draft) => piece.id !== "" && draft.id === piece.id && near(draft);
  return drafts.findLast(sameId) ?? drafts.findLast(near);
}

const hasOtherId = (draft: Draft, piece: Piece) =>
  piece.id !== "" && draft.id !== "" && piece.id !== draft.id;

/** False when the piece begins another call, though it came under the same id or index. */
function continues(draft: Draft, piece: Piece): boolean {
  if (piece.name === "") return true;
  const sameName = piece.name === draft.name;
  const whole = draft.scan.closed();
  // Some providers make up a new id for every piece of a call.
  if (hasOtherId(draft, piece)) return sameName && !whole && draft.arguments !== "";
  const nothingNew = piece.arguments.trim() === "" || piece.arguments === draft.arguments;
  if (whole) return nothingNew && (sameName || draft.name === "");
  return sameName || draft.name === "" || draft.arguments === "";
}

function extend(draft: Draft, piece: Piece) {
  if (piece.opaque) draft.opaque = { ...draft.opaque, ...piece.opaque };
  if (draft.scan.closed()) {
    // Told twice.
    if (piece.arguments === draft.arguments) return;
    // Some proxies begin a call with `{}` and then send its arguments.
    if (draft.arguments === "{}" && piece.arguments.trim() !== "") {
      draft.arguments = "";
      draft.scan = createJsonScan();
    }
  }
  const nothingYet = draft.arguments === "";
  if (draft.id === "") draft.id = piece.id;
  else if (hasOtherId(draft, piece) && piece.name === "" && piece.arguments === "" && nothingYet)
    draft.id += piece.id;
  if (draft.name === "") draft.name = piece.name;
  else if (piece.name !== draft.name && nothingYet) draft.name += piece.name;
  draft.arguments += piece.arguments;
  draft.scan.push(piece.arguments);
}

/** The text of a JSON object; when it is none, `{}` and what was wrong. */
function readArguments(text: string): Pick<ToolCall, "arguments" | "problem"> {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "null") return { arguments: "{}" };
  const value = parseJson(trimmed);
  if (readObject(value)) return { arguments: trimmed };
  // Encoded twice.
  if (typeof value === "string" && readObject(parseJson(value))) return { arguments: value };
  return { arguments: "{}", problem: `The arguments were not a JSON object: ${excerpt(trimmed)}` };
}
