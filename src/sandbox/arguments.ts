import * as v from "valibot";
import { shown } from "./paths.ts";
import type { ToolInput } from "./tool.ts";

export type CheckedArguments =
  | { readonly ok: true; readonly input: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly faults: readonly string[] };

const mostFaults = 20;
const faultLength = 300;

const no = (...faults: string[]): CheckedArguments => ({ ok: false, faults });

const parse = (text: string): unknown => {
  // Models leave the arguments of a tool without parameters empty.
  if (text.trim() === "") return {};
  const value: unknown = JSON.parse(text);
  // Some put the object into a string once more.
  return typeof value === "string" ? JSON.parse(value) : value;
};

/** Models send null for what they leave out. */
function withoutNulls(value: object, input: ToolInput): Record<string, unknown> {
  const isLeftOut = ([name, given]: [string, unknown]) =>
    given === null && Object.hasOwn(input.entries, name) && input.entries[name]?.type === "optional";
  return Object.fromEntries(Object.entries(value).filter((entry) => !isLeftOut(entry)));
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const text = path === null ? issue.message : `${path}: ${issue.message}`;
  return text.length > faultLength ? `${text.slice(0, faultLength)}…` : text;
}

/** Reads the arguments of a call against the tool's schema; an unknown name is a fault like any other. All faults are told. */
export function checkArguments(input: ToolInput, text: string): CheckedArguments {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return no("The arguments are not valid JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return no("The arguments must be one JSON object.");
  }
  const given = withoutNulls(value, input);
  const known = Object.keys(input.entries);
  const unknown = Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => `There is no parameter ${shown(name)}; there are: ${known.join(", ") || "none"}.`);
  const result = v.safeParse(input, given);
  const faults = [...unknown, ...(result.issues ?? []).map(issueText)];
  if (result.success && faults.length === 0) return { ok: true, input: result.output };
  return no(...faults.slice(0, mostFaults));
}
