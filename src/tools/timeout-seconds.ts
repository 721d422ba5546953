import * as v from "valibot";

/** The time that a call asks for itself; `createSandbox` goes by it, up to its own maximum. */
export const TimeoutSeconds = v.pipe(
  v.number(),
  v.minValue(1),
  v.maxValue(86_400),
  v.description("Seconds after which it is ended; the server's own limit when left out or lower."),
);
