import type * as v from "valibot";

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One row: a variable, what it may hold, and what is told of it. */
export interface SettingRow {
  readonly env: string;
  readonly schema: v.GenericSchema<string, unknown>;
  /**
   * The text that is used when the variable is not set, or what finds it; without it the value is then `undefined`.
   * Finding nothing is a problem of the variable, which then has to be set.
   */
  readonly fallback?: string | ((environment: Environment) => string | undefined);
  readonly doc: string;
  /** Names of OpenClaw.NET that are read when `env` is not set; `__0`, `__1` … of a list are joined. */
  readonly alias?: readonly string[];
  /**
   * Many variables of one kind instead of one: what the group of the pattern matches names each. The schema then takes
   * JSON: lists of the texts between commas by name, in small letters and with `-` for `_`.
   */
  readonly family?: RegExp;
  /** Never shown. */
  readonly secret?: boolean;
  /** Taken while the server runs, when the file that `NAME_FILE` names has changed and SIGHUP comes. */
  readonly live?: boolean;
  /** Holds one path or a list of them: a relative one is resolved in the folder of the start, or in the workspace. */
  readonly path?: "start" | "workspace";
  /** What the docs show as the default, where the fallback alone would not tell. */
  readonly shown?: string;
}
