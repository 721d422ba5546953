/** One line of the table. `ratio` is ours to the floor's, where there is a floor. */
export interface Row {
  readonly what: string;
  readonly ours: number;
  readonly floor?: number;
  readonly unit: string;
  readonly goal: string;
  readonly met: boolean;
  readonly note?: string;
}

/** A row whose goal is a ratio to the floor. */
export const ratioRow = (
  what: string,
  unit: string,
  ours: number,
  floor: number,
  most: number,
  note?: string,
): Row => ({
  what,
  ours,
  floor,
  unit,
  goal: `at most ${most} x`,
  met: ours <= most * floor,
  ...(note !== undefined && { note }),
});

/** A row whose goal is a figure of its own. */
export const limitRow = (what: string, unit: string, ours: number, most: number, note?: string): Row => ({
  what,
  ours,
  unit,
  goal: `at most ${Number(most.toFixed(2))} ${unit}`,
  met: ours <= most,
  ...(note !== undefined && { note }),
});

const short = (value: number) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);

/** The table as Markdown. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const floor = row.floor === undefined ? "" : `${short(row.floor)} ${row.unit}`;
    const ratio = row.floor === undefined ? "" : `${(row.ours / row.floor).toFixed(2)} x`;
    return `| ${row.what} | ${short(row.ours)} ${row.unit} | ${floor} | ${ratio} | ${row.goal} | ${row.met ? "yes" : "**no**"} |${row.note === undefined ? "" : ` ${row.note} |`}`;
  });
  return ["| what | ours | floor | ratio | goal | met |", "|---|---|---|---|---|---|", ...lines].join("\n");
}
