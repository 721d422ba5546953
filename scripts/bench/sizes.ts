import { readFileSync, statSync } from "node:fs";
import { limitRow, type Row } from "./row.ts";
import type { Setting } from "./setting.ts";

/** Size of the executable, and with `--layer` (minutes) of what zstd -19 makes of it. */
export async function measureSizes(setting: Setting, layer: boolean): Promise<Row[]> {
  const mb = (path: string) => statSync(path).size / 1e6;
  const rows = [
    limitRow("executable, beyond the bare one", "MB", mb(setting.openclaw) - mb(setting.bareHealth), 8),
  ];
  if (!layer) return rows;
  // The layer holds five libraries of 3 MB beside the executable.
  const packed = await Bun.zstdCompress(readFileSync(setting.openclaw), { level: 19 });
  return [...rows, limitRow("executable, zstd -19", "MB", packed.byteLength / 1e6, 46.9)];
}
