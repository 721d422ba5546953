/** One try to get at something that is not granted, or to break what runs it. */
export interface Attack {
  readonly tool: string;
  /** What it tries, for people who read a failure. */
  readonly tries: string;
  /** Calls of the tool, one turn after the other in one session; each an object, or the very text that the model sends. */
  readonly calls: readonly (object | string)[];
  /** The last call must not end as `ok`. */
  readonly refused?: boolean;
  /** The last result must say this; asked only where the host has what the tool needs. */
  readonly says?: RegExp;
  /** No result may say this, beside the secrets of the place, which none may. */
  readonly never?: RegExp;
  /** Runs while nothing else does: it takes all that it can get. */
  readonly alone?: boolean;
}

export type More = Partial<Pick<Attack, "refused" | "says" | "never" | "alone">>;

/** Rows of one tool with one thing in common: what each tries, and its call (or its calls, in a list). */
export const rows = (
  tool: string,
  more: More,
  list: readonly (readonly [tries: string, call: object | string | readonly object[]])[],
): readonly Attack[] =>
  list.map(([tries, call]) => ({ tool, tries, calls: Array.isArray(call) ? call : [call], ...more }));
