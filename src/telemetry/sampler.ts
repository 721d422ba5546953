import type { Sampler } from "./tracer.ts";

export const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;
export type SamplerName = (typeof samplers)[number];

/** By the last 7 bytes of the id, so that every process decides alike. */
const byRatio = (ratio: number) => (traceId: string) =>
  Number.parseInt(traceId.slice(-14), 16) / 2 ** 56 < ratio;

/** The sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name. */
export function createSampler(name: SamplerName, ratio: number): Sampler {
  const own = name.endsWith("always_on")
    ? () => true
    : name.endsWith("always_off")
      ? () => false
      : byRatio(ratio);
  return name.startsWith("parentbased_")
    ? (traceId, parent) => parent ?? own(traceId)
    : (traceId) => own(traceId);
}
