import type { PdfText } from "../capabilities.ts";
import type { PageRange } from "./page-ranges.ts";

/** What the worker is asked for. */
export interface PdfRequest {
  readonly bytes: Uint8Array;
  readonly ranges: readonly PageRange[];
  readonly password: string | undefined;
  readonly mostPages: number;
  /** Reading stops with the page that goes past it, which is cut. */
  readonly mostCharacters: number;
}

/** Why a document could not be read; `empty` has no page. */
export type PdfFault = "password_missing" | "password_wrong" | "broken" | "empty" | "failed";

export type PdfAnswer =
  | { readonly ok: true; readonly text: PdfText }
  | { readonly ok: false; readonly fault: PdfFault; readonly said: string };
