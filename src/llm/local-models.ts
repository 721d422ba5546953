import * as v from "valibot";
import { parseJson } from "./foreign-json.ts";
import { readBytes } from "./read-bytes.ts";

const probeTimeoutMs = 300;
const maxProbeBytes = 256 * 1024;

const ModelList = v.object({ data: v.array(v.object({ id: v.string() })) });

export interface LocalModels {
  /** As people call it. */
  readonly name: string;
  /** The setting that makes us use it, as `NAME=value`. */
  readonly setting: string;
  readonly models: readonly string[];
}

const usualPlaces = [
  { name: "Ollama", endpoint: "http://127.0.0.1:11434/v1", setting: "MODEL_PROVIDER=ollama" },
  {
    name: "LM Studio",
    endpoint: "http://127.0.0.1:1234/v1",
    setting: "MODEL_PROVIDER_ENDPOINT=http://127.0.0.1:1234/v1",
  },
] as const;

/** Looks for Ollama and LM Studio at their usual loopback ports; takes `timeoutMs` at most and never throws. */
export async function findLocalModels(
  signal: AbortSignal,
  places: readonly { name: string; endpoint: string; setting: string }[] = usualPlaces,
  timeoutMs = probeTimeoutMs,
): Promise<readonly LocalModels[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const found = await Promise.all(
    places.map(async ({ name, endpoint, setting }) => {
      const models = await probe(endpoint, limit).catch(() => []);
      return { name, setting, models };
    }),
  );
  return found.filter((place) => place.models.length > 0);
}

async function probe(endpoint: string, signal: AbortSignal): Promise<readonly string[]> {
  const response = await fetch(`${endpoint}/models`, { signal, redirect: "manual" });
  const body = new TextDecoder().decode(await readBytes(response, maxProbeBytes));
  return v.parse(ModelList, parseJson(body)).data.map((model) => model.id);
}
