import type { Row } from "./result-table.ts";

/** Rows of one statement, with what the server says of it. */
export interface Rows extends Iterable<Row> {
  readonly length: number;
  readonly affectedRows: number | null;
  /** `type`: the server's own number for it. */
  readonly columns: readonly { readonly name: string; readonly type: number }[] | null;
}

/** The names of the columns, for `tableOf`. */
export const namesOf = ({ columns }: Rows): readonly string[] => (columns ?? []).map(({ name }) => name);

/** Sends exactly one statement; the server refuses a text that holds several. */
export type RunStatement = (sql: string, parameters?: readonly string[]) => Promise<Rows>;

/** Cells as Bun reads them (`values`), or as the server sent them, in a `Buffer` or null (`raw`). */
type Cells = "values" | "raw";
type Query = Readonly<Record<Cells, () => Promise<Rows>>>;
type Tag = (strings: TemplateStringsArray, ...values: unknown[]) => Query;

/**
 * Statements by the protocol of prepared ones, which takes one at a time. (`unsafe` without parameters, or with an empty
 * list, sends the text as it is, with all the statements in it.) Parameters stand at `?`, which `sql` then has for
 * nothing else.
 */
export const statementsOf =
  (tag: Tag, cells: Cells): RunStatement =>
  (sql, parameters = []) => {
    const strings = parameters.length === 0 ? [sql] : sql.split("?");
    // What a compiler makes of a template; Bun looks for `raw`, not for who made it.
    const template = Object.defineProperty(strings, "raw", { value: strings });
    return tag(template as typeof strings & { readonly raw: readonly string[] }, ...parameters)[cells]();
  };
