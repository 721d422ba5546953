import type { AnyTool } from "../sandbox/tool.ts";
import { editFile } from "./edit-file.ts";
import { listFiles } from "./list-files.ts";
import { memorySearch } from "./memory-search.ts";
import { memory } from "./memory.ts";
import { readFile } from "./read-file.ts";
import { projectMemory } from "./project-memory.ts";
import { searchFiles } from "./search-files.ts";
import { sessionsTool } from "./sessions.ts";
import { time } from "./time.ts";
import { writeFile } from "./write-file.ts";

/** Every tool there is; which of them a model sees is decided by what is granted. */
export const tools: readonly AnyTool[] = [
  readFile,
  writeFile,
  editFile,
  listFiles,
  searchFiles,
  time,
  memory,
  memorySearch,
  projectMemory,
  sessionsTool,
];
