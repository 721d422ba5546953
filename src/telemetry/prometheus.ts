import type { Reading } from "./instruments.ts";

/** The text format of Prometheus, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const prometheusType = "text/plain; version=0.0.4; charset=utf-8";

const escapeHelp = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeLabel = (text: string) => escapeHelp(text).replaceAll('"', '\\"');

const number = (value: number) =>
  Number.isFinite(value) ? `${value}` : Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";

function labelled(names: readonly string[], values: readonly string[], more = ""): string {
  const pairs = names.map((name, at) => `${name}="${escapeLabel(values[at] ?? "")}"`);
  const all = more === "" ? pairs : [...pairs, more];
  return all.length === 0 ? "" : `{${all.join(",")}}`;
}

function* lines(reading: Reading): Generator<string> {
  const { name, labels } = reading;
  if (reading.kind !== "histogram") {
    for (const { labels: of, value } of reading.values)
      yield `${name}${labelled(labels, of)} ${number(value)}`;
    return;
  }
  for (const { labels: of, counts, sum, count } of reading.distributions) {
    let below = 0;
    for (const [at, bound] of reading.bounds.entries()) {
      below += counts[at] ?? 0;
      yield `${name}_bucket${labelled(labels, of, `le="${bound}"`)} ${below}`;
    }
    yield `${name}_bucket${labelled(labels, of, 'le="+Inf"')} ${count}`;
    yield `${name}_sum${labelled(labels, of)} ${number(sum)}`;
    yield `${name}_count${labelled(labels, of)} ${count}`;
  }
}

/** The families as Prometheus reads them, in the order of their names. */
export function toPrometheus(readings: readonly Reading[]): string {
  const sorted = readings.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return sorted
    .map((reading) => {
      const { name, help, kind } = reading;
      const head = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`;
      return head + [...lines(reading)].map((line) => `${line}\n`).join("");
    })
    .join("");
}
