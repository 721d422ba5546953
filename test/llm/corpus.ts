import type { ErrorCode } from "../../src/errors.ts";
import type { FinishReason } from "../../src/llm/llm.ts";
import { callAnswers } from "./corpus-calls.ts";
import { brokenAnswers } from "./corpus-faults.ts";
import { textAnswers } from "./corpus-text.ts";

/** A raw answer of a provider and what must come out of it. */
export interface CorpusEntry {
  readonly name: string;
  readonly bytes: string;
  readonly out: Expected | { readonly error: ErrorCode; readonly message: RegExp };
}

export interface Expected {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly { name: string; arguments: string; id?: string; problem?: RegExp }[];
  readonly finishReason?: FinishReason;
  /** Input, output; absent: estimated. */
  readonly usage?: readonly [number, number];
}

/** Answers as providers send them, byte by byte. */
export const corpus: readonly CorpusEntry[] = [...textAnswers, ...callAnswers, ...brokenAnswers];
