import { nearest } from "./nearest.ts";
import type { NetNames } from "./read-variable.ts";
import type { Environment, SettingRow } from "./setting-row.ts";

/** Something about the environment that does not stop a start; `unknown` stops `--check`. */
export interface Note {
  readonly kind: "unknown" | "renamed" | "ignored";
  readonly text: string;
}

const ours = /^(?:OPENCLAW|MODEL_PROVIDER)_/;

/** What Kubernetes puts into every container beside a Service that is called `openclaw`. */
export const isFromKubernetes = (name: string, value: string | undefined) =>
  /^OPENCLAW_(?:SERVICE|PORT)_/.test(name)
    ? name !== "OPENCLAW_PORT_FILE"
    : name === "OPENCLAW_PORT" && value?.startsWith("tcp://") === true;

/** Names that are set but mean nothing here, and names of OpenClaw.NET. Values are never shown. */
export function noteNames(
  rows: readonly SettingRow[],
  environment: Environment,
  netNames: NetNames,
): readonly Note[] {
  const names = Object.keys(environment).sort();
  const injected = names.filter((name) => isFromKubernetes(name, environment[name]));
  const known = rows.flatMap((row) => [row.env, `${row.env}_FILE`]);
  const families = rows.flatMap(({ family }) => family ?? []);
  const unknown = names.filter(
    (name) =>
      ours.test(name) &&
      !name.startsWith("OPENCLAW__") &&
      !known.includes(name) &&
      !families.some((family) => family.test(name.replace(/_FILE$/, ""))) &&
      !injected.includes(name),
  );
  return [
    ...unknown.map((name) => noteUnknown(name, known)),
    ...[...netNames].map(([name, { from }]) => noteNetName(name, from, rows, environment)),
    ...(injected.length > 0 ? [noteInjected(injected)] : []),
  ];
}

function noteUnknown(name: string, known: readonly string[]): Note {
  // Compared without what all of them begin with, which would make every name look near.
  const prefix = ours.exec(name)?.[0] ?? "";
  const rests = known.filter((other) => other.startsWith(prefix)).map((other) => other.slice(prefix.length));
  const meant = nearest(name.slice(prefix.length), rests);
  const advice = meant === undefined ? " of this version." : `: did you mean ${prefix}${meant}?`;
  return { kind: "unknown", text: `${name} is no setting${advice}` };
}

function noteNetName(
  name: string,
  from: string,
  rows: readonly SettingRow[],
  environment: Environment,
): Note {
  const row = rows.find(({ alias }) => alias?.some((known) => known.toLowerCase() === name));
  if (!row) return { kind: "ignored", text: `${from} is ignored: it has no counterpart here.` };
  const set = [row.env, `${row.env}_FILE`].find((own) => environment[own]);
  if (set) return { kind: "ignored", text: `${from} is ignored: ${set} is set.` };
  return { kind: "renamed", text: `${from} is read as ${row.env}, its name here.` };
}

const noteInjected = (names: readonly string[]): Note => ({
  kind: "ignored",
  text: `Ignored, as Kubernetes sets them for a Service of our name: ${names.join(", ")}.`,
});
