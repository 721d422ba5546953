/** How a container of the image starts, in the words of the OCI image specification (and Docker's `Healthcheck`). */
export interface ImageConfig {
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly User: string;
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Volumes: Readonly<Record<string, object>>;
  readonly Healthcheck: {
    readonly Test: readonly string[];
    /** Nanoseconds. */
    readonly Interval: number;
    readonly Timeout: number;
    readonly StartPeriod: number;
  };
}

type Instructions = ReadonlyMap<string, string>;

/** What the last stage of our Dockerfile says, so that both ways to the image make the same one. Throws at what it does not know. */
export function readDockerfile(text: string): ImageConfig {
  const instructions = lastStage(text);
  const one = (name: string) => {
    const rest = instructions.get(name);
    if (rest === undefined) throw new Error(`The last stage of the Dockerfile has no ${name}.`);
    return rest;
  };
  return {
    Env: one("ENV").split(/\s+/),
    Entrypoint: readWords(one("ENTRYPOINT")),
    User: one("USER"),
    ExposedPorts: { [`${one("EXPOSE")}/tcp`]: {} },
    Volumes: { [one("VOLUME")]: {} },
    Healthcheck: readHealthcheck(one("HEALTHCHECK")),
  };
}

const known = ["COPY", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT"];

function lastStage(text: string): Instructions {
  const lines = text
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const found = new Map<string, string>();
  for (const line of lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")) + 1)) {
    const [name = "", ...rest] = line.split(" ");
    const again = found.has(name) && name !== "COPY";
    if (!known.includes(name) || again) throw new Error(`Cannot read this line of the Dockerfile: ${line}`);
    found.set(name, rest.join(" "));
  }
  return found;
}

function readWords(text: string): readonly string[] {
  const words: unknown = JSON.parse(text);
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string"))
    throw new Error(`Expected a list of words in the Dockerfile, and found ${text}.`);
  return words;
}

function readHealthcheck(text: string) {
  const [options = "", command = ""] = text.split(" CMD ");
  const nanoseconds = (name: string) => {
    const seconds = new RegExp(`--${name}=(\\d+)s`).exec(options)?.[1];
    if (seconds === undefined) throw new Error(`HEALTHCHECK of the Dockerfile has no --${name} in seconds.`);
    return Number(seconds) * 1e9;
  };
  return {
    Test: ["CMD", ...readWords(command)],
    Interval: nanoseconds("interval"),
    Timeout: nanoseconds("timeout"),
    StartPeriod: nanoseconds("start-period"),
  };
}
