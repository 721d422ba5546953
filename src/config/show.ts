import type { SettingRow } from "./setting-row.ts";

const mostShown = 120;

/** A value as it may be shown: secrets hidden, passwords in addresses too, control characters escaped, cut when long. */
export function showText(row: SettingRow, text: string): string {
  if (row.secret) return "set (hidden)";
  const open = text.replace(/\/\/[^/?#\s"]*@/g, "//(hidden)@");
  return JSON.stringify(open.length > mostShown ? `${open.slice(0, mostShown)}…` : open);
}

/** The default as the docs show it; empty where there is none. */
export const defaultOf = (row: SettingRow): string =>
  row.shown ?? (typeof row.fallback === "string" && row.fallback !== "" ? `\`${row.fallback}\`` : "");
