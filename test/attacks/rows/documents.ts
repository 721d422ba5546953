import { type Attack, rows } from "../attack.ts";
import type { Place } from "../place.ts";

const ask = (sql: string) => ({ action: "query", database: "shop.sqlite", sql });
const change = (sql: string) => ({ action: "execute", database: "shop.sqlite", sql });

export function documentAttacks({ outside, data }: Place): readonly Attack[] {
  const pdf = [
    "nested.pdf",
    "count.pdf",
    "cut.pdf",
    "text.pdf",
    "zip.pdf",
    "encrypted.pdf",
    "../outside/outside.pdf",
    "out/outside.pdf",
    "sparse",
    "binary",
    "fifo",
    "zero",
    ".",
  ];
  return [
    ...rows(
      "pdf_read",
      { refused: true },
      pdf.map((path) => [path, { path }]),
    ),
    ...rows(
      "pdf_read",
      {},
      ["stream-bomb.pdf", "form-bomb.pdf", "circle.pdf", "escapes.pdf", "calls-out.pdf"].map((path) => [
        path,
        { path },
      ]),
    ),
    ...rows("pdf_read", { refused: true }, [
      ["neither path nor address", {}],
      ["both", { path: "good.pdf", url: "http://127.0.0.1:1/" }],
      ["page zero", { path: "good.pdf", pages: "0" }],
      ["pages that are none", { path: "good.pdf", pages: "a;b" }],
      ["a wrong password", { path: "encrypted.pdf", password: "x".repeat(1000) }],
      ["a password without end", { path: "encrypted.pdf", password: "x".repeat(2000) }],
    ]),
    ...rows("pdf_read", {}, [
      ["all pages there could be", { path: "good.pdf", pages: "1-999999999" }],
      ["one page very often", { path: "good.pdf", pages: Array.from({ length: 400 }, () => "1").join(",") }],
    ]),
    ...rows("database", { refused: true }, [
      ...[
        "../outside/outside.sqlite",
        `${outside}/outside.sqlite`,
        "out/outside.sqlite",
        "linked.sqlite",
        `${data}/openclaw.db`,
        "text.sqlite",
        "head.sqlite",
        "fifo",
        "zero",
        "environ",
        ".",
        "missing.sqlite",
        "shop.sqlite?mode=rwc",
        "file:shop.sqlite",
        ":memory:",
        "shop.sqlite\0",
        "constructor",
      ].map((database) => [database, { action: "query", database, sql: "SELECT * FROM notes" }] as const),
      ["attaches the canary", ask(`ATTACH '${outside}/outside.sqlite' AS o`)],
      ["attaches it to change", change(`ATTACH '${outside}/outside.sqlite' AS o`)],
      ["attaches memory", change("ATTACH ':memory:' AS o")],
      ["copies itself out", ask(`VACUUM INTO '${outside}/fresh'`)],
      ["copies itself out to change", change(`VACUUM INTO '${outside}/fresh'`)],
      ["loads a library", ask("SELECT load_extension('/tmp/x.so')")],
      ["reads a file", ask(`SELECT readfile('${outside}/secret')`)],
      ["writes a file", ask(`SELECT writefile('${outside}/fresh', 'x')`)],
      ["edits", ask("SELECT edit('x', 'sh -c id')")],
      ["changes by a query", ask("INSERT INTO notes (text) VALUES ('x')")],
      ["changes by a query that returns", ask("DELETE FROM notes RETURNING *")],
      ["changes behind a common table", ask("WITH x AS (SELECT 1) DELETE FROM notes")],
      ["two statements", ask("SELECT 1; DROP TABLE notes")],
      ["two statements to change", change("DELETE FROM notes WHERE 0; DROP TABLE notes")],
      ["a command of a shell", ask(".shell id")],
      ["a command of a shell after a comment", ask("/*x*/\n.shell id")],
      ["rows without end", { action: "query", database: "shop.sqlite", sql: "SELECT count(*) FROM endless" }],
      [
        "a product of all",
        ask(
          "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n LIMIT 100000) SELECT sum(a.x*b.x) FROM n a, n b, n c",
        ),
      ],
      ["a gigabyte of zeros", ask("SELECT length(replace(hex(zeroblob(400000000)),'0','aaaaaaaa'))")],
      ["syntax", ask("SELEKT")],
      ["nothing but a comment", ask("-- x")],
      ["brackets without end", ask(`SELECT ${"(".repeat(40_000)}1${")".repeat(40_000)}`)],
      ["a connection with its password", { action: "query", database: "sales", sql: "SELECT 1" }],
      ["no database", { action: "tables", database: "nope" }],
    ]),
    ...rows("database", {}, [
      [
        "a table that is none",
        { action: "schema", database: "shop.sqlite", table: "'; DROP TABLE notes; --" },
      ],
      ["rows without end, by and by", ask("SELECT x FROM endless")],
      ["a long text", ask("SELECT hex(zeroblob(30000000))")],
      ["a pattern that explodes", ask("SELECT 'a' LIKE replace(hex(zeroblob(5000)),'00','%a')")],
      ["names of escapes", { action: "tables", database: "shop.sqlite" }],
      ["values of escapes", ask("SELECT * FROM notes")],
      ["a schema that may be written", ask("PRAGMA writable_schema=1")],
      ["a temporary store elsewhere", ask(`PRAGMA temp_store_directory='${outside}'`)],
      ["leave to change", ask("PRAGMA query_only=0")],
      ["a journal elsewhere", change("PRAGMA journal_mode=WAL")],
      [
        "two thousand columns",
        ask(`SELECT ${Array.from({ length: 1900 }, (_, at) => `'${"c".repeat(30)}' AS c${at}`).join(",")}`),
      ],
    ]),
  ];
}
