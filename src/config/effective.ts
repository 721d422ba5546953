import { type Loaded, settingRows } from "./load.ts";
import type { Environment } from "./setting-row.ts";
import { showText } from "./show.ts";

/** A setting as it counts now. */
export interface Effective {
  readonly env: string;
  /** As it may be shown; absent when it is not set and has no default. */
  readonly shown?: string;
  /** The variable that it came from, `default`, or `not set`. */
  readonly from: string;
  /** It is taken on SIGHUP when it came from a file. */
  readonly live: boolean;
}

/** Every setting with its source, in the order of the table; secrets are hidden. */
export const effectiveSettings = ({ sources }: Loaded, environment: Environment): readonly Effective[] =>
  settingRows().map((row): Effective => {
    const { env, live = false } = row;
    const source = sources.get(env);
    if (source !== undefined) return { env, live, ...source };
    const fallback = typeof row.fallback === "function" ? row.fallback(environment) : row.fallback;
    if (fallback === undefined || fallback === "") {
      const text = row.shown?.replaceAll("`", "");
      return {
        env,
        live,
        ...(text !== undefined && { shown: text }),
        from: text === undefined ? "not set" : "default",
      };
    }
    // A default is no secret, whatever the row holds.
    return { env, live, shown: showText({ ...row, secret: false }, fallback), from: "default" };
  });
